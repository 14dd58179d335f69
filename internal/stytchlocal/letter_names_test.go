package stytchlocal

import "testing"

// Mail programs make links of what looks like one, and nobody but this program
// should be able to put one into its mails.
func TestNamesInMailsAreNoLinks(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, want string }{
		{"Grace Hopper", "Grace Hopper"},
		{"J.R.R. Tolkien", "J.R.R. Tolkien"},
		{"김민준 (Design/UX)", "김민준 (Design/UX)"},
		{"ada@mail.example.com", "ada@mail.example.com"},
		{"https://evil.example/login", "https: //evil. example/login"},
		{"go to www.evil.example now", "go to www. evil. example now"},
		{"Grace\r\nBcc: eve@evil.example", "Grace Bcc: eve@evil. example"},
		{"mailto:eve@evil.example", "mailto: eve@evil. example"},
		{"\u202eecarG\u2066 <b>", "ecarG <b>"},
	} {
		if got := oneLine(row.name); got != row.want {
			t.Errorf("%q is %q in a mail, want %q", row.name, got, row.want)
		}
	}
}

package mail

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/text"
)

func TestSanitizeName(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, want string }{
		{"Grace Hopper", "Grace Hopper"},
		{"J.R.R. Tolkien", "J.R.R. Tolkien"},
		{"김민준 (Design/UX)", "김민준 (Design/UX)"},
		{"می\u200cخواهم 👩‍🚀", "می\u200cخواهم 👩‍🚀"},
		{"ada@mail.example.com", "ada@mail.example.com"},
		{"Guestlist 2.0", "Guestlist 2.0"},
		{"https://evil.example/login", "https: //evil. example/login"},
		{"go to www.evil.example now", "go to www. evil. example now"},
		{"Grace\r\nBcc: eve@evil.example", "Grace Bcc: eve@evil. example"},
		{"mailto:eve@evil.example", "mailto: eve@evil. example"},
		{"\u202eecarG\u2066 <b>", "ecarG <b>"},
		{"evil.com@", "evil. com@"},
		{"www.evil.com@pay", "www. evil. com@pay"},
		{"www.evil.com@pay.example", "www. evil. com@pay. example"},
		{"evil.com@pay@mail.example", "evil. com@pay@mail. example"},
		{"https:evil.com", "https: evil. com"},
		{"evil.com/x", "evil. com/x"},
		{"evil.com:80", "evil. com: 80"},
		{"ftp.evil.com", "ftp. evil. com"},
		{"evil。com", "evil。 com"},
		{"evil．com evil｡com evil․com evil﹒com", "evil． com evil｡ com evil․ com evil﹒ com"},
		{"ｅｖｉｌ．ｃｏｍ", "ｅｖｉｌ． ｃｏｍ"},
		{"bücher.example пример.рф xn--e1afmkfd.xn--p1ai", "bücher. example пример. рф xn--e1afmkfd. xn--p1ai"},
		{"सत्यम.भारत", "सत्यम. भारत"},
		{"write to a@b.c", "write to a@ b.c"},
		{"eve＠b.c or", "eve＠ b.c or"},
		{"tel:+15551234", "tel: +15551234"},
		{"http：／／evil", "http： ／／evil"},
		{"http://127.0.0.1/x", "http: //127. 0. 0. 1/x"},
		{`\\evil\share`, `\evil\share`},
		{"evil.\u200bcom e\u00advil.\u2060com", "evil. com evil. com"},
		{"t.co", "t. co"},
	} {
		if got := sanitizeName(row.name); got != row.want {
			t.Errorf("%q is %q in a mail, want %q", row.name, got, row.want)
		}
	}
}

// linkForms describe what mail programs turn into links, independently of the code.
var linkForms = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\b[a-z][a-z0-9+-]*:[^\s]`),
	regexp.MustCompile(`(?i)\b(www|ftp)\.[^\s]`),
	regexp.MustCompile(`[\pL\pN-][\x{3002}\x{ff0e}\x{ff61}\x{2024}\x{fe52}.][\pL\pN][\pL\pN\pM-]`),
	regexp.MustCompile(`[^\s@]@[^\s@.]+\.[^\s]`),
	regexp.MustCompile(`\d\.\d+\.\d+\.\d`),
	regexp.MustCompile(`\\\\\w`),
}

func FuzzSanitizeName(f *testing.F) {
	for _, name := range []string{
		"evil.com@", "www.evil.com@pay", "https:evil.com", "evil。com", "a@b.c", "ftp.evil.com", "evil.com:80", "x..yy", "a:::b", "@@a.bb", "1.2.3.4.5",
		"ada@example.com", "..com", ".\u0301com", "a@b.c.d", `\\\\x`,
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		line := sanitizeName(name)
		if strings.ContainsAny(line, "\r\n\t") || len([]rune(line)) > 101 {
			t.Errorf("%q is %q", name, line)
		}
		if typed, _, ok := text.ParseAddress(line); ok && typed == line && !strings.HasPrefix(strings.ToLower(line), "www.") {
			return
		}
		for _, form := range linkForms {
			if found := form.FindString(line); found != "" {
				t.Errorf("%q is %q, of which %q is a link", name, line, found)
			}
		}
	})
}

func TestLinkMessage_NamesAndProductBecomeNoLinks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"evil.com@", "www.evil.com@pay", "evil。com", "https:evil.com", "evil.com/x", "a@b.c x", "ftp.evil.com", "evil.com:80"} {
		l := Link{
			Invitation: true, To: "ada@example.net", Name: name, InvitedBy: name, URL: "https://list.example.net/t", Lifetime: 10 * time.Minute,
			Home: "https://list.example.net",
		}
		m, err := l.Message(name, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{m.Subject, m.Text, m.HTML} {
			if strings.Contains(part, name) {
				t.Errorf("%q stands in a mail: %s", name, part)
			}
		}
	}
}

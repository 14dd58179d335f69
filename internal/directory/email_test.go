package directory_test

import (
	"mime"
	"net/mail"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestParseEmail_Accepted(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("d", 63)
	// 64 + 1 + 3*64 - 1 + ... = 254: the longest there is.
	longest := strings.Repeat("l", 64) + "@" + strings.Repeat("d", 59) + "." + label + "." + label + ".d"
	tests := []struct{ name, in, key string }{
		{"an ordinary address", "ada@example.com", "ada@example.com"},
		{"capitals, for the comparison lower-cased", "Ada.Lovelace@Example.COM", "ada.lovelace@example.com"},
		{"surrounding space, without it", " \tada@example.com\r\n", "ada@example.com"},
		{"a plus", "ada+list@example.com", "ada+list@example.com"},
		{"every character that a local part may have", "a.!#$%&'*+/=?^_{|}~-9@example.com", "a.!#$%&'*+/=?^_{|}~-9@example.com"},
		{"digits and hyphens in a host name", "1@3-m.co-op.1x", "1@3-m.co-op.1x"},
		{"many labels", "a@b.c.d.e.f", "a@b.c.d.e.f"},
		{"an international domain, in ASCII", "ada@Bücher.example", "ada@xn--bcher-kva.example"},
		{"a sharp s as such, not as ss", "ada@straße.example", "ada@xn--strae-oqa.example"},
		{"the dot of other scripts", "ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"},
		{"the ASCII form of an international domain", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"},
		{"an invisible character in front, without it", "\u200bada@example.com", "ada@example.com"},
		{"a byte order mark and a soft hyphen around, without them", "\ufeff ada@example.com\u00ad", "ada@example.com"},
		{"directions of a pasted address, without them", "\u202aada@example.com\u202c", "ada@example.com"},
		{"half of an encoded word", "=?utf-8?q?ada@example.com", "=?utf-8?q?ada@example.com"},
		{"a local part of 64", strings.Repeat("l", 64) + "@example.com", strings.Repeat("l", 64) + "@example.com"},
		{"254 characters", longest, longest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := directory.ParseEmail(test.in)
			if err != nil {
				t.Fatal(err)
			}
			typed := strings.TrimSpace(strings.NewReplacer("\u200b", "", "\ufeff", "", "\u00ad", "", "\u202a", "", "\u202c", "").Replace(test.in))
			if diff := cmp.Diff(directory.Email{Display: typed, Normalized: test.key}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if _, domain, _ := strings.Cut(test.key, "@"); got.Domain() != domain {
				t.Errorf("domain is %q, want %q", got.Domain(), domain)
			}
		})
	}
	if len(longest) != 254 {
		t.Errorf("the longest address has %d characters", len(longest))
	}
}

// Each of these has caused a wrong sign-in or a lost email in some program.
func TestParseEmail_Refused(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("d", 63)
	tests := []struct{ name, in string }{
		{"nothing", ""},
		{"space alone", "  "},
		{"no @", "ada.example.com"},
		{"no local part", "@example.com"},
		{"no domain", "ada@"},
		{"two addresses with a comma", "ada@example.com,eve@evil.example"},
		{"two addresses with a comma and a space", "ada@example.com, eve@evil.example"},
		{"two addresses with a semicolon", "ada@example.com;eve@evil.example"},
		{"two addresses with a space", "ada@example.com eve@evil.example"},
		{"two addresses on two lines", "ada@example.com\neve@evil.example"},
		{"a domain behind a domain", "x@evil.example@company.example"},
		{"a quoted local part", `"ada"@example.com`},
		{"an @ in a quoted local part", `"eve@evil.example x"@company.example`},
		{"an escaped @", `eve\@evil.example@company.example`},
		{"a display name", "Ada <ada@example.com>"},
		{"brackets alone", "<ada@example.com>"},
		{"a display name that is an address", `"ada@example.com" <eve@evil.example>`},
		{"a comment before the @", "ada(eve)@example.com"},
		{"a comment behind the @", "ada@(eve@evil.example)example.com"},
		{"a comment at the end", "ada@example.com(eve)"},
		{"mailto", "mailto:ada@example.com"},
		{"a header", "ada@example.com\r\nBcc: eve@evil.example"},
		{"a header in the local part", "ada\r\nBcc:eve@example.com"},
		{"a NUL", "ada\x00@example.com"},
		{"a NUL in the domain", "ada@example.com\x00.evil.example"},
		{"a tab", "a\tda@example.com"},
		{"a DEL", "ada\x7f@example.com"},
		{"a space in the domain", "ada@exa mple.com"},
		{"a no-break space", "ada\u00a0b@example.com"},
		{"a line separator in the domain", "ada@example.com\u2028.evil.example"},
		{"a backtick", "ada`id`@example.com"},
		{"a local part beyond ASCII", "ädä@example.com"},
		{"a letter that only looks like one", "аda@example.com"}, // Cyrillic а
		{"a fullwidth @", "ada＠example.com"},
		{"a route of old", "@relay.example:ada@example.com"},
		{"a percent and a second @", "ada%evil.example@relay@example.com"},
		{"a dot in front", ".ada@example.com"},
		{"a dot at the end of the local part", "ada.@example.com"},
		{"two dots", "a..da@example.com"},
		{"a domain without a dot", "ada@localhost"},
		{"a trailing dot", "ada@example.com."},
		{"a trailing dot of another script", "ada@example.com。"},
		{"a leading dot in the domain", "ada@.example.com"},
		{"two dots in the domain", "ada@example..com"},
		{"a hyphen in front of a label", "ada@-example.com"},
		{"a hyphen behind a label", "ada@example-.com"},
		{"an underscore in the domain", "ada@ex_ample.com"},
		{"a port", "ada@example.com:25"},
		{"a path", "ada@example.com/eve"},
		{"an IP address", "ada@127.0.0.1"},
		{"an IP address in brackets", "ada@[127.0.0.1]"},
		{"an IPv6 address", "ada@[IPv6:::1]"},
		{"a number for a top-level domain", "ada@example.1"},
		{"fullwidth digits of an IP address", "ada@127.0.0.１"},
		{"Punycode that is none", "ada@xn--a.example"},
		{"Punycode of what needs none", "ada@xn--example-.com"},
		{"a character whose Punycode is no name", "ada@x\u2135x.example"},
		{"right to left mixed with left to right", "ada@aא.example"},
		{"an overriding direction", "ada@\u202emoc.example"},
		{"an invisible character in the local part", "a\u200bda@example.com"},
		{"an invisible character in the domain", "ada@exam\u00adple.com"},
		{"a direction that ends inside", "ada@\u2067example\u2069.com"},
		{"an encoded word", "=?utf-8?q?=65vil=40evil.example=3e=00?=foo@good.example"},
		{"an encoded word in Base64", "=?utf-8?b?ZXZpbEBldmlsLmV4YW1wbGU=?=@good.example"},
		{"an encoded word of no charset", "=?x?q?=41=42=43?=foo@good.example"},
		{"an encoded word behind others", "ada=?iso-8859-1?Q?=62?=@good.example"},
		{"bytes that are no text", "ada@ex\xffample.com"},
		{"a local part of 65", strings.Repeat("l", 65) + "@example.com"},
		{"a label of 64", "ada@d" + label + ".com"},
		{"255 characters", strings.Repeat("l", 64) + "@" + strings.Repeat("d", 60) + "." + label + "." + label + ".d"},
		{"254 characters that are more in ASCII", strings.Repeat("l", 64) + "@ü" + strings.Repeat("d", 55) + "." + label + "." + label + ".dd"},
		{"255 characters, most of which nobody sees", "ada@ex" + strings.Repeat("\u00ad", 121) + "mple.com"},
		{"a megabyte", strings.Repeat("a@", 1<<19)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := directory.ParseEmail(test.in)
			if err == nil {
				t.Fatalf("accepted as %+q", got)
			}
			if got != (directory.Email{}) {
				t.Errorf("returned %+q beside the error", got)
			}
			if want := "Enter one email address, like ada@example.com."; err.Error() != want {
				t.Errorf("says %q, want %q", err, want)
			}
		})
	}
}

// FuzzParseEmail looks at what must hold of every address that gets through.
func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{
		"ada@example.com", "Ada@BÜCHER.example", "a@b,c@d", `"x@y"@z.example`, "a@b.c\r\nd: e", "a@例え。テスト", "ada@127.0.0.1",
		"a@xn--bcher-kva.example", "\u00ada@\u200bb.\u00adc", "a@ß.ẞ", "a@B.İ", "K@K.example", "a@b.c.", "a@1.0x1",
		"a@x\u2135x.c", "a@\xf9.c", "=?utf-8?q?=41?=@b.c", "=?a@b.c", "\u200bada\u2060@example.com\u202c", "a@b.\u202ec", "a@葛\U000E0100.jp",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		email, err := directory.ParseEmail(s)
		if err != nil {
			return
		}
		for what, text := range map[string]string{"typed": email.Display, "key": email.Normalized} {
			if strings.Count(text, "@") != 1 || strings.ContainsAny(text, " \t\r\n\x00,;<>()\"\\:") || len(text) > directory.MaxEmail || !utf8.ValidString(text) {
				t.Errorf("%s is %q", what, text)
			}
		}
		for i := range len(email.Normalized) {
			if c := email.Normalized[i]; c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z' {
				t.Errorf("key %q is not lower-case ASCII", email.Normalized)
			}
		}
		if !strings.Contains(email.Domain(), ".") || strings.Trim(email.Domain(), ".-") != email.Domain() {
			t.Errorf("domain is %q", email.Domain())
		}
		again, err := directory.ParseEmail(email.Normalized)
		if err != nil || again.Normalized != email.Normalized {
			t.Errorf("key %q is read as %q, %v", email.Normalized, again.Normalized, err)
		}
		if mailbox, err := mail.ParseAddress(email.Normalized); err != nil || mailbox.Name != "" || mailbox.Address != email.Normalized {
			t.Errorf("package net/mail reads %q as %v, %v", email.Normalized, mailbox, err)
		}
		if boxes, err := mail.ParseAddressList(email.Normalized); err != nil || len(boxes) != 1 {
			t.Errorf("package net/mail reads %d mailboxes from %q, %v", len(boxes), email.Normalized, err)
		}
		if decoded, err := new(mime.WordDecoder).DecodeHeader(email.Normalized); err != nil || decoded != email.Normalized {
			t.Errorf("package mime decodes %q as %q, %v", email.Normalized, decoded, err)
		}
		if same, err := directory.ParseEmail(email.Display); err != nil || same != email {
			t.Errorf("what was typed, %q, is read as %q, %v", email.Display, same, err)
		}
	})
}

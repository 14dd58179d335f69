package stytchlocal_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/stytchlocal"
)

func TestMail_Texts(t *testing.T) {
	t.Parallel()
	const (
		invite, ask = "/v1/magic_links/email/invite", "/v1/magic_links/email/login_or_create"
		home        = "https://guestlist.example/people"
		ours        = home + "/api/authenticate_magic_link"
	)
	tests := []struct {
		name, path string
		body       object
		want       string // the text, with LINK for the link
	}{
		{"an invitation by somebody", invite, object{
			"email": "ada@example.com", "invite_magic_link_url": ours, "invite_expiration_minutes": 10080,
			"name": object{"first_name": "Ada"}, "trusted_metadata": object{"invited_by": "Grace\r\nHopper <b>"},
		}, `Hello Ada,

Grace Hopper <b> has invited you to Guestlist. Open this link to get started:

LINK

The link works once and expires in seven days. No password needed.

It works on any device. If you need a new link later, go to ` + home + ` and enter your email address, ada@example.com.

Not expecting this? You can ignore this email.
`},
		{"an invitation by nobody in particular", invite, object{
			"email": "ada@example.com", "invite_magic_link_url": ours, "trusted_metadata": object{"invited_by": 7},
		}, `Hello,

You’ve been invited to Guestlist. Open this link to get started:

LINK

The link works once and expires in one hour. No password needed.

It works on any device. If you need a new link later, go to ` + home + ` and enter your email address, ada@example.com.

Not expecting this? You can ignore this email.
`},
		{"a link that works anywhere", ask, object{
			"email": "ada@example.com", "signup_magic_link_url": ours, "signup_expiration_minutes": 10, "create_user_as_pending": true,
		}, `Hello,

Open this link to sign in to Guestlist:

LINK

The link works once and expires in ten minutes. No password needed.

It signs you in on the device where you open it. To sign in on another device, open this email there, or go to ` + home + ` there and request a new link.

Didn’t request this? You can ignore this email: no one can sign in without the link.
`},
		{"a link for one browser, of another app", ask, object{
			"email": "ada@example.com", "signup_magic_link_url": "http://localhost:3000/authenticate", "signup_expiration_minutes": 10,
			"create_user_as_pending": true, "code_challenge": strings.Repeat("a", 43),
		}, `Hello,

Open this link to sign in to Guestlist:

LINK

The link works once and expires in ten minutes. No password needed.

It only works in the browser where you requested it. To sign in anywhere else, go to http://localhost:3000 there and request a new link.

Didn’t request this? You can ignore this email: no one can sign in without the link.
`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t, func(o *stytchlocal.Options) { o.RedirectURLs = []string{ours} })
			f.ok("POST", test.path, test.body)
			m := f.mails()[0]
			if diff := cmp.Diff(test.want, strings.Replace(m.Text, m.Links[0], "LINK", 1)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
			// The HTML has the same text, and the link as a button and as an address.
			html := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m.HTML, "")), " ")
			for line := range strings.Lines(strings.ReplaceAll(m.Text, "<b>", "&lt;b&gt;")) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), "Open this link")
				if line = strings.TrimSpace(line); line != m.Links[0] && !strings.Contains(html, line) {
					t.Errorf("the HTML does not say %q:\n%s", line, html)
				}
			}
			escaped := strings.ReplaceAll(m.Links[0], "&", "&amp;")
			if n := strings.Count(m.HTML, `href="`+escaped+`"`); n != 2 || strings.Count(html, escaped) != 1 {
				t.Errorf("the link is there %d times, in letters %d", n, strings.Count(html, escaped))
			}
			// The HTML loads nothing and runs nothing.
			if bad := regexp.MustCompile(`(?i)<(img|script|link|form|iframe)\b|url\(|@import| on\w+=`).FindString(m.HTML); bad != "" {
				t.Errorf("the HTML has %s", bad)
			}
			if dir := os.Getenv("GUESTLIST_TEST_SCREENSHOTS"); dir != "" {
				file := filepath.Join(dir, "mail-"+strings.ReplaceAll(test.name, " ", "-")+".html")
				if err := os.WriteFile(file, []byte(m.HTML), 0o666); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestMail_InviterOfTheLatestInvitation(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	const path = "/v1/magic_links/email/invite"
	f.ok("POST", path, object{"email": "ada@example.com", "trusted_metadata": object{"invited_by": "Grace Hopper"}})
	f.ok("POST", path, object{"email": "ada@example.com"})
	if m := f.mails()[0]; !strings.Contains(m.Text, "You’ve been invited to Guestlist.") {
		t.Errorf("the second mail is by somebody:\n%s", m.Text)
	}
}

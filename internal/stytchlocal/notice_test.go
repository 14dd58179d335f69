package stytchlocal_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// tokenNotice returns a notice with malicious values.
func tokenNotice() mail.Notice {
	return mail.Notice{
		To: "ada@example.com", Name: "Ada www.evil.example", Title: "A new API token at %s", Lead: "An API token was made.",
		Facts: []mail.Fact{
			{Label: "Name", Value: "https://evil.example/x\r\n<script>"}, {Label: "From", Value: "2001:db8::1"}, {Label: "Also from", Value: "192.0.2.1"},
			{Label: "Zone", Value: "fe80::1%evil.example"}, {Label: "By", Value: "grace@example.com"}, {Label: "Nothing", Value: " "},
		},
		Advice: "Revoke it:", Link: "https://guestlist.example/profile", Reason: "You are told of each.",
	}
}

const tokenNoticeText = `Hello Ada www. evil. example,

An API token was made.

Name: https: //evil. example/x <script>
From: 2001:db8::1
Also from: 192.0.2.1
Zone: fe80: :1%evil. example
By: grace@example.com

Revoke it:

https://guestlist.example/profile

You are told of each.
`

func TestNotify_TextHasOnlyOwnLinks(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	if err := f.server.Notify(t.Context(), tokenNotice()); err != nil {
		t.Fatal(err)
	}
	m := f.mails()[0]
	if diff := cmp.Diff(tokenNoticeText, m.Text); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if m.To != "ada@example.com" || m.Subject != "A new API token at Guestlist" || len(m.Links) != 0 {
		t.Errorf("to %q, subject %q, links %q", m.To, m.Subject, m.Links)
	}
	if strings.Contains(m.HTML, "The link works") {
		t.Error("a notice is said to have a link that works")
	}
	if hrefs := regexp.MustCompile(`href="([^"]*)"`).FindAllString(m.HTML, -1); len(hrefs) != 1 || hrefs[0] != `href="https://guestlist.example/profile"` {
		t.Errorf("links in the HTML: %q", hrefs)
	}
	html := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m.HTML, "")), " ")
	for line := range strings.Lines(strings.ReplaceAll(m.Text, "<script>", "&lt;script&gt;")) {
		if line = strings.TrimSpace(line); !strings.Contains(html, line) {
			t.Errorf("the HTML does not say %q:\n%s", line, html)
		}
	}
	if bad := regexp.MustCompile(`(?i)<(img|script|form|iframe)\b|url\(|@import| on\w+=`).FindString(m.HTML); bad != "" {
		t.Errorf("the HTML has %s", bad)
	}
}

func TestNotify_DoesNotCount(t *testing.T) {
	t.Parallel()
	f := onSQLite(t, func(o *stytchlocal.Options) { o.Limits = true })
	for range 20 {
		if err := f.server.Notify(t.Context(), tokenNotice()); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"})
	}
}

// keeper is a sender that keeps the message.
type keeper struct{ mail *mail.Message }

func (k keeper) Send(_ context.Context, m mail.Message) error {
	*k.mail = m
	return nil
}

func TestNotifier_SameText(t *testing.T) {
	t.Parallel()
	var m mail.Message
	notices := mail.Notifier{Product: "Guestlist", Sender: keeper{&m}, Now: func() time.Time { return time.Unix(7, 0) }}
	if err := notices.Send(t.Context(), tokenNotice()); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(m.To, m.Subject, m.Date.Unix()) + m.Text
	if diff := cmp.Diff("ada@example.com A new API token at Guestlist 7\n"+tokenNoticeText, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

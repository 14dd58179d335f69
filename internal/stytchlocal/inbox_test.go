package stytchlocal_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

func (f *fixture) page(method, path string) (int, http.Header, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.raw(f.withKey(r))
}

func TestInbox_Page(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	_, _, empty := f.page("GET", "/dev/inbox")
	if !strings.Contains(empty, "No emails in the last 24 hours") || !strings.Contains(empty, "<title>Inbox</title>") || !strings.Contains(empty, ">Refresh</a>") {
		t.Errorf("the empty inbox is\n%s", empty)
	}
	f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com", "name": object{"first_name": "<script>alert(1)</script>"}})
	f.clock.advance(time.Minute)
	f.ok("POST", "/v1/magic_links/email/login_or_create", object{"email": "bob@example.com"})

	status, header, page := f.page("GET", "/dev/inbox")
	for _, want := range []string{
		"To ada@example.com,", "To bob@example.com,", "1 March 2026, 12:01:00 UTC", "You’re invited to Guestlist", `class="button primary" href="https://guestlist.example/people/v1/magic_links/redirect?`,
		">Open link</a>", "Hello &lt;script&gt;", `<link rel="stylesheet" href="/static/app.css">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "style=") || strings.Index(page, "bob@") > strings.Index(page, "ada@") {
		t.Errorf("the page has a script, a style, or the wrong order:\n%s", page)
	}
	csp := header.Get("Content-Security-Policy")
	if status != 200 || !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'") || header.Get("X-Content-Type-Options") != "nosniff" ||
		header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d, headers %v", status, header)
	}
	for path, want := range map[string]int{"/dev/inbox/": 404, "/dev/other": 404} {
		if status, _, _ := f.page("GET", path); status != want {
			t.Errorf("GET %s responds with %d", path, status)
		}
	}
	if status, _, _ := f.page("POST", "/dev/inbox"); status != 405 {
		t.Errorf("POST responds with %d", status)
	}
}

func TestInbox_JSON(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	if _, _, empty := f.page("GET", "/dev/inbox.json"); strings.TrimSpace(empty) != `{"messages":[]}` {
		t.Errorf("the empty inbox is %s", empty)
	}
	f.link("ada@example.com", nil)
	_, header, text := f.page("GET", "/dev/inbox.json")
	if got := header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type is %s", got)
	}
	m := f.mails()[0]
	if diff := cmp.Diff(inboxMail{
		ID: m.ID, To: "ada@example.com", Subject: "Sign in to Guestlist", Text: m.Text, HTML: m.HTML, SentAt: f.clock.now(), Links: m.Links,
	}, m); diff != "" || len(m.Links) != 1 || !strings.Contains(m.Text, m.Links[0]) || !strings.HasPrefix(m.HTML, "<!doctype html>") {
		t.Errorf("message %+v: %s", m, diff)
	}
	for _, field := range []string{`"id":`, `"to":`, `"subject":`, `"sent_at":`, `"text":`, `"html":`, `"links":`, `"code":""`} {
		if !strings.Contains(text, field) {
			t.Errorf("no %s in %s", field, text)
		}
	}
}

func TestInbox_KeepsTheNewest(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for i := range 205 {
			f.ok("POST", "/v1/magic_links/email/login_or_create", object{"email": fmt.Sprintf("u%d@example.com", i)})
		}
		all := f.mails()
		if len(all) != 200 || all[0].To != "u204@example.com" || all[199].To != "u5@example.com" {
			t.Errorf("%d mails from %s to %s", len(all), all[0].To, all[len(all)-1].To)
		}
		if n := f.count("stytch_mails"); n != 200 {
			t.Errorf("%d mails are stored", n)
		}
		f.clock.advance(24*time.Hour - time.Microsecond)
		if n := len(f.mails()); n != 200 {
			t.Errorf("%d mails just before their day is over", n)
		}
		f.clock.advance(time.Microsecond)
		if n := len(f.mails()); n != 0 {
			t.Errorf("%d mails are shown after a day", n)
		}
		f.link("ada@example.com", nil)
		if n := f.count("stytch_mails"); n != 1 {
			t.Errorf("%d mails are stored after a day", n)
		}
	})
}

func TestInbox_Disabled(t *testing.T) {
	t.Parallel()
	var sent []mail.Message
	f := onSQLite(t, func(o *stytchlocal.Options) {
		o.Inbox = false
		o.Mailer = mailerFunc(func(_ context.Context, m mail.Message) error { sent = append(sent, m); return nil })
	})
	f.ok("POST", "/v1/magic_links/email/login_or_create", object{"email": "ada@example.com"})
	if n := f.count("stytch_mails"); n != 0 || len(sent) != 1 {
		t.Errorf("%d mails are stored, %d sent", n, len(sent))
	}
}

// count returns how many rows a table has.
func (f *fixture) count(table string) int {
	f.t.Helper()
	var n int
	if err := f.store.Reader().QueryRowContext(f.t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

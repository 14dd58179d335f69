package stytchlocal_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

func TestLimits_TenInvitationsAnHour(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.ok("POST", "/v1/magic_links/email/invite", object{"email": "Ada@example.com"})
		f.clock.advance(20 * time.Minute)
		for range 9 { // however the address is written
			f.ok("POST", "/v1/magic_links/email/invite", object{"email": " ADA@example.com"})
		}
		f.refused("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"}, 429, "too_many_requests")
		r, _ := http.NewRequestWithContext(t.Context(), "POST", f.url+"/v1/magic_links/email/invite", strings.NewReader(`{"email":"ada@example.com"}`))
		r.SetBasicAuth(f.server.Credentials().ProjectID, f.server.Credentials().Secret)
		if _, header, _ := f.raw(r); header.Get("Retry-After") != "2400" {
			t.Errorf("Retry-After is %q", header.Get("Retry-After"))
		}
		if n := len(f.mails()); n != 10 {
			t.Errorf("%d mails were sent", n)
		}
		f.ok("POST", "/v1/magic_links/email/invite", object{"email": "bob@example.com"})

		f.clock.advance(40 * time.Minute)
		f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"})
	})
}

// Sign-in links are limited by the program, which knows the requesting person.
func TestLimits_LinksDoNotCount(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for range 15 {
			f.ok("POST", "/v1/magic_links/email/login_or_create", object{"email": "ada@example.com", "create_user_as_pending": true})
			f.ok("POST", "/v1/magic_links/email/send", object{"email": "ada@example.com"})
		}
		for range 10 {
			f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"})
		}
		f.refused("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"}, 429, "too_many_requests")
		f.ok("POST", "/v1/magic_links/email/send", object{"email": "ada@example.com"})
	})
}

func TestLimits_Concurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		var all sync.WaitGroup
		for range 25 {
			all.Go(func() {
				if status, answer := f.call("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"}); status != 200 && status != 429 {
					t.Error(answer)
				}
			})
		}
		all.Wait()
		if n := len(f.mails()); n != 10 {
			t.Errorf("%d mails were sent", n)
		}
	})
}

func TestLimits_Disabled(t *testing.T) {
	t.Parallel()
	f := onSQLite(t, func(o *stytchlocal.Options) { o.Limits = false })
	for range 12 {
		f.clock.advance(time.Second)
		f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"})
	}
}

func TestLimits_UnsentInvitationDoesNotCount(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		var sent []mail.Message
		var fail error = &mail.Error{Sentence: "The mail server asks to try again later (451)."}
		f.server = f.newServer(func(o *stytchlocal.Options) {
			o.Log = discard
			o.Mailer = mailerFunc(func(_ context.Context, m mail.Message) error {
				sent = append(sent, m)
				return fail
			})
		})
		api := &http.Client{Transport: f.server.Transport()}
		invite := func() int {
			r, _ := http.NewRequestWithContext(t.Context(), "POST", "https://stytch.invalid/v1/magic_links/email/invite", strings.NewReader(`{"email":"ada@example.com"}`))
			r.SetBasicAuth(f.server.Credentials().ProjectID, f.server.Credentials().Secret)
			resp, err := api.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode
		}
		for range 15 {
			if status := invite(); status != 503 {
				t.Fatalf("a mail that was not taken responds with %d", status)
			}
		}
		fail = nil
		for range 10 {
			if status := invite(); status != 200 {
				t.Fatalf("a mail responds with %d", status)
			}
		}
		if status := invite(); status != 429 {
			t.Errorf("the eleventh mail responds with %d", status)
		}
		first := sent[0]
		if len(sent) != 25 || first.To != "ada@example.com" || first.Subject != "You’re invited to Guestlist" || !first.Date.Equal(f.clock.now()) ||
			!strings.Contains(first.Text, "/v1/magic_links/redirect?") || !strings.Contains(first.HTML, "/v1/magic_links/redirect?") {
			t.Errorf("%d mails, the first is %+v", len(sent), first)
		}
	})
}

// A mail server that never confirms must not receive an email for each retry.
func TestLimits_UnconfirmedInvitationCounts(t *testing.T) {
	t.Parallel()
	sent := 0
	f := onSQLite(t, func(o *stytchlocal.Options) {
		o.Log = discard
		o.Mailer = mailerFunc(func(context.Context, mail.Message) error {
			sent++
			return &mail.Error{Sentence: "It may have arrived.", Refusal: mail.Unconfirmed}
		})
	})
	for range 10 {
		f.refused("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"}, 503, "mail_not_confirmed")
	}
	f.refused("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"}, 429, "too_many_requests")
	if sent != 10 {
		t.Errorf("%d mails were sent", sent)
	}
}

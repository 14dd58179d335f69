package stytchlocal_test

import (
	"context"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// A decoy writes as many rows as a link, and all of them expire.
func TestDecoy_WritesLikeALinkAndSendsNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		mails := 0
		f.server = f.newServer(func(o *stytchlocal.Options) {
			o.Inbox = false // as where mails leave by SMTP
			o.Mailer = mailerFunc(func(context.Context, mail.Message) error { mails++; return nil })
		})
		f.ok("POST", "/v1/magic_links/email/login_or_create", object{"email": "ada@example.com"})
		tables := []string{"stytch_users", "stytch_emails", "stytch_links", "stytch_sessions", "stytch_limits"}
		rowsAdded := func(do func()) map[string]int {
			before := map[string]int{}
			for _, table := range tables {
				before[table] = f.count(table)
			}
			do()
			for _, table := range tables {
				before[table] = f.count(table) - before[table]
			}
			return before
		}
		sent := rowsAdded(func() { f.ok("POST", "/v1/magic_links/email/send", object{"email": "ada@example.com"}) })
		for _, address := range []string{"nobody@example.com", "ada@example.com"} { // the second is suspended, say
			decoy := rowsAdded(func() {
				if err := f.server.Decoy(t.Context(), address); err != nil {
					t.Fatal(err)
				}
			})
			for _, table := range tables {
				if sent[table] != decoy[table] {
					t.Errorf("%s: a link makes %d rows in %s, a decoy %d", address, sent[table], table, decoy[table])
				}
			}
		}
		if mails != 0 {
			t.Errorf("%d mails were sent", mails)
		}

		// The next purge deletes the decoys and keeps the links.
		f.clock.advance(2 * time.Hour)
		f.ok("GET", "/v1/debug/whoami", nil)
		if n := f.count("stytch_links"); n != 2 {
			t.Errorf("%d links are left, want the two that were sent", n)
		}
	})
}

// A decoy of a passcode writes as many rows as the first code of an address, and leaves
// the address's code alone.
func TestDecoyCode_WritesLikeACodeAndSendsNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada := f.signIn("ada@example.com")
		mails, codes := len(f.mails()), f.count("stytch_codes")
		f.ok("POST", "/v1/otps/email/send", object{"email": "ada@example.com"})
		if n := f.count("stytch_codes") - codes; n != 1 {
			t.Fatalf("a code makes %d rows", n)
		}
		tables := []string{"stytch_users", "stytch_emails", "stytch_links", "stytch_sessions", "stytch_limits", "stytch_totps"}
		before := map[string]int{}
		for _, table := range tables {
			before[table] = f.count(table)
		}
		for i, address := range []string{"nobody@example.com", "ada@example.com"} { // the second is suspended, say
			methodID, err := f.server.DecoyCode(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			for try := range 6 {
				body := object{"method_id": methodID, "code": "123456"}
				if try < 5 {
					f.refused("POST", "/v1/otps/authenticate", body, 404, "otp_code_not_found")
				} else {
					f.refused("POST", "/v1/otps/authenticate", body, 401, "unable_to_auth_otp_code")
				}
			}
			if n := f.count("stytch_codes") - codes; n != i+2 {
				t.Errorf("%s: %d rows of codes, want %d", address, n, i+2)
			}
		}
		for _, table := range tables {
			if n := f.count(table); n != before[table] {
				t.Errorf("decoys change the rows of %s from %d to %d", table, before[table], n)
			}
		}
		if n := len(f.mails()) - mails; n != 1 {
			t.Errorf("%d mails were sent, want the code's", n)
		}
		f.ok("POST", "/v1/otps/authenticate", object{"method_id": ada["method_id"], "code": f.mailedCode("ada@example.com")})

		f.clock.advance(2 * time.Hour)
		f.ok("GET", "/v1/debug/whoami", nil)
		if n := f.count("stytch_codes"); n != 0 {
			t.Errorf("%d codes are left", n)
		}
	})
}

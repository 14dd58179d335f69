package session_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestDiagnose_Provider(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		locked time.Time
		err    error
		code   string
		blocks bool
	}{
		{"it has no such account", time.Time{}, session.ErrNoAccount, session.FoundStytchUnknown, false},
		{"it is out of reach", time.Time{}, session.ErrUnavailable, session.FoundStytchDown, true},
		{"it has locked it", noon.Add(time.Minute), nil, session.FoundStytchLocked, true},
		{"it had locked it", noon, nil, session.FoundNothing, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			f := open(t, testdb.SQLite(t), c, c.now)
			ada := f.put("ada@example.com", directory.Member, directory.Active)
			f.stytch.lockedUntil, f.stytch.accountErr = row.locked, row.err
			found, findings, err := f.Diagnose(t.Context(), ada.Email)
			if err != nil || found.ID != ada.ID {
				t.Fatal(found, err)
			}
			i := slices.IndexFunc(findings, func(f session.Finding) bool { return f.Code == row.code })
			if i < 0 || findings[i].Blocks != row.blocks || strings.Contains(findings[i].Text, "%!") {
				t.Errorf("%+v", findings)
			}
		})
	}
}

func TestDiagnose_NotListed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		admission directory.AdmissionPolicy
		listed    string // who is put on the list, as an administrator
		removed   string // who is put on it and removed
		about     string
		code      string
		blocks    bool
		text      string
	}{
		{"an empty list", directory.AdmissionPolicy{}, "", "", "eve@example.com", session.FoundNotListed, true, "This address is not on the list."},
		{"an empty list that waits for its first administrator", directory.AdmissionPolicy{FirstAdmin: true}, "", "", "eve@example.com", session.FoundMayJoin, false, "not on the list. There is no administrator yet"},
		{"an administrator is there", directory.AdmissionPolicy{FirstAdmin: true}, "boss@example.com", "", "eve@example.com", session.FoundNotListed, true, "This address is not on the list."},
		{"an open list", directory.AdmissionPolicy{Open: true}, "boss@example.com", "", "eve@example.com", session.FoundMayJoin, false, "GUESTLIST_ACCESS lets it join"},
		{"removed, where only invited people come in", directory.AdmissionPolicy{}, "boss@example.com", "eve@example.com", "eve@example.com", session.FoundNotListed, true, "it was removed on 1 March 2026"},
		{"removed, where anyone may join", directory.AdmissionPolicy{Open: true}, "boss@example.com", "eve@example.com", "eve@example.com", session.FoundNotListed, true, "it was removed on 1 March 2026"},
		{"another address of a removed mailbox", directory.AdmissionPolicy{Open: true}, "boss@example.com", "eve@example.com", "eve+2@example.com", session.FoundNotListed, true, "another address of the same mailbox, was removed on 1 March 2026"},
		{"another address of a listed mailbox", directory.AdmissionPolicy{Domains: []string{"example.com"}}, "boss@example.com", "", "boss+2@example.com", session.FoundNotListed, true, "boss@example.com is, which is the same mailbox"},
		{"an address that sends on", directory.AdmissionPolicy{Domains: []string{"example.com"}}, "boss@example.com", "", "a%evil.example@example.com", session.FoundNotListed, true, "can't join by itself"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t, func(o *session.Options) { o.Admission = row.admission })
			if row.listed != "" {
				f.put(row.listed, directory.Admin, directory.Active)
			}
			if row.removed != "" {
				f.remove(f.put(row.removed, directory.Member, directory.Active))
			}
			found, findings, err := f.Diagnose(t.Context(), mustParse(t, row.about))
			if err != nil || found != nil || len(findings) != 1 {
				t.Fatal(found, findings, err)
			}
			if got := findings[0]; got.Code != row.code || got.Blocks != row.blocks || !strings.Contains(got.Text, row.text) {
				t.Errorf("got %+v, want %s, %t, %q", got, row.code, row.blocks, row.text)
			}
		})
	}
}

func TestDiagnose_Codes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		after func(f *fixture, flow session.SignInFlow)
		codes []string
		text  string // of the last finding
	}{
		{"it works", func(*fixture, session.SignInFlow) {}, []string{session.FoundCodeMailed}, "It works until 1 March 2026, 12:10 UTC, in the browser that requested it."},
		{"it has expired", func(f *fixture, _ session.SignInFlow) { f.clock.advance(session.CodeDuration) }, []string{session.FoundCodeExpired}, "wasn't used and expired on 1 March 2026, 12:10 UTC."},
		{"a wrong one was entered", func(f *fixture, flow session.SignInFlow) {
			f.useCode(flow, "000000", newBrowser)
		}, []string{session.FoundCodeMailed, session.FoundCodeWrong}, "On 1 March 2026, 12:00 UTC a wrong code was entered for this address."},
		{"too many were entered", func(f *fixture, flow session.SignInFlow) {
			for range 5 {
				f.useCode(flow, "000000", newBrowser)
			}
		}, []string{session.FoundTooManyCodes, session.FoundCodeMailed, session.FoundCodeSpent}, "a code was entered that no longer works"},
		{"their access has changed", func(f *fixture, _ session.SignInFlow) {
			f.clock.advance(time.Second)
			f.edit("id-of-ada@example.com", "suspended")
			f.edit("id-of-ada@example.com", "active")
		}, []string{session.FoundLinkOld}, "which revokes earlier codes."},
		{"it was entered after their access has changed", func(f *fixture, flow session.SignInFlow) {
			f.clock.advance(time.Second)
			f.edit("id-of-ada@example.com", "suspended")
			f.edit("id-of-ada@example.com", "active")
			f.useCode(flow, right, newBrowser)
		}, []string{session.FoundLinkOld, session.FoundLinkOld}, "which revokes earlier codes."},
		{"it couldn't be sent", func(f *fixture, _ session.SignInFlow) {
			f.clock.advance(time.Second)
			f.stytch.sendCode = func(session.Code) (string, error) { return "", session.ErrTooMany }
			f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
		}, []string{session.FoundCodeFailed}, "couldn't be sent."},
		{"they signed in", func(f *fixture, flow session.SignInFlow) {
			f.clock.advance(time.Second)
			f.useCode(flow, right, newBrowser)
		}, []string{session.FoundSignedIn}, "Signed in on 1 browser."},
		{"a link was requested later", func(f *fixture, flow session.SignInFlow) {
			f.clock.advance(time.Second)
			f.RequestLink(f.t.Context(), mustParse(f.t, "ada@example.com"), flow, newBrowser)
		}, []string{session.FoundLinkMailed}, "The link they requested on"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := withCode(onSQLite(t, func(o *session.Options) { o.Limits, o.LinkDuration = true, 10*time.Minute }))
			ada := f.put("ada@example.com", directory.Member, directory.Active)
			row.after(f, f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser))
			_, findings, err := f.Diagnose(t.Context(), ada.Email)
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, finding := range findings {
				codes = append(codes, finding.Code)
			}
			if !slices.Equal(codes, row.codes) || !strings.Contains(findings[len(findings)-1].Text, row.text) {
				t.Errorf("got %+v, want %v, the last with %q", findings, row.codes, row.text)
			}
		})
	}
}

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

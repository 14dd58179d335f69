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

func TestWhyByWhatStytchSays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		locked time.Time
		err    error
		code   string
		blocks bool
	}{
		{"it has no such account", time.Time{}, session.ErrNoAccount, session.WhyStytchUnknown, false},
		{"it is out of reach", time.Time{}, session.ErrUnavailable, session.WhyStytchDown, true},
		{"it has locked it", noon.Add(time.Minute), nil, session.WhyStytchLocked, true},
		{"it had locked it", noon, nil, session.WhyNothing, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			f := open(t, testdb.SQLite(t), c, c.now)
			ada := f.put("ada@example.com", directory.Member, directory.Active)
			f.stytch.lockedUntil, f.stytch.accountErr = row.locked, row.err
			found, findings, err := f.Why(t.Context(), ada.Email)
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

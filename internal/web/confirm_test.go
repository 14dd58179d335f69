package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/ids"
)

// stale is signedIn with a session whose factor was proven too long ago for dangerous actions.
func (f *fixture) stale(role directory.Role, address string) *caller {
	f.t.Helper()
	c := f.signedIn(role, address)
	f.setSession(c, factor.Proofs("").With(factor.EmailLink, f.clock.now().Add(-factor.FreshFor)), false)
	return c
}

// halfSignedIn is signedIn with a session that lacks its second factor, a code of the authenticator
// app that its user has set up.
func (f *fixture) halfSignedIn(role directory.Role, address string) *caller {
	f.t.Helper()
	c := f.signedIn(role, address)
	f.setSession(c, factor.Proofs("").With(factor.EmailLink, f.clock.now()), true)
	f.addFactor(c, factor.TOTP)
	return c
}

// setSession changes the factors of a caller's session.
func (f *fixture) setSession(c *caller, proofs factor.Proofs, needsSecond bool) {
	f.t.Helper()
	number := "0"
	if needsSecond {
		number = "1"
	}
	f.exec("UPDATE sessions SET factors = '" + string(proofs) + "', second_factor = " + number + " WHERE user_id = '" + c.user.ID + "'")
}

// addFactor adds a factor of a caller to the database.
func (f *fixture) addFactor(c *caller, kind factor.Kind) {
	f.t.Helper()
	sessions, err := f.store.ListSessions(f.t.Context(), c.user.ID)
	if err != nil || len(sessions) == 0 {
		f.t.Fatal(sessions, err)
	}
	now := f.clock.now()
	proofs := sessions[0].Proofs
	if err := f.store.AddFactor(f.t.Context(), factor.Addition{
		Factor:      factor.Factor{ID: ids.New(), UserID: c.user.ID, Kind: kind, ProviderID: string(kind) + "-" + c.user.ID, Name: "Mine", CodesLeft: 10, CreatedAt: now},
		SessionHash: sessions[0].TokenHash, Event: event.New(event.FactorAdded, now, c.user.ID, c.user.Email.Normalized, ""),
	}, func([]factor.Factor) error { return nil }); err != nil {
		f.t.Fatal(err)
	}
	f.setSession(c, proofs, sessions[0].HasSecondFactor)
}

func TestConfirm_CarriesTheActionOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.stale(directory.Admin, "boss@example.com")
	before := f.rows()
	refused := boss.form("/apps/new", "name", "Wiki", "url", "https://wiki.example.com", "audience", "everyone", "public_paths", "/a\n/b")
	if refused.status != http.StatusSeeOther || refused.header.Get("Location") != "/confirm" || f.rows() != before {
		t.Fatalf("%d, leads to %q", refused.status, refused.header.Get("Location"))
	}
	if page := boss.get("/confirm"); page.status != 200 || page.Heading() != "Confirm it’s you" {
		t.Errorf("the page: %d %s", page.status, page.Text())
	}
	if again := boss.get("/confirm/continue"); again.header.Get("Location") == "" {
		t.Errorf("without a fresh factor: %d %s", again.status, again.Text())
	}
	f.setSession(boss, factor.Proofs("").With(factor.EmailCode, f.clock.now()), false)
	if a := boss.get("/confirm"); a.header.Get("Location") != "/confirm/continue" {
		t.Errorf("once confirmed: %d %q", a.status, a.header.Get("Location"))
	}
	_ = time.Now
}

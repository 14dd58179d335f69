package reconcile_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/testdb"
)

// runAll runs a comparison and returns the reported differences, sorted: "kind address",
// with a suffix if it was repaired.
func (f *fixture) runAll(apply bool) ([]string, reconcile.Counts) {
	f.t.Helper()
	var lines []string
	counts, err := f.Run(f.t.Context(), event.Origin{}, apply, func(d reconcile.Difference, repaired bool) {
		line := string(d.Kind) + " " + d.Address()
		if repaired {
			line += ", mended"
		}
		lines = append(lines, line)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Sort(lines)
	return lines, counts
}

// wantRun runs a comparison and checks the reported differences.
func (f *fixture) wantRun(apply bool, want ...string) {
	f.t.Helper()
	got, counts := f.runAll(apply)
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("apply %t: -want +got\n%s", apply, diff)
	}
	if counts.Differences() != len(want) {
		f.t.Errorf("apply %t: counted %s, want %d", apply, counts, len(want))
	}
}

func TestRun_NoDifferences(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		u, token := f.signIn("Ada.K@Example.com")
		f.invite("bob@example.com")
		must(f.directory.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "never.asked@example.com"}))(t)
		suspended := string(directory.Suspended)
		must(f.directory.Edit(t.Context(), directory.Actor{}, f.invite("eve@example.com").ID, directory.Edit{Status: &suspended}))(t)
		for _, apply := range []bool{false, true} {
			f.wantRun(apply)
		}
		if diff := cmp.Diff(u, f.reload(u)); diff != "" || !f.isSignedIn(token) {
			t.Errorf("ada was changed, or signed out: -want +got\n%s", diff)
		}
		if events := f.events(); len(events) > 0 {
			t.Errorf("recorded %q", events)
		}
	})
}

func TestRun_AccountDeleted(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, token := f.signIn("ada@example.com")
		bob := f.invite("bob@example.com")
		f.invite("eve@example.com")
		f.deleteAccount(ada)
		f.deleteAccount(bob)

		f.wantRun(false, "missing ada@example.com", "missing bob@example.com")
		if got := f.reload(ada); got != ada || !f.isSignedIn(token) || len(f.events()) > 0 {
			t.Errorf("a run without apply changed something: %+v, %q", got, f.events())
		}

		f.clock.advance(time.Minute)
		f.wantRun(true, "missing ada@example.com, mended", "missing bob@example.com, mended")
		want := ada
		want.StytchUserID, want.UpdatedAt = "", f.clock.now()
		if diff := cmp.Diff(want, f.reload(ada)); diff != "" {
			t.Errorf("ada: -want +got\n%s", diff)
		}
		want = bob // never signed in, so the invitation has to be sent again
		want.StytchUserID, want.InviteSentAt, want.UpdatedAt = "", time.Time{}, f.clock.now()
		if diff := cmp.Diff(want, f.reload(bob)); diff != "" {
			t.Errorf("bob: -want +got\n%s", diff)
		}
		if f.isSignedIn(token) {
			t.Error("ada is still signed in")
		}
		if diff := cmp.Diff([]string{"ada@example.com: account gone at Stytch", "bob@example.com: account gone at Stytch"}, slices.Sorted(slices.Values(f.events()))); diff != "" {
			t.Errorf("events: -want +got\n%s", diff)
		}
		f.drainOutbox("ada@example.com")
		f.wantRun(true)

		// The next link that ada requests creates an account and signs her in.
		email := must(directory.ParseEmail("ada@example.com"))(t)
		if _, err := f.sessions.RequestLink(t.Context(), email, session.SignInFlow{}, session.Browser{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool {
			f.worker.Deliver(t.Context(), "ada@example.com")
			return f.reload(ada).StytchUserID != ""
		})
		_, again, err := f.sessions.SignIn(t.Context(), session.Credentials{Token: f.mailedToken("ada@example.com")}, session.Browser{})
		if err != nil || !f.isSignedIn(again) {
			t.Errorf("ada can't sign in again: %v", err)
		}
		f.wantRun(true)
	})
}

func TestRun_AddressChanged(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, token := f.signIn("ada@example.com")
		// Sign her in to another program too.
		if err := f.client.SendMagicLink(t.Context(), session.Link{Email: "ada@example.com"}); err != nil {
			t.Fatal(err)
		}
		elsewhere := must(f.client.AuthenticateMagicLink(t.Context(), f.mailedToken("ada@example.com"), "", session.Browser{}))(t)
		f.deleteAddresses(ada)

		f.wantRun(false, "changed ada@example.com")
		if !f.isSignedIn(token) || !f.isValidAtStytch(elsewhere.SessionToken) {
			t.Error("a run without apply ended a session")
		}
		f.wantRun(true, "changed ada@example.com, mended")
		if f.reload(ada).StytchUserID != "" || f.isSignedIn(token) {
			t.Errorf("the account is still linked: %+v", f.reload(ada))
		}
		f.drainOutbox("ada@example.com")
		if f.isValidAtStytch(token) || f.isValidAtStytch(elsewhere.SessionToken) {
			t.Error("a session is still active at Stytch")
		}
		if diff := cmp.Diff([]string{"ada@example.com: account at Stytch has another address"}, f.events()); diff != "" {
			t.Errorf("events: -want +got\n%s", diff)
		}
		f.wantRun(true, "stranger "+ada.StytchUserID+", mended") // the account no longer belongs to a user
		if n := len(f.events()); n != 1 {
			t.Errorf("an unlisted account without sessions was recorded: %q", f.events())
		}
	})
}

func TestRun_UnlistedAccount(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		_, ada := f.signIn("ada@example.com")
		auth := f.signInElsewhere("stranger@example.com")
		f.signInElsewhere("other@example.com")

		f.wantRun(false, "stranger other@example.com", "stranger stranger@example.com")
		if !f.isValidAtStytch(auth.SessionToken) || len(f.events()) > 0 {
			t.Error("a run without apply ended a session or recorded an event")
		}
		f.wantRun(true, "stranger other@example.com, mended", "stranger stranger@example.com, mended")
		if f.isValidAtStytch(auth.SessionToken) {
			t.Error("the unlisted account's session is still active")
		}
		if !f.isSignedIn(ada) || !f.isValidAtStytch(ada) {
			t.Error("ada was signed out too")
		}
		if account := must(f.client.GetAccount(t.Context(), auth.StytchUserID))(t); account.ID != auth.StytchUserID {
			t.Errorf("the account was deleted: %+v", account)
		}
		want := []string{"other@example.com: at Stytch, not on the list", "stranger@example.com: at Stytch, not on the list"}
		for range 2 { // the second run has nothing to end and records nothing
			if diff := cmp.Diff(want, slices.Sorted(slices.Values(f.events()))); diff != "" {
				t.Errorf("events: -want +got\n%s", diff)
			}
			f.runAll(true)
		}
	})
}

func TestRun_AccountThatCouldJoin(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		admission directory.AdmissionPolicy
		want      []string
	}{
		{"by invitation only", directory.AdmissionPolicy{}, []string{"stranger bo@example.com", "stranger bo@example.org"}},
		{"anyone with a domain's address may join", directory.AdmissionPolicy{Domains: []string{"example.org"}}, []string{"stranger bo@example.com"}},
		{"anyone may join", directory.AdmissionPolicy{Open: true}, nil},
		{"the first to sign in becomes administrator", directory.AdmissionPolicy{FirstAdmin: true}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, testdb.SQLite(t), row.admission)
			f.signInElsewhere("bo@example.com")
			f.signInElsewhere("bo@example.org")
			f.wantRun(false, row.want...)
		})
	}
}

func TestRun_RemovedAddressIsUnlisted(t *testing.T) {
	t.Parallel()
	for mode, admission := range map[string]directory.AdmissionPolicy{"open": {Open: true}, "domain": {Domains: []string{"example.com"}}} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			f := open(t, testdb.SQLite(t), admission)
			f.invite("boss@example.com")
			must(f.directory.Remove(t.Context(), directory.Actor{}, f.invite("bo@example.com").ID))(t)
			f.drainOutbox("bo@example.com")
			f.signInElsewhere("bo@example.com")
			f.signInElsewhere("bo+2@example.com")
			f.wantRun(false, "stranger bo+2@example.com", "stranger bo@example.com")
		})
	}
}

func TestRun_RemovalPending(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, _ := f.signIn("ada@example.com")
		must(f.directory.Remove(t.Context(), directory.Actor{}, ada.ID))(t)
		f.wantRun(true) // the outbox will delete the account
		f.drainOutbox("ada@example.com")
		f.wantRun(true)
		if events := f.events(); len(events) > 0 {
			t.Errorf("recorded %q", events)
		}
	})
}

func TestRun_ChangedBeforeRepair(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, token := f.signIn("ada@example.com")
		f.deleteAccount(ada)
		auth := f.signInElsewhere("new@example.com")
		name := "Ada King"
		f.network.before = func(r *http.Request) error {
			switch { // the last call before each repair
			case r.Method == "GET" && strings.HasSuffix(r.URL.Path, "/users/"+ada.StytchUserID):
				f.clock.advance(time.Second)
				must(f.directory.Edit(t.Context(), directory.Actor{}, ada.ID, directory.Edit{Name: &name}))(t)
			case r.Method == "GET" && r.URL.Path == "/v1/sessions":
				must(f.directory.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "new@example.com"}))(t)
			}
			return nil
		}
		f.wantRun(true, "missing ada@example.com", "stranger new@example.com")
		f.network.before = nil
		if f.reload(ada).StytchUserID == "" || f.reload(ada).Name != name || !f.isSignedIn(token) {
			t.Errorf("ada was changed: %+v", f.reload(ada))
		}
		if !f.isValidAtStytch(auth.SessionToken) || len(f.events()) > 0 {
			t.Errorf("a user who was just added was signed out; recorded %q", f.events())
		}
		f.wantRun(true, "missing ada@example.com, mended")
	})
}

// Stytch's search lags behind, so accounts that it doesn't find are requested by id.
func TestRun_OutdatedSearchResults(t *testing.T) {
	t.Parallel()
	f := open(t, testdb.SQLite(t), directory.AdmissionPolicy{})
	_, token := f.signIn("ada@example.com")
	r := f.withAccounts(emptySearch{f.client})
	counts, err := r.Run(t.Context(), event.Origin{}, true, func(d reconcile.Difference, _ bool) { t.Errorf("reported %+v", d) })
	if err != nil || counts.Differences() > 0 || !f.isSignedIn(token) {
		t.Errorf("%+v, %v", counts, err)
	}
}

func TestRun_ReadsAllPages(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		var want []string
		for i := range 7 {
			u := f.invite(fmt.Sprintf("person%d@example.com", i))
			if i%3 == 0 {
				f.deleteAccount(u)
				want = append(want, "missing "+u.Email.Normalized)
			}
		}
		for i := range 5 {
			f.signInElsewhere(fmt.Sprintf("stranger%d@example.com", i))
			want = append(want, fmt.Sprintf("stranger stranger%d@example.com", i))
		}
		for _, size := range []int{1, 2, 3, reconcile.MaxPage} {
			f.reconfigure(func(o *reconcile.Options) { o.PageSize = size })
			got, counts := f.runAll(false)
			if diff := cmp.Diff(want, got); diff != "" || counts.Users != 7 || counts.Accounts != 9 {
				t.Errorf("pages of %d: %+v: -want +got\n%s", size, counts, diff)
			}
		}
	})
}

func TestRun_DatabaseUnavailable(t *testing.T) {
	t.Parallel()
	f := open(t, testdb.SQLite(t), directory.AdmissionPolicy{})
	f.invite("ada@example.com")
	r := f.withAccounts(&scripted{list: func(int) (string, error) { return "", nil }})
	f.db.Close()
	_, err := r.Run(t.Context(), event.Origin{}, true, func(reconcile.Difference, bool) {})
	if !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

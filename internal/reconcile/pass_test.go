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

// pass makes a pass and returns what it told: "kind address", with a mark where
// it was mended.
func (f *fixture) pass(apply bool) ([]string, reconcile.Counts) {
	f.t.Helper()
	var told []string
	counts, err := f.Run(f.t.Context(), event.Origin{}, apply, func(d reconcile.Difference, mended bool) {
		line := string(d.Kind) + " " + d.Address()
		if mended {
			line += ", mended"
		}
		told = append(told, line)
	})
	if err != nil {
		f.t.Fatal(err)
	}
	slices.Sort(told)
	return told, counts
}

// wantPass checks what a pass tells.
func (f *fixture) wantPass(apply bool, want ...string) {
	f.t.Helper()
	got, counts := f.pass(apply)
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("apply %t: -want +got\n%s", apply, diff)
	}
	if counts.Differences() != len(want) {
		f.t.Errorf("apply %t: counted %s, want %d", apply, counts, len(want))
	}
}

func TestTwoSidesThatAgreeAreLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		u, token := f.signedIn("Ada.K@Example.com")
		f.invited("bob@example.com")
		must(f.people.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "never.asked@example.com"}))(t)
		suspended := string(directory.Suspended)
		must(f.people.Edit(t.Context(), directory.Actor{}, f.invited("eve@example.com").ID, directory.Edit{Status: &suspended}))(t)
		for _, apply := range []bool{false, true} {
			f.wantPass(apply)
		}
		if diff := cmp.Diff(u, f.now(u)); diff != "" || !f.standsHere(token) {
			t.Errorf("ada was changed, or signed out: -want +got\n%s", diff)
		}
		if told := f.told(); len(told) > 0 {
			t.Errorf("the trail tells %q", told)
		}
	})
}

func TestSomebodyWhoseAccountIsGone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, token := f.signedIn("ada@example.com")
		bob := f.invited("bob@example.com")
		f.invited("eve@example.com")
		f.deletes(ada)
		f.deletes(bob)

		f.wantPass(false, "missing ada@example.com", "missing bob@example.com")
		if got := f.now(ada); got != ada || !f.standsHere(token) || len(f.told()) > 0 {
			t.Errorf("a look changed something: %+v, %q", got, f.told())
		}

		f.clock.advance(time.Minute)
		f.wantPass(true, "missing ada@example.com, mended", "missing bob@example.com, mended")
		want := ada
		want.StytchUserID, want.UpdatedAt = "", f.clock.now()
		if diff := cmp.Diff(want, f.now(ada)); diff != "" {
			t.Errorf("ada: -want +got\n%s", diff)
		}
		want = bob // who never came, so that the invitation has to be sent again
		want.StytchUserID, want.InviteSentAt, want.UpdatedAt = "", time.Time{}, f.clock.now()
		if diff := cmp.Diff(want, f.now(bob)); diff != "" {
			t.Errorf("bob: -want +got\n%s", diff)
		}
		if f.standsHere(token) {
			t.Error("ada is still in")
		}
		if diff := cmp.Diff([]string{"ada@example.com: account gone at Stytch", "bob@example.com: account gone at Stytch"}, slices.Sorted(slices.Values(f.told()))); diff != "" {
			t.Errorf("told: -want +got\n%s", diff)
		}
		f.drained("ada@example.com")
		f.wantPass(true)

		// The next link that ada asks for makes an account again, and brings her in.
		email := must(directory.ParseEmail("ada@example.com"))(t)
		if _, err := f.sessions.RequestLink(t.Context(), email, session.SignInFlow{}, session.Browser{}); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool {
			f.worker.Deliver(t.Context(), "ada@example.com")
			return f.now(ada).StytchUserID != ""
		})
		_, again, err := f.sessions.SignIn(t.Context(), session.Credentials{Token: f.mailed("ada@example.com")}, session.Browser{})
		if err != nil || !f.standsHere(again) {
			t.Errorf("ada can't come back: %v", err)
		}
		f.wantPass(true)
	})
}

func TestSomebodyWhoseAccountHasAnotherAddress(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, token := f.signedIn("ada@example.com")
		// Another session of hers, in another program.
		if err := f.client.SendMagicLink(t.Context(), session.Link{Email: "ada@example.com"}); err != nil {
			t.Fatal(err)
		}
		elsewhere := must(f.client.AuthenticateMagicLink(t.Context(), f.mailed("ada@example.com"), "", session.Browser{}))(t)
		f.unnames(ada)

		f.wantPass(false, "changed ada@example.com")
		if !f.standsHere(token) || !f.standsAtStytch(elsewhere.SessionToken) {
			t.Error("a look ended a session")
		}
		f.wantPass(true, "changed ada@example.com, mended")
		if f.now(ada).StytchUserID != "" || f.standsHere(token) {
			t.Errorf("the list still holds to the account: %+v", f.now(ada))
		}
		f.drained("ada@example.com")
		if f.standsAtStytch(token) || f.standsAtStytch(elsewhere.SessionToken) {
			t.Error("a session lives on at Stytch")
		}
		if diff := cmp.Diff([]string{"ada@example.com: account at Stytch has another address"}, f.told()); diff != "" {
			t.Errorf("told: -want +got\n%s", diff)
		}
		f.wantPass(true, "stranger "+ada.StytchUserID+", mended") // what is left is an account of nobody
		if n := len(f.told()); n != 1 {
			t.Errorf("a stranger without sessions is told of: %q", f.told())
		}
	})
}

func TestAStranger(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, ada := f.signedIn("ada@example.com")
		proof := f.stranger("stranger@example.com")
		f.stranger("other@example.com")

		f.wantPass(false, "stranger other@example.com", "stranger stranger@example.com")
		if !f.standsAtStytch(proof.SessionToken) || len(f.told()) > 0 {
			t.Error("a look ended a session, or told of it")
		}
		f.wantPass(true, "stranger other@example.com, mended", "stranger stranger@example.com, mended")
		if f.standsAtStytch(proof.SessionToken) {
			t.Error("the stranger's session lives on")
		}
		if !f.standsHere(ada) || !f.standsAtStytch(ada) {
			t.Error("ada was signed out too")
		}
		if account := must(f.client.GetAccount(t.Context(), proof.StytchUserID))(t); account.ID != proof.StytchUserID {
			t.Errorf("the account is gone: %+v", account)
		}
		want := []string{"other@example.com: at Stytch, not on the list", "stranger@example.com: at Stytch, not on the list"}
		for range 2 { // the second time there is nothing to end, and nothing to tell
			if diff := cmp.Diff(want, slices.Sorted(slices.Values(f.told()))); diff != "" {
				t.Errorf("told: -want +got\n%s", diff)
			}
			f.pass(true)
		}
	})
}

func TestWhoWouldBeLetInIsNoStranger(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		admission directory.AdmissionPolicy
		want      []string
	}{
		{"nobody joins by themselves", directory.AdmissionPolicy{}, []string{"stranger bo@example.com", "stranger bo@example.org"}},
		{"people of a domain do", directory.AdmissionPolicy{Domains: []string{"example.org"}}, []string{"stranger bo@example.com"}},
		{"anyone does", directory.AdmissionPolicy{Open: true}, nil},
		{"the first to come becomes administrator", directory.AdmissionPolicy{FirstAdmin: true}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, testdb.SQLite(t), row.admission)
			f.stranger("bo@example.com")
			f.stranger("bo@example.org")
			f.wantPass(false, row.want...)
		})
	}
}

func TestRun_RemovedAddressIsAStranger(t *testing.T) {
	t.Parallel()
	for mode, admission := range map[string]directory.AdmissionPolicy{"open": {Open: true}, "domain": {Domains: []string{"example.com"}}} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			f := open(t, testdb.SQLite(t), admission)
			f.invited("boss@example.com")
			must(f.people.Remove(t.Context(), directory.Actor{}, f.invited("bo@example.com").ID))(t)
			f.drained("bo@example.com")
			f.stranger("bo@example.com")
			f.stranger("bo+2@example.com")
			f.wantPass(false, "stranger bo+2@example.com", "stranger bo@example.com")
		})
	}
}

func TestSomebodyWhoIsJustBeingRemovedIsNoStranger(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, _ := f.signedIn("ada@example.com")
		must(f.people.Remove(t.Context(), directory.Actor{}, ada.ID))(t)
		f.wantPass(true) // the outbox will delete the account
		f.drained("ada@example.com")
		f.wantPass(true)
		if told := f.told(); len(told) > 0 {
			t.Errorf("told %q", told)
		}
	})
}

func TestWhoChangesBetweenTheLookAndTheMendIsLeftForTheNextPass(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, token := f.signedIn("ada@example.com")
		f.deletes(ada)
		proof := f.stranger("new@example.com")
		name := "Ada King"
		f.network.before = func(r *http.Request) error {
			switch { // the last call before either is mended
			case r.Method == "GET" && strings.HasSuffix(r.URL.Path, "/users/"+ada.StytchUserID):
				f.clock.advance(time.Second)
				must(f.people.Edit(t.Context(), directory.Actor{}, ada.ID, directory.Edit{Name: &name}))(t)
			case r.Method == "GET" && r.URL.Path == "/v1/sessions":
				must(f.people.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "new@example.com"}))(t)
			}
			return nil
		}
		f.wantPass(true, "missing ada@example.com", "stranger new@example.com")
		f.network.before = nil
		if f.now(ada).StytchUserID == "" || f.now(ada).Name != name || !f.standsHere(token) {
			t.Errorf("ada was mended: %+v", f.now(ada))
		}
		if !f.standsAtStytch(proof.SessionToken) || len(f.told()) > 0 {
			t.Errorf("somebody who has come onto the list was signed out; told %q", f.told())
		}
		f.wantPass(true, "missing ada@example.com, mended")
	})
}

// Stytch's search lags behind: what it does not find is asked for by id.
func TestASearchThatIsBehindTheTimesSignsNobodyOut(t *testing.T) {
	t.Parallel()
	f := open(t, testdb.SQLite(t), directory.AdmissionPolicy{})
	_, token := f.signedIn("ada@example.com")
	behind := f.withAccounts(blind{f.client})
	counts, err := behind.Run(t.Context(), event.Origin{}, true, func(d reconcile.Difference, _ bool) { t.Errorf("told of %+v", d) })
	if err != nil || counts.Differences() > 0 || !f.standsHere(token) {
		t.Errorf("%+v, %v", counts, err)
	}
}

func TestEveryPersonAndEveryAccountIsLookedAt(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		var want []string
		for i := range 7 {
			u := f.invited(fmt.Sprintf("person%d@example.com", i))
			if i%3 == 0 {
				f.deletes(u)
				want = append(want, "missing "+u.Email.Normalized)
			}
		}
		for i := range 5 {
			f.stranger(fmt.Sprintf("stranger%d@example.com", i))
			want = append(want, fmt.Sprintf("stranger stranger%d@example.com", i))
		}
		for _, size := range []int{1, 2, 3, reconcile.MaxPage} {
			f.reconfigure(func(o *reconcile.Options) { o.PageSize = size })
			got, counts := f.pass(false)
			if diff := cmp.Diff(want, got); diff != "" || counts.People != 7 || counts.Accounts != 9 {
				t.Errorf("pages of %d: %+v: -want +got\n%s", size, counts, diff)
			}
		}
	})
}

func TestAPassThatCanNotReachTheDatabaseSaysSo(t *testing.T) {
	t.Parallel()
	f := open(t, testdb.SQLite(t), directory.AdmissionPolicy{})
	f.invited("ada@example.com")
	found := &scripted{list: func(int) (string, error) { return "", nil }}
	r := f.withAccounts(found)
	f.db.Close()
	_, err := r.Run(t.Context(), event.Origin{}, true, func(reconcile.Difference, bool) {})
	if !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/testdb"
)

// inBubble runs fn where time is synctest's, the manager's clock included.
func inBubble(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Parallel()
	path := testdb.SQLite(t)
	synctest.Test(t, func(t *testing.T) { fn(t, open(t, path, nil, time.Now)) })
}

func TestRequestLink_Admission(t *testing.T) {
	t.Parallel()
	company := directory.AdmissionPolicy{Domains: []string{"company.example"}}
	first := directory.AdmissionPolicy{FirstAdmin: true}
	browser := session.Browser{Address: "203.0.113.7", UserAgent: "Browser/1"}
	// https://www.rfc-editor.org/rfc/rfc7636#appendix-B
	flow := session.SignInFlow{Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
	const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	listed := func(address string) []session.Link {
		return []session.Link{{Email: address, Challenge: challenge, Browser: browser}}
	}
	newAccount := func(address string) []session.Link {
		return []session.Link{{Email: address, CreateAccount: true, Challenge: challenge, Browser: browser}}
	}
	tests := []struct {
		name      string
		admission directory.AdmissionPolicy
		address   string
		want      []session.Link
	}{
		{"mails who is active", directory.AdmissionPolicy{}, "active@example.com", listed("active@example.com")},
		{"mails who is invited", directory.AdmissionPolicy{}, "invited@example.com", listed("invited@example.com")},
		{"mails the address in its compared form", directory.AdmissionPolicy{}, "ACTIVE@Example.com", listed("active@example.com")},
		{"mails nobody suspended", directory.AdmissionPolicy{}, "suspended@example.com", nil},
		{"mails nobody unknown", directory.AdmissionPolicy{}, "unknown@example.com", nil},
		{"mails nobody suspended where anyone may join", directory.AdmissionPolicy{Open: true}, "suspended@example.com", nil},
		{"mails an unknown address where anyone may join", directory.AdmissionPolicy{Open: true}, "unknown@example.com", newAccount("unknown@example.com")},
		{"mails an unknown address of the company", company, "unknown@company.example", newAccount("unknown@company.example")},
		{"mails no unknown address of another", company, "unknown@example.com", nil},
		{"mails no unknown address once there is an administrator", first, "unknown@example.com", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t, func(o *session.Options) { o.Admission, o.SameBrowser = test.admission, true })
			f.put("active@example.com", directory.Admin, directory.Active)
			f.put("invited@example.com", directory.Member, directory.Invited)
			f.put("suspended@example.com", directory.Member, directory.Suspended)
			if _, err := f.RequestLink(t.Context(), mustParse(t, test.address), flow, browser); err != nil {
				t.Fatal(err)
			}
			f.Close()
			if diff := cmp.Diff(test.want, f.stytch.links()); diff != "" {
				t.Errorf("mailed (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("mails the first to come where there is no administrator", func(t *testing.T) {
		t.Parallel()
		f := onSQLite(t, func(o *session.Options) { o.Admission, o.SameBrowser = first, true })
		if _, err := f.RequestLink(t.Context(), mustParse(t, "ada@example.com"), flow, browser); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if diff := cmp.Diff(newAccount("ada@example.com"), f.stytch.links()); diff != "" {
			t.Errorf("mailed (-want +got):\n%s", diff)
		}
	})
}

// Who watches the time that an answer takes must not learn who is on the list.
func TestRequestLink_SameWorkForEveryAddress(t *testing.T) {
	t.Parallel()
	for name, admission := range map[string]directory.AdmissionPolicy{
		"on a list of the invited": {}, "where anyone may join": {Open: true}, "where the first becomes administrator": {FirstAdmin: true},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.reconfigure(func(o *session.Options) { o.Admission = admission })
				f.put("active@example.com", directory.Admin, directory.Active)
				f.put("invited@example.com", directory.Member, directory.Invited)
				f.put("suspended@example.com", directory.Member, directory.Suspended)
				f.stytch.send = func(context.Context, session.Link, int) error {
					time.Sleep(time.Second) // behind the caller's back
					return nil
				}
				work := map[string][]string{}
				for _, who := range []string{"unknown", "active", "invited", "suspended"} {
					f.db.calls, f.stytch.whoami = nil, 0
					began := time.Now()
					_, err := f.RequestLink(t.Context(), mustParse(t, who+"@example.com"), session.SignInFlow{}, session.Browser{})
					if took := time.Since(began); err != nil || took != 0 {
						t.Errorf("%s: answered with %v after %v", who, err, took)
					}
					work[who] = f.db.calls
					if f.stytch.whoami != 1 {
						t.Errorf("%s: asked %d times whether Stytch is well", who, f.stytch.whoami)
					}
				}
				for who, calls := range work {
					if diff := cmp.Diff(work["unknown"], calls); diff != "" {
						t.Errorf("%s makes other calls than somebody unknown:\n%s", who, diff)
					}
				}
				f.Close()
			})
		})
	}
}

func TestRequestLink_ServiceUnavailable(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault func(f *fixture)
		want  error
	}{
		{"while Stytch is out of reach", func(f *fixture) { f.stytch.ready = func() error { return session.ErrUnavailable } }, session.ErrUnavailable},
		{"while the database is out of reach", func(f *fixture) {
			f.db.fail = map[string]error{"applicant": directory.ErrUnavailable}
		}, directory.ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t)
			f.put("active@example.com", directory.Admin, directory.Active)
			f.put("suspended@example.com", directory.Member, directory.Suspended)
			test.fault(f)
			for _, who := range []string{"active", "suspended", "unknown"} {
				if _, err := f.RequestLink(t.Context(), mustParse(t, who+"@example.com"), session.SignInFlow{}, session.Browser{}); !errors.Is(err, test.want) {
					t.Errorf("%s: got %v, want %v", who, err, test.want)
				}
			}
			f.Close()
			if links := f.stytch.links(); len(links) != 0 {
				t.Errorf("mailed %+v", links)
			}
		})
	}
}

func TestRequestLink_RetriesSending(t *testing.T) {
	tests := []struct {
		name   string
		errors []error // of the calls in turn
		want   []time.Duration
	}{
		{"not at all if it went well", []error{nil}, []time.Duration{0}},
		{"while Stytch is out of reach, twice", []error{session.ErrUnavailable, session.ErrUnavailable, session.ErrUnavailable, nil}, []time.Duration{0, time.Second, 6 * time.Second}},
		{"until it goes well", []error{session.ErrUnavailable, nil, nil}, []time.Duration{0, time.Second}},
		{"while the mail server takes nothing, twice", []error{session.ErrNotMailed, session.ErrNotMailed, session.ErrNotMailed, nil}, []time.Duration{0, time.Second, 6 * time.Second}},
		{"not at all to an address that is refused", []error{fmt.Errorf("%w: %w", session.ErrUnavailable, outbox.ErrRefused), nil}, []time.Duration{0}},
		{"not at all if the mail may have arrived", []error{errors.New("not confirmed"), nil}, []time.Duration{0}},
		{"not at all if Stytch wants a pause", []error{session.ErrTooMany, nil}, []time.Duration{0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.put("ada@example.com", directory.Member, directory.Active)
				began := time.Now()
				var got []time.Duration
				f.stytch.send = func(_ context.Context, _ session.Link, n int) error {
					got = append(got, time.Since(began))
					return test.errors[n-1]
				}
				if _, err := f.RequestLink(t.Context(), mustParse(t, "ada@example.com"), session.SignInFlow{}, session.Browser{}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				f.Close()
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("sent at (-want +got):\n%s", diff)
				}
				if jobs := f.jobs("ada@example.com"); len(jobs) != 0 {
					t.Errorf("jobs: %v", jobs)
				}
			})
		})
	}
}

func TestRequestLink_UserWithoutAccount(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	u := f.put("ada@example.com", directory.Member, directory.Invited)
	f.stytch.send = func(context.Context, session.Link, int) error { return session.ErrNoAccount }
	if _, err := f.RequestLink(t.Context(), u.Email, session.SignInFlow{}, session.Browser{}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	jobs, err := f.db.ListJobs(t.Context(), u.Email)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("jobs: %+v, %v, want an invitation", jobs, err)
	}
	if j := jobs[0]; j.Kind != "invite" || j.UserID != u.ID || j.Name != "Ada" || !j.DueAt.IsZero() {
		t.Errorf("got %+v, want an invitation for Ada, now", j)
	}
	if f.outbox.woken.Load() == 0 {
		t.Error("the outbox sleeps on")
	}
}

func TestClose_StopsRetries(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.put("ada@example.com", directory.Member, directory.Active)
		f.stytch.send = func(context.Context, session.Link, int) error {
			time.Sleep(2 * time.Second)
			return session.ErrUnavailable
		}
		if _, err := f.RequestLink(t.Context(), mustParse(t, "ada@example.com"), session.SignInFlow{}, session.Browser{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		began := time.Now()
		f.Close()
		if took := time.Since(began); took != time.Second {
			t.Errorf("took %v, want the second until the call's end", took)
		}
		if n := len(f.stytch.links()); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestRequestLink_TooManyInFlight(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.put("ada@example.com", directory.Member, directory.Active)
		f.stytch.send = func(ctx context.Context, _ session.Link, _ int) error {
			<-ctx.Done() // a Stytch that hangs
			return session.ErrTooMany
		}
		for i := range 64 {
			if _, err := f.RequestLink(t.Context(), mustParse(t, "ada@example.com"), session.SignInFlow{}, session.Browser{}); err != nil {
				t.Fatalf("link %d: %v", i+1, err)
			}
		}
		for _, who := range []string{"ada", "unknown"} {
			if _, err := f.RequestLink(t.Context(), mustParse(t, who+"@example.com"), session.SignInFlow{}, session.Browser{}); !errors.Is(err, session.ErrTooMany) {
				t.Errorf("%s: got %v, want ErrTooMany", who, err)
			}
		}
		time.Sleep(5 * time.Second) // each call's time is up
		synctest.Wait()
		if _, err := f.RequestLink(t.Context(), mustParse(t, "ada@example.com"), session.SignInFlow{}, session.Browser{}); err != nil {
			t.Errorf("when they are through: %v", err)
		}
		f.Close()
	})
}

func TestRequestLink_RemovedOrSuspendedMailbox(t *testing.T) {
	t.Parallel()
	for mode, admission := range map[string]directory.AdmissionPolicy{
		"open": {Open: true}, "domain": {Domains: []string{"example.com"}},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t, func(o *session.Options) { o.Admission = admission })
			f.put("boss@example.com", directory.Admin, directory.Active)
			f.put("odd%name@example.com", directory.Member, directory.Active)
			f.put("sue@example.com", directory.Member, directory.Suspended)
			f.remove(f.put("rob@example.com", directory.Member, directory.Active))
			for _, address := range []string{
				"rob@example.com", "rob+2@example.com", "ROB+@example.com", "sue@example.com", "sue+2@example.com", "boss+2@example.com",
				"a%evil.example@example.com", "evil.example!a@example.com",
			} {
				if _, err := f.RequestLink(t.Context(), mustParse(t, address), session.SignInFlow{}, session.Browser{}); err != nil {
					t.Errorf("%s: %v", address, err)
				}
				_, _, err := f.SignIn(t.Context(), session.Credentials{Token: "link:" + address}, session.Browser{})
				if !errors.Is(err, directory.ErrNotListed) && !errors.Is(err, directory.ErrSuspended) {
					t.Errorf("%s with a good link: %v", address, err)
				}
			}
			for _, address := range []string{"odd%name@example.com", "new@example.com"} {
				if _, err := f.RequestLink(t.Context(), mustParse(t, address), session.SignInFlow{}, session.Browser{}); err != nil {
					t.Errorf("%s: %v", address, err)
				}
				f.signIn(address)
			}
			f.Close()
			if got, want := mailedTo(f.stytch.links()), []string{"new@example.com", "odd%name@example.com"}; !slices.Equal(got, want) {
				t.Errorf("mailed to %v, want %v", got, want)
			}
		})
	}
}

// mailedTo returns the addresses of links, sorted.
func mailedTo(links []session.Link) (to []string) {
	for _, link := range links {
		to = append(to, link.Email)
	}
	slices.Sort(to)
	return to
}

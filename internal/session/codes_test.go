package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// newBrowser is one that has not signed in before, and known one that has.
var (
	newBrowser = session.Browser{Address: "203.0.113.9", UserAgent: "Browser/1"}
	known      = session.Browser{Address: "203.0.113.7", UserAgent: "Browser/1", KnownID: "adas browser"}
)

// requestCode requests a code and waits until it is sent.
func (f *fixture) requestCode(address string, flow session.SignInFlow, b session.Browser) session.SignInFlow {
	f.t.Helper()
	flow, err := f.RequestCode(f.t.Context(), mustParse(f.t, address), flow, b)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Close() // waits for the email
	f.reconfigure(func(*session.Options) {})
	return flow
}

// useCode signs in with a code.
func (f *fixture) useCode(flow session.SignInFlow, code string, b session.Browser) (session.Session, string, error) {
	return f.SignInWithCode(f.t.Context(), session.CodeCredentials{Code: code, Flow: flow}, b)
}

// right is the code that the test's provider sends.
const right = "123456"

func withCode(f *fixture) *fixture {
	f.stytch.code = right
	return f
}

func TestSignInWithCode(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		withCode(f)
		ada := f.put("ada@example.com", directory.Member, directory.Active)
		for _, typed := range []string{"123456", " 123 456 ", "123-456", "123\u00a0456", "\t1 2 3 4 5 6"} {
			flow := f.requestCode("Ada@Example.com", session.SignInFlow{}, newBrowser)
			in, token, err := f.useCode(flow, typed, newBrowser)
			if err != nil || in.UserID != ada.ID || token == "" {
				t.Fatalf("%q: %+v, %v", typed, in, err)
			}
			if want := factor.Proofs("").With(factor.EmailCode, noon); in.Proofs != want {
				t.Errorf("%q: the session's proofs are %q, want %q", typed, in.Proofs, want)
			}
			e := f.events(event.SignedIn)[0]
			if e.Reason != "by email code" || e.SubjectID != ada.ID || e.Address != newBrowser.Address {
				t.Errorf("%q: event %+v", typed, e)
			}
		}
		if diff := cmp.Diff("email email-of-ada@example.com 123456", f.stytch.tried[0]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSignInWithCode_ReplacesTheSession(t *testing.T) {
	t.Parallel()
	f := withCode(onSQLite(t))
	ada, bob := f.put("ada@example.com", directory.Member, directory.Active), f.put("bob@example.com", directory.Member, directory.Active)
	_, bobs := f.signIn("bob@example.com")
	flow := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
	in, _, err := f.SignInWithCode(t.Context(), session.CodeCredentials{Code: right, Flow: flow, ReplacedToken: bobs}, newBrowser)
	if err != nil || in.UserID != ada.ID {
		t.Fatal(in, err)
	}
	if list, err := f.List(t.Context(), bob.ID); len(list) != 0 || err != nil {
		t.Errorf("bob has %d sessions, %v", len(list), err)
	}
}

func TestSignInWithCode_OtherForms(t *testing.T) {
	t.Parallel()
	f := withCode(onSQLite(t))
	f.put("ada@example.com", directory.Member, directory.Active)
	flow := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
	for _, typed := range []string{"", "12345", "1234567", "12345a", "１２３４５６", "123.456", "123456\x00", "+12345"} {
		if _, _, err := f.useCode(flow, typed, newBrowser); !errors.Is(err, session.ErrCodeFormat) {
			t.Errorf("%q: %v", typed, err)
		}
	}
	if len(f.stytch.tried) != 0 {
		t.Errorf("tried %v", f.stytch.tried)
	}
	if _, _, err := f.useCode(flow, right, newBrowser); err != nil {
		t.Errorf("none of them counted as a try: %v", err)
	}
}

// The answers are the same whether or not the address may sign in.
func TestSignInWithCode_FiveTries(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		withCode(f)
		f.put("ada@example.com", directory.Member, directory.Active)
		f.put("suspended@example.com", directory.Member, directory.Suspended)
		for _, address := range []string{"ada@example.com", "suspended@example.com", "unknown@example.com"} {
			flow := f.requestCode(address, session.SignInFlow{}, newBrowser)
			for left := 4; left >= 0; left-- {
				_, _, err := f.useCode(flow, "000000", newBrowser)
				var wrong *session.WrongCodeError
				switch {
				case left > 0 && (!errors.As(err, &wrong) || wrong.Left != left || !errors.Is(err, session.ErrCodeWrong)):
					t.Errorf("%s: got %v, want a wrong code with %d tries left", address, err, left)
				case left == 0 && !errors.Is(err, session.ErrCodeSpent):
					t.Errorf("%s: the fifth try: %v", address, err)
				}
			}
			tried := len(f.stytch.tried)
			if _, _, err := f.useCode(flow, right, newBrowser); !errors.Is(err, session.ErrCodeSpent) {
				t.Errorf("%s: after five tries: %v", address, err)
			}
			if len(f.stytch.tried) != tried {
				t.Errorf("%s: the provider was asked a sixth time", address)
			}
		}
	})
}

// What the provider says about a code must not tell who has an account.
func TestSignInWithCode_RefusalsOfTheProviderLookAlike(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		err  error
		b    session.Browser
		want error
	}{
		{"wrong", session.ErrCodeWrong, newBrowser, session.ErrCodeWrong},
		{"tried too often elsewhere", session.ErrCodeSpent, newBrowser, session.ErrCodeWrong},
		{"the account is locked", session.ErrTooMany, newBrowser, session.ErrCodeWrong},
		{"the account is locked, in its own browser", session.ErrTooMany, known, session.ErrTooMany},
		{"out of reach", session.ErrUnavailable, newBrowser, session.ErrUnavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t)
			f.put("ada@example.com", directory.Member, directory.Active)
			flow := f.requestCode("ada@example.com", session.SignInFlow{}, row.b)
			f.stytch.authCode = func() error { return row.err }
			if _, _, err := f.useCode(flow, right, row.b); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

func TestSignInWithCode_Refused(t *testing.T) {
	change := func(id, status string) func(f *fixture, flow session.SignInFlow) session.SignInFlow {
		return func(f *fixture, flow session.SignInFlow) session.SignInFlow {
			f.clock.advance(time.Second)
			f.edit(id, "suspended")
			if status != "" {
				f.edit(id, status)
			}
			return flow
		}
	}
	rows := []struct {
		name    string
		between func(f *fixture, flow session.SignInFlow) session.SignInFlow
		want    error
	}{
		{"expired at the instant", func(f *fixture, flow session.SignInFlow) session.SignInFlow {
			f.clock.advance(session.CodeDuration)
			return flow
		}, session.ErrCodeSpent},
		{"just before that", func(f *fixture, flow session.SignInFlow) session.SignInFlow {
			f.clock.advance(session.CodeDuration - time.Microsecond)
			return flow
		}, nil},
		{"another browser", func(_ *fixture, flow session.SignInFlow) session.SignInFlow {
			return session.SignInFlow{ID: "another", Email: flow.Email, CodeID: "made up", ExpiresAt: flow.ExpiresAt}
		}, session.ErrCodeSpent},
		{"a browser that requested none", func(_ *fixture, flow session.SignInFlow) session.SignInFlow {
			flow.CodeID = ""
			return flow
		}, session.ErrCodeSpent},
		{"replaced by a newer request of this browser", func(f *fixture, flow session.SignInFlow) session.SignInFlow {
			f.requestCode("ada@example.com", flow, newBrowser)
			return flow
		}, session.ErrCodeSpent},
		{"replaced by a newer request of another unknown browser", func(f *fixture, flow session.SignInFlow) session.SignInFlow {
			f.requestCode("ada@example.com", session.SignInFlow{}, session.Browser{Address: "192.0.2.1"})
			return flow
		}, session.ErrCodeSpent},
		{"not replaced by a request for another address", func(f *fixture, flow session.SignInFlow) session.SignInFlow {
			f.requestCode("bob@example.com", session.SignInFlow{}, newBrowser)
			return flow
		}, nil},
		{"not replaced by a link", func(f *fixture, flow session.SignInFlow) session.SignInFlow {
			flow, err := f.RequestLink(f.t.Context(), mustParse(f.t, "ada@example.com"), flow, newBrowser)
			if err != nil {
				f.t.Fatal(err)
			}
			return flow
		}, nil},
		{"the browser requested a link for another address", func(f *fixture, flow session.SignInFlow) session.SignInFlow {
			flow, err := f.RequestLink(f.t.Context(), mustParse(f.t, "bob@example.com"), flow, newBrowser)
			if err != nil {
				f.t.Fatal(err)
			}
			return flow
		}, session.ErrCodeSpent},
		{"suspended meanwhile", change("id-of-ada@example.com", ""), directory.ErrSuspended},
		{"suspended and reinstated meanwhile", change("id-of-ada@example.com", "active"), session.ErrLinkOld},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := withCode(onSQLite(t, func(o *session.Options) { o.LinkDuration = 10 * time.Minute }))
			ada := f.put("ada@example.com", directory.Member, directory.Active)
			f.put("bob@example.com", directory.Member, directory.Active)
			flow := row.between(f, f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser))
			in, token, err := f.useCode(flow, right, newBrowser)
			if !errors.Is(err, row.want) || row.want == nil && err != nil {
				t.Fatalf("got %v, want %v", err, row.want)
			}
			if row.want != nil && (in != (session.Session{}) || token != "") {
				t.Errorf("refused with a session: %+v", in)
			}
			list, err := f.List(t.Context(), ada.ID)
			if want := map[bool]int{true: 1}[row.want == nil]; len(list) != want || err != nil {
				t.Errorf("%d sessions, want %d, %v", len(list), want, err)
			}
		})
	}
}

// A code made before a change of access is refused even if the browser is asked to wait
// for a newer one, and the session at the provider is revoked.
func TestSignInWithCode_RefusalRevokesTheProvidersSession(t *testing.T) {
	t.Parallel()
	f := withCode(onSQLite(t))
	f.put("ada@example.com", directory.Member, directory.Active)
	flow := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
	f.clock.advance(time.Second)
	f.edit("id-of-ada@example.com", "suspended")
	if _, _, err := f.useCode(flow, right, newBrowser); !errors.Is(err, directory.ErrSuspended) {
		t.Fatal(err)
	}
	if jobs := strings.Join(f.jobs("ada@example.com"), " "); !strings.Contains(jobs, "revoke_session session-1") {
		t.Errorf("jobs %q", jobs)
	}
}

func TestSignInWithCode_RightOneTwiceAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		withCode(f)
		ada := f.put("ada@example.com", directory.Member, directory.Active)
		flow := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
		var all sync.WaitGroup
		tokens, errs := make([]string, 5), make([]error, 5)
		for i := range tokens {
			all.Go(func() { _, tokens[i], errs[i] = f.useCode(flow, right, newBrowser) })
		}
		all.Wait()
		for i := range tokens {
			if errs[i] != nil || tokens[i] == "" || tokens[i] != tokens[0] {
				t.Errorf("got %q, %v", tokens[i], errs[i])
			}
		}
		if list, err := f.List(t.Context(), ada.ID); len(list) != 1 || err != nil {
			t.Errorf("%d sessions, %v", len(list), err)
		}
		if n := len(f.stytch.tried); n != 1 {
			t.Errorf("the provider was asked %d times", n)
		}
		f.clock.advance(time.Minute)
		if _, _, err := f.useCode(flow, right, newBrowser); err != nil {
			t.Errorf("a minute later: %v", err)
		}
		f.clock.advance(time.Microsecond)
		if _, _, err := f.useCode(flow, right, newBrowser); !errors.Is(err, session.ErrCodeSpent) {
			t.Errorf("more than a minute later: %v", err)
		}
	})
}

func TestSignInWithCode_FiftyWrongOnesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		withCode(f)
		f.reconfigure(func(o *session.Options) { o.Limits = true })
		f.put("ada@example.com", directory.Member, directory.Active)
		flow := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
		var all sync.WaitGroup
		for i := range 50 {
			b := session.Browser{Address: fmt.Sprintf("2001:db8:%x::1", i)}
			all.Go(func() {
				_, _, err := f.useCode(flow, fmt.Sprintf("%06d", i), b)
				if !errors.Is(err, session.ErrCodeWrong) && !errors.Is(err, session.ErrCodeSpent) && !errors.Is(err, session.ErrTooMany) {
					t.Errorf("try %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if n := len(f.stytch.tried); n > 5 || n == 0 {
			t.Errorf("the provider was asked about %d codes", n)
		}
		if _, _, err := f.useCode(flow, right, newBrowser); err == nil {
			t.Error("the right code still works")
		}
	})
}

// An attacker with many networks requests codes for another user and tries them. The user’s own
// browser, links in any browser, and confirmations keep working.
func TestSignInWithCode_OthersCannotLockOut(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		withCode(f)
		f.reconfigure(func(o *session.Options) { o.Limits = true })
		f.put("ada@example.com", directory.Member, directory.Active)
		flow := f.requestCode("ada@example.com", session.SignInFlow{}, known)
		var refused int
		for i := range 40 {
			b := session.Browser{Address: fmt.Sprintf("2001:db8:%x::1", i)}
			theirs, err := f.RequestCode(t.Context(), mustParse(t, "ada@example.com"), session.SignInFlow{}, b)
			if err != nil {
				refused++
				continue
			}
			for range 6 {
				f.useCode(theirs, "000000", b)
			}
		}
		if n := len(f.stytch.tried); n < 5 || n > 9 { // Stytch locks an account after ten in a row
			t.Errorf("others tried %d codes, want at least 5 and at most 9", n)
		}
		if refused == 0 {
			t.Error("all their requests were accepted")
		}
		for left := 4; left > 1; left-- {
			var wrong *session.WrongCodeError
			if _, _, err := f.useCode(flow, "000000", known); !errors.As(err, &wrong) || wrong.Left != left {
				t.Errorf("in their own browser: %v, want %d tries left", err, left)
			}
		}
		if _, _, err := f.useCode(flow, right, known); err != nil {
			t.Errorf("in their own browser: %v", err)
		}
		flow = f.requestCode("ada@example.com", session.SignInFlow{}, known)
		in, token, err := f.useCode(flow, right, known)
		if err != nil {
			t.Fatalf("again: %v", err)
		}
		if _, _, err := f.SignIn(t.Context(), session.Credentials{Token: "link:ada@example.com"}, session.Browser{Address: "192.0.2.1"}); err != nil {
			t.Errorf("by a link: %v", err)
		}
		flow, err = f.RequestConfirmationCode(t.Context(), in, session.SignInFlow{}, newBrowser)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		f.reconfigure(func(*session.Options) {})
		if err := f.ConfirmWithCode(t.Context(), in, token, right, flow, newBrowser); err != nil {
			t.Errorf("to confirm: %v", err)
		}

		// An hour later they get one more try at most.
		f.clock.advance(2 * time.Hour)
		tried := len(f.stytch.tried)
		theirs := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
		for range 6 {
			_, _, err := f.useCode(theirs, "000000", newBrowser)
			if !errors.Is(err, session.ErrTooManyCodes) && !errors.Is(err, session.ErrCodeWrong) {
				t.Error(err)
			}
		}
		if n := len(f.stytch.tried) - tried; n > 1 {
			t.Errorf("%d tries", n)
		}
	})
}

func TestRequestCode_UnlistedAddressesGetNone(t *testing.T) {
	t.Parallel()
	f := withCode(onSQLite(t))
	f.put("suspended@example.com", directory.Member, directory.Suspended)
	for _, address := range []string{"suspended@example.com", "unknown@example.com"} {
		flow := f.requestCode(address, session.SignInFlow{}, newBrowser)
		if flow.CodeID == "" || flow.Email != address {
			t.Errorf("%s: flow %+v", address, flow)
		}
		if _, _, err := f.useCode(flow, right, newBrowser); !errors.Is(err, session.ErrCodeWrong) {
			t.Errorf("%s: %v", address, err)
		}
		e := f.events(event.CodeRequested)[0]
		if e.Subject != address || e.Reason == "" {
			t.Errorf("%s: event %+v", address, e)
		}
		if e := f.events(event.SignInRefused)[0]; e.Subject != address || e.Reason != session.ErrCodeWrong.Error() {
			t.Errorf("%s: event %+v", address, e)
		}
	}
	if len(f.stytch.codes) != 0 {
		t.Errorf("sent %+v", f.stytch.codes)
	}
}

func TestRequestCode_CreatesAnAccount(t *testing.T) {
	t.Parallel()
	f := withCode(onSQLite(t))
	f.put("ada@example.com", directory.Member, directory.Invited)
	f.stytch.sendCode = func(c session.Code) (string, error) {
		if !c.CreateAccount {
			return "", session.ErrNoAccount
		}
		return "email-of-" + c.Email, nil
	}
	if _, _, err := f.useCode(f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser), right, newBrowser); err != nil {
		t.Error(err)
	}
}

func TestRequestCode_StytchDown(t *testing.T) {
	t.Parallel()
	f := withCode(onSQLite(t))
	f.put("ada@example.com", directory.Member, directory.Active)
	f.stytch.sendCode = func(session.Code) (string, error) { return "", session.ErrUnavailable }
	flow := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser) // it is noticed too late for the answer
	if e := f.events(event.CodeFailed); len(e) != 1 || e[0].Subject != "ada@example.com" {
		t.Errorf("events %+v", e)
	}
	if _, _, err := f.useCode(flow, right, newBrowser); !errors.Is(err, session.ErrCodeWrong) {
		t.Errorf("a code that was not sent: %v", err)
	}
	f.stytch.ready = func() error { return session.ErrUnavailable }
	if _, err := f.RequestCode(t.Context(), mustParse(t, "ada@example.com"), session.SignInFlow{}, newBrowser); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// A code that could not be checked was not tried.
func TestSignInWithCode_StytchDown(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		withCode(f)
		f.put("ada@example.com", directory.Member, directory.Active)
		flow := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
		f.stytch.authCode = func() error { return session.ErrUnavailable }
		for range 7 {
			if _, _, err := f.useCode(flow, right, newBrowser); !errors.Is(err, session.ErrUnavailable) {
				t.Fatalf("got %v", err)
			}
		}
		f.stytch.authCode = nil
		if _, _, err := f.useCode(flow, right, newBrowser); err != nil {
			t.Errorf("when it is back: %v", err)
		}
	})
}

func TestSignInWithCode_DatabaseDown(t *testing.T) {
	t.Parallel()
	f := withCode(onSQLite(t))
	ada := f.put("ada@example.com", directory.Member, directory.Active)
	flow := f.requestCode("ada@example.com", session.SignInFlow{}, newBrowser)
	f.db.fail = map[string]error{"sign in": directory.ErrUnavailable}
	if _, token, err := f.useCode(flow, right, newBrowser); !errors.Is(err, directory.ErrUnavailable) || token != "" {
		t.Fatalf("got %q, %v", token, err)
	}
	f.db.fail = map[string]error{"try code": directory.ErrUnavailable}
	if _, token, err := f.useCode(flow, "654321", newBrowser); !errors.Is(err, directory.ErrUnavailable) || token != "" {
		t.Fatalf("got %q, %v", token, err)
	}
	f.db.fail = nil
	if _, token, err := f.useCode(flow, right, newBrowser); err != nil || token == "" {
		t.Errorf("when it is back: %v", err)
	}
	if list, err := f.List(t.Context(), ada.ID); len(list) != 1 || err != nil {
		t.Errorf("%d sessions, %v", len(list), err)
	}
	f.db.fail = map[string]error{"create code request": directory.ErrUnavailable}
	if _, err := f.RequestCode(t.Context(), ada.Email, session.SignInFlow{}, newBrowser); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestCodeRequests_StoreNoSecretsAndAreDeleted(t *testing.T) {
	t.Parallel()
	f := withCode(onSQLite(t))
	f.put("ada@example.com", directory.Member, directory.Active)
	flow := f.requestCode("ada@example.com", session.SignInFlow{}, known)
	for range 5 {
		f.requestCode("eve@example.com", session.SignInFlow{}, newBrowser)
	}
	row := func() (text string, rows int) {
		err := f.db.Reader().QueryRowContext(t.Context(),
			"SELECT GROUP_CONCAT(requester_hash || ' ' || request_hash), COUNT(*) FROM email_codes").Scan(&text, &rows)
		if err != nil {
			t.Fatal(err)
		}
		return text, rows
	}
	text, rows := row()
	if rows != 2 {
		t.Errorf("%d rows, want one of each address", rows)
	}
	for _, secret := range []string{flow.CodeID, flow.ID, right, session.Hash(right), "ada@example.com", known.KnownID} {
		if strings.Contains(text, secret) {
			t.Errorf("the rows hold %q: %s", secret, text)
		}
	}
	f.clock.advance(session.CodeDuration - time.Microsecond)
	if n, err := f.db.DeleteExpiredCodes(t.Context(), f.clock.now()); n != 0 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	f.clock.advance(time.Microsecond)
	if n, err := f.db.DeleteExpiredCodes(t.Context(), f.clock.now()); n != 2 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
}

// A refused code takes a random time, so that the provider's doesn't show.
func TestSignInWithCode_RefusalsTakeARandomTime(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		withCode(f)
		f.reconfigure(func(o *session.Options) { o.SendPause = time.Second })
		f.put("ada@example.com", directory.Member, directory.Active)
		var took []time.Duration
		for range 8 {
			flow, err := f.RequestCode(t.Context(), mustParse(t, "ada@example.com"), session.SignInFlow{}, newBrowser)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			for range 4 {
				began := time.Now()
				if _, _, err := f.useCode(flow, "000000", newBrowser); !errors.Is(err, session.ErrCodeWrong) {
					t.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			began := time.Now()
			if _, _, err := f.useCode(flow, right, newBrowser); err != nil || time.Since(began) != 0 {
				t.Errorf("the right one took %v, %v", time.Since(began), err)
			}
		}
		shortest, longest := took[0], took[0]
		for _, d := range took {
			shortest, longest = min(shortest, d), max(longest, d)
		}
		if shortest > 300*time.Millisecond || longest < 700*time.Millisecond || longest > time.Second {
			t.Errorf("refusals took %v", took)
		}
		f.Close()
	})
}

// events returns the events of a kind, newest first.
func (f *fixture) events(kind event.Kind) []event.Event {
	f.t.Helper()
	page, _, err := f.db.ListEvents(context.Background(), event.Query{Kind: kind, Limit: event.DefaultLimit})
	if err != nil {
		f.t.Fatal(err)
	}
	return page
}

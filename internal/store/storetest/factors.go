package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

var factorRows = []row{
	{"a user is notified of each change of their factors", single(testNoticesOfFactors)},
	{"a rule's refusal of a factor is returned as it is", single(testFactorRefused)},
	{"without an authenticator app, no session needs one", single(testFactorsRemovedFromSessions)},
	{"the user and the administrators are notified of a link made on the host", single(testNoticesOfHostLink)},
}

// factorOf returns a new factor of a user.
func factorOf(u directory.User, kind factor.Kind) factor.Factor {
	return factor.Factor{ID: newID(), UserID: u.ID, Kind: kind, ProviderID: string(kind) + "-" + newID(), Name: "Mine", CodesLeft: 10, CreatedAt: Now()}
}

// addFactor adds a factor in a session.
func addFactor(t *testing.T, s Store, u directory.User, sess session.Session, f factor.Factor, reason string) {
	t.Helper()
	must(t, s.AddFactor(t.Context(), factor.Addition{
		Factor: f, SessionHash: sess.TokenHash, Event: event.New(event.FactorAdded, Now(), u.ID, u.Email.Normalized, reason),
	}, func([]factor.Factor) error { return nil }))
}

// resetFactors is a rule that removes all factors.
func resetFactors(u directory.User, have []factor.Factor) factor.Removal {
	return factor.Removal{Factors: have, Events: []event.Event{event.New(event.FactorsReset, Now(), u.ID, u.Email.Normalized, factor.Summary(have))}}
}

// wantNotice checks and finishes the one pending notice to a user.
func wantNotice(t *testing.T, s Store, address string, kind event.Kind, method string) {
	t.Helper()
	job, err := s.LeaseJob(t.Context(), "notice to "+address, Now(), Now())
	must(t, err)
	want := &outbox.Notice{Topic: outbox.SignInMethods, Email: address, Name: "Ada", Event: string(kind), Method: method, At: Now()}
	if diff := cmp.Diff(want, job.Notice); diff != "" {
		t.Errorf("%s (-want +got):\n%s", kind, diff)
	}
	wantNotices(t, s, string(kind), address)
}

func testNoticesOfFactors(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada, admin("Bob", "bob@example.com"))
	sess := session.Session{TokenHash: session.Hash("ada"), UserID: ada.ID, StytchSessionID: "session", CreatedAt: Now(), ExpiresAt: Now()}
	signInWith(t, s, ada, sess)
	s.WriteNotices()

	app := factorOf(ada, factor.TOTP)
	addFactor(t, s, ada, sess, app, "authenticator app")
	wantNotice(t, s, "ada@example.com", event.FactorAdded, "authenticator app")

	proof := session.NewProof{
		SessionHash: sess.TokenHash, UserID: ada.ID, Kind: factor.TOTP, At: Now(), FactorID: app.ID,
		Event: event.New(event.Confirmed, Now(), ada.ID, ada.Email.Normalized, "by authenticator app"),
	}
	must(t, s.AddProof(t.Context(), proof))
	wantNotices(t, s, "a code")
	proof.Kind, proof.Codes, proof.Event = factor.RecoveryCode, 1, event.New(event.Confirmed, Now(), ada.ID, ada.Email.Normalized, "by recovery code")
	must(t, s.AddProof(t.Context(), proof))
	wantNotice(t, s, "ada@example.com", event.Confirmed, "by recovery code")

	if _, err := s.RemoveFactors(t.Context(), ada.ID, resetFactors); err != nil {
		t.Fatal(err)
	}
	wantNotice(t, s, "ada@example.com", event.FactorsReset, "an authenticator app")
	removed, err := s.RemoveFactors(t.Context(), ada.ID, resetFactors)
	if len(removed) > 0 || err != nil {
		t.Error(removed, err)
	}
	wantNotices(t, s, "nothing to remove")
}

// signInWith creates a session of a user.
func signInWith(t *testing.T, s Store, u directory.User, sess session.Session) session.Session {
	t.Helper()
	made, err := s.CreateSession(t.Context(), session.SignInRequest{Email: u.Email, Session: sess}, func(directory.Applicant) (directory.User, []event.Event, error) {
		return u, nil, nil
	})
	must(t, err)
	return made
}

func testFactorRefused(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	refusal := errors.New("refused")
	err := s.AddFactor(t.Context(), factor.Addition{Factor: factorOf(ada, factor.Passkey)}, func([]factor.Factor) error { return refusal })
	if !errors.Is(err, refusal) || errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func testFactorsRemovedFromSessions(t *testing.T, s Store) {
	ada, bob := member("Ada", "ada@example.com"), member("Bob", "bob@example.com")
	create(t, s, ada, bob)
	for _, u := range []directory.User{ada, bob} {
		sess := session.Session{TokenHash: session.Hash(u.ID), UserID: u.ID, StytchSessionID: "session-" + u.ID, CreatedAt: Now(), ExpiresAt: Now()}
		if signInWith(t, s, u, session.Session{TokenHash: session.Hash("too early" + u.ID), StytchSessionID: "early-" + u.ID, HasSecondFactor: true}).HasSecondFactor {
			t.Error("a session needs an authenticator app that isn't set up here")
		}
		signInWith(t, s, u, sess)
		addFactor(t, s, u, sess, factorOf(u, factor.TOTP), "")
		if !signInWith(t, s, u, session.Session{TokenHash: session.Hash("later" + u.ID), StytchSessionID: "later-" + u.ID, HasSecondFactor: true}).HasSecondFactor {
			t.Error("a session doesn't need an authenticator app that is set up")
		}
	}
	if _, err := s.RemoveFactors(t.Context(), ada.ID, resetFactors); err != nil {
		t.Fatal(err)
	}
	for _, u := range []directory.User{ada, bob} {
		got, err := s.GetSession(t.Context(), session.Hash("later"+u.ID))
		if err != nil || got.HasSecondFactor != (u.ID == bob.ID) {
			t.Errorf("%s: %t, %v", u.Name, got.HasSecondFactor, err)
		}
	}
}

func testNoticesOfHostLink(t *testing.T, s Store) {
	ada, bob := member("Ada", "ada@example.com"), admin("Bob", "bob@example.com")
	create(t, s, ada, bob)
	s.WriteNotices()
	link := session.HostLink{Hash: session.Hash("token"), UserID: ada.ID, CreatedAt: Now(), ExpiresAt: Now().Add(session.HostLinkDuration)}
	made := event.New(event.HostLinkMade, Now(), ada.ID, ada.Email.Normalized, "")
	must(t, s.CreateHostLink(t.Context(), link, func(directory.User) (event.Event, error) { return made, nil }))
	job, err := s.LeaseJob(t.Context(), "notice to bob@example.com", Now(), Now())
	must(t, err)
	if n := job.Notice; n == nil || n.Topic != outbox.HostLink || n.Admin != "ada@example.com" || n.UserID != ada.ID {
		t.Errorf("to the administrator: %+v", n)
	}
	job, err = s.LeaseJob(t.Context(), "notice to ada@example.com", Now(), Now())
	must(t, err)
	if n := job.Notice; n == nil || n.Topic != outbox.SignInMethods || n.Event != string(event.HostLinkMade) {
		t.Errorf("to the user: %+v", n)
	}
	wantNotices(t, s, "a link", "ada@example.com", "bob@example.com")
	refused := link
	refused.Hash = session.Hash("another")
	if err := s.CreateHostLink(t.Context(), refused, func(directory.User) (event.Event, error) { return made, directory.ErrSuspended }); !errors.Is(err, directory.ErrSuspended) {
		t.Errorf("refused: %v", err)
	}
	got, u, err := s.GetHostLink(t.Context(), link.Hash)
	if diff := cmp.Diff(link, got); diff != "" || u.ID != ada.ID || err != nil {
		t.Errorf("%v %v (-want +got):\n%s", u, err, diff)
	}
}

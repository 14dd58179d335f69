package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// sdk returns another app's client of the local Stytch, with the credentials that
// config --stytch-env prints.
func sdk(t *testing.T, s *harness.Site) *stytchapi.API {
	t.Helper()
	env := harness.StytchEnv(t, s)
	client, err := stytchapi.NewClient(env["STYTCH_PROJECT_ID"], env["STYTCH_SECRET"],
		stytchapi.WithBaseURI(env["STYTCH_BASE_URL"]), stytchapi.WithInitializationContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestSDK_SignInWithPrintedCredentials(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(time.Now())) // the SDK uses the system clock
		client := sdk(t, s)
		callback := "http://localhost:3000/authenticate"
		if _, err := client.MagicLinks.Email.LoginOrCreate(t.Context(), &email.LoginOrCreateParams{
			Email: "grace@example.com", LoginMagicLinkURL: callback, SignupMagicLinkURL: callback,
		}); err != nil {
			t.Fatal(err)
		}
		grace := s.NewPerson("grace@example.com")
		next, _ := grace.Get(grace.NextLink()).Link("Continue")
		if !strings.HasPrefix(next, callback+"?") {
			t.Fatalf("the link leads to %s", next)
		}
		token := grace.NewRequest("GET", next, nil).URL.Query().Get("token")
		in, err := client.MagicLinks.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: token, SessionDurationMinutes: 60})
		if err != nil {
			t.Fatal(err)
		}
		// The app verifies the session's JWT locally, with the keys it has fetched.
		if checked, err := client.Sessions.AuthenticateJWTLocal(in.SessionJWT, time.Hour); err != nil || checked.UserID != in.UserID {
			t.Errorf("the JWT is of %+v, %v", checked, err)
		}
		// A Stytch account alone doesn't grant access.
		harness.WantPage(t, grace.RequestLink(), 200, "Check your email")
		if v := grace.Get("/users"); v.Heading() != "Sign in" {
			t.Errorf("grace is on %s", v.Path)
		}
	})
}

func TestSDK_RevokedSessionEndsAtTheNextCheck(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	s.Clock.Advance(10 * time.Minute)
	harness.WantPage(t, ada.Get("/users"), 200, "People") // checked a moment ago, valid for five minutes

	revoke := &sessions.RevokeParams{SessionID: harness.CurrentSession(ada).Session.ID}
	if _, err := sdk(t, s).Sessions.Revoke(t.Context(), revoke); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(5*time.Minute - time.Second)
	harness.WantPage(t, ada.Get("/users"), 200, "People")
	s.Clock.Advance(time.Second)
	page := ada.Get("/users")
	harness.WantPage(t, page, 200, "Sign in", "Your session has ended. Sign in to pick up where you left off.")
	if _, held := ada.SessionCookie(); held {
		t.Error("the browser keeps a cookie that is worth nothing")
	}
	if v := ada.CallAPI("GET", "/api/session", ""); v.Status != http.StatusUnauthorized {
		t.Errorf("by the API: %d %s", v.Status, v.Body)
	}
	if n := s.Count("SELECT COUNT(*) FROM sessions"); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestSignOut_EndsTheSessionHereAndAtStytch(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name string
		out  func(p *harness.Person) harness.View
		left int // her sessions in other browsers that remain
	}{
		{"by the button", func(p *harness.Person) harness.View { return p.Submit(p.Get("/users"), "Sign out") }, 1},
		{"by the API", func(p *harness.Person) harness.View { return p.CallAPI("POST", "/api/logout", "") }, 1},
		{"of this device, on the profile", func(p *harness.Person) harness.View {
			return p.Submit(p.Get("/profile"), "Sign out Firefox on Linux, 127.0.0.1, this device")
		}, 1},
		{"of the other device, on the profile", func(p *harness.Person) harness.View {
			return p.Submit(p.Get("/profile"), "Sign out Firefox on Linux, 127.0.0.1")
		}, 1},
		{"everywhere else", func(p *harness.Person) harness.View { return p.Submit(p.Get("/profile"), "Sign out everywhere else") }, 1},
		{"everywhere", func(p *harness.Person) harness.View { return p.Submit(p.Get("/profile"), "Sign out everywhere") }, 0},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
			ada := s.NewPerson("ada@example.com")
			ada.SignIn()
			phone := ada.InNewBrowser()
			phone.SignIn()
			if n := len(sessionsShown(ada)); n != 2 {
				t.Fatalf("the profile shows %d sessions", n)
			}
			if v := way.out(ada); v.Status != http.StatusOK {
				t.Fatalf("%d %s", v.Status, v.Text())
			}
			if n := s.Count("SELECT COUNT(*) FROM sessions"); n != way.left {
				t.Errorf("%d sessions are left here", n)
			}
			harness.Eventually(t, "the session ended at Stytch", func() bool {
				return s.Count("SELECT COUNT(*) FROM stytch_sessions") == way.left
			})
		})
	}
}

package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// receiver is an app's endpoint for back-channel logout.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	tokens []string
	answer func(w http.ResponseWriter, r *http.Request) // nil to answer 200
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost || req.URL.Path != "/logout" || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || req.ParseForm() != nil || len(req.PostForm) != 1 {
			t.Errorf("%s %s %q %v", req.Method, req.URL, req.Header.Get("Content-Type"), req.PostForm)
		}
		r.mu.Lock()
		r.tokens = append(r.tokens, req.PostForm.Get("logout_token"))
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) setAnswer(answer func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.tokens...)
}

// wait returns the tokens once there are n.
func (r *receiver) wait(t *testing.T, n int) []string {
	t.Helper()
	harness.Eventually(t, "logout tokens", func() bool { return len(r.received()) >= n })
	return r.received()
}

// signInLater signs a person in with a link that is requested now, when they may have another one.
func signInLater(t *testing.T, p *harness.Person) {
	t.Helper()
	p.Site.Clock.Advance(10 * time.Minute)
	before := len(p.Mailbox())
	p.RequestLink()
	harness.Eventually(t, "a link", func() bool { return len(p.Mailbox()) > before })
	mails := p.Mailbox()
	p.PressContinue(p.OpenLink(mails[len(mails)-1].Links[0]))
}

// logoutJobs returns the number of pending messages to apps.
func logoutJobs(site *harness.Site) int {
	return site.Count("SELECT COUNT(*) FROM outbox WHERE kind = 'backchannel_logout'")
}

// sidOf returns the sid of an ID token.
func sidOf(t *testing.T, idToken string) string {
	t.Helper()
	parsed, err := jwt.ParseSigned(idToken, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		SessionID string `json:"sid"`
	}
	if err := parsed.UnsafeClaimsWithoutVerification(&claims); err != nil || claims.SessionID == "" {
		t.Fatal(claims, err)
	}
	return claims.SessionID
}

// wantLogoutToken verifies a logout token as a client does
// (https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation).
func wantLogoutToken(t *testing.T, site *harness.Site, client harness.Client, alg jose.SignatureAlgorithm, token, userID, sid string) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), site.URL)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := provider.Verifier(&oidc.Config{ClientID: client.App.ID, Now: site.Clock.Now, SupportedSigningAlgs: []string{string(alg)}}).Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{alg})
	if err != nil || parsed.Headers[0].ExtraHeaders["typ"] != "logout+jwt" {
		t.Errorf("typ %v, %v", parsed.Headers[0].ExtraHeaders["typ"], err)
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	events, _ := json.Marshal(claims["events"])
	if verified.Subject != userID || claims["sid"] != sid || claims["jti"] == "" || claims["nonce"] != nil || string(events) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` {
		t.Errorf("claims %v, want the user %s and session %s", claims, userID, sid)
	}
	if left := verified.Expiry.Sub(site.Clock.Now()); left > 2*time.Minute || left <= time.Minute {
		t.Errorf("it is valid for %v", left)
	}
}

func TestBackchannelLogout(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		wiki, notes := newReceiver(t), newReceiver(t)
		site, first, ada := startWithClient(t, url, openid.ClientInput{BackchannelLogout: wiki.URL + "/logout"})
		second := site.AddClient(site.AddApp("Notes", "https://notes.example.com"), openid.ClientInput{
			RedirectURIs: "https://notes.example.com/callback", BackchannelLogout: notes.URL + "/logout", Algorithm: "ES256",
		})
		silent := site.AddClient(site.AddApp("Chat", "https://chat.example.com"), openid.ClientInput{RedirectURIs: "https://chat.example.com/callback"})
		userID := site.UserID(t, "ada@example.com")
		sid := ""
		for _, client := range []harness.Client{first, first, second, silent} { // twice to one
			sid = sidOf(t, tokensOf(t, client.Redeem(client.Authorize(ada).Get("code"))).IDToken)
		}
		elsewhere := ada.InNewBrowser()
		signInLater(t, elsewhere)
		otherSid := sidOf(t, tokensOf(t, first.Redeem(first.Authorize(elsewhere).Get("code"))).IDToken)

		ada.Post("/signout")
		wantLogoutToken(t, site, first, jose.RS256, wiki.wait(t, 1)[0], userID, sid)
		wantLogoutToken(t, site, second, jose.ES256, notes.wait(t, 1)[0], userID, sid)
		harness.Eventually(t, "no jobs", func() bool { return logoutJobs(site) == 0 })

		// An administrator removes her: her other session is reported, too.
		admin := site.NewPerson("admin@example.com")
		signInLater(t, admin)
		admin.Post("/users/" + userID + "/remove")
		wantLogoutToken(t, site, first, jose.RS256, wiki.wait(t, 2)[1], userID, otherSid)
		harness.Eventually(t, "no jobs", func() bool { return logoutJobs(site) == 0 })
		if n := len(wiki.received()); n != 2 || len(notes.received()) != 1 {
			t.Errorf("%d and %d tokens", n, len(notes.received()))
		}
	})
}

func TestBackchannelLogout_AppIsDown(t *testing.T) {
	t.Parallel()
	app := newReceiver(t)
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{BackchannelLogout: app.URL + "/logout"})
	app.setAnswer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	client.Authorize(ada)
	ada.Post("/signout")
	app.wait(t, 1)
	harness.Eventually(t, "a failed job", func() bool {
		return site.Count("SELECT COUNT(*) FROM outbox WHERE kind = 'backchannel_logout' AND last_error = 'The app answered 502.' AND parked_at = 0") == 1
	})
	admin := site.NewPerson("admin@example.com")
	signInLater(t, admin)
	page := admin.Get("/waiting")
	for _, want := range []string{"Sign out of Wiki", "ada@example.com", "The app answered 502."} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("no %q: %s", want, page.Text())
		}
	}
	app.setAnswer(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	site.Clock.Advance(time.Minute)
	site.App.Worker.Wake()
	harness.Eventually(t, "a redirect that isn't followed", func() bool {
		return site.Count("SELECT COUNT(*) FROM outbox WHERE kind = 'backchannel_logout' AND last_error = 'The app answered 307.'") == 1
	})
	app.setAnswer(nil)
	site.Clock.Advance(time.Hour)
	site.App.Worker.Wake()
	harness.Eventually(t, "no jobs", func() bool { return logoutJobs(site) == 0 })
	if tokens := app.received(); tokens[0] == tokens[len(tokens)-1] {
		t.Error("the token wasn't made anew")
	}
}

func TestBackchannelLogout_RefusedForGoodOrForTooLong(t *testing.T) {
	t.Parallel()
	app := newReceiver(t)
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{BackchannelLogout: app.URL + "/logout"})
	app.setAnswer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	client.Authorize(ada)
	ada.Post("/signout")
	harness.Eventually(t, "a parked job", func() bool {
		return site.Count("SELECT COUNT(*) FROM outbox WHERE kind = 'backchannel_logout' AND parked_at > 0 AND last_error = 'The app answered 400.'") == 1
	})
	if n := site.Count("SELECT COUNT(*) FROM events WHERE kind = 'job_parked' AND subject = 'ada@example.com' AND reason = 'backchannel_logout: Wiki: The app answered 400.'"); n != 1 {
		t.Errorf("%d events", n)
	}

	app.Close()
	signInLater(t, ada)
	client.Authorize(ada)
	ada.Post("/signout")
	harness.Eventually(t, "a failed job", func() bool {
		return site.Count("SELECT COUNT(*) FROM outbox WHERE kind = 'backchannel_logout' AND last_error = 'The app couldn’t be reached.'") == 1
	})
	site.Clock.Advance(24 * time.Hour)
	site.App.Worker.Wake()
	harness.Eventually(t, "a dropped job", func() bool { return logoutJobs(site) == 1 }) // the parked one
	if n := site.Count("SELECT COUNT(*) FROM events WHERE kind = 'job_dropped' AND subject = 'ada@example.com' AND reason = 'backchannel_logout: Wiki: given up after a day. The app couldn’t be reached.'"); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestBackchannelLogout_ClientWithoutURLAnyMore(t *testing.T) {
	t.Parallel()
	app := newReceiver(t)
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{BackchannelLogout: app.URL + "/logout"})
	app.setAnswer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	client.Authorize(ada)
	ada.Post("/signout")
	app.wait(t, 1)
	site.AddClient(client.App, openid.ClientInput{RedirectURIs: client.RedirectURI})
	harness.Eventually(t, "no jobs", func() bool {
		site.Clock.Advance(time.Minute)
		site.App.Worker.Wake()
		return logoutJobs(site) == 0
	})
}

// An app that never answers delays neither Stytch nor another app.
func TestBackchannelLogout_AppHangs(t *testing.T) {
	t.Parallel()
	slow, quick := newReceiver(t), newReceiver(t)
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{BackchannelLogout: slow.URL + "/logout"})
	other := site.AddClient(site.AddApp("Notes", "https://notes.example.com"), openid.ClientInput{
		RedirectURIs: "https://notes.example.com/callback", BackchannelLogout: quick.URL + "/logout",
	})
	released := make(chan struct{})
	t.Cleanup(func() { close(released) }) // before the server closes
	slow.setAnswer(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-released:
		}
	})
	const sessions = 10 // more than there are workers
	browsers := []*harness.Person{ada}
	for len(browsers) < sessions {
		browser := ada.InNewBrowser()
		signInLater(t, browser)
		browsers = append(browsers, browser)
	}
	for _, browser := range browsers {
		client.Authorize(browser)
		other.Authorize(browser)
	}
	began := time.Now()
	for _, browser := range browsers {
		browser.Post("/signout")
	}
	quick.wait(t, sessions)
	harness.Eventually(t, "no calls to Stytch", func() bool {
		return site.Count("SELECT COUNT(*) FROM outbox WHERE kind <> 'backchannel_logout'") == 0
	})
	if n := len(slow.received()); n > 1+int(time.Since(began)/(5*time.Second)) {
		t.Errorf("%d requests at the same time", n)
	}
	if logoutJobs(site) == 0 {
		t.Error("nothing hangs")
	}
}

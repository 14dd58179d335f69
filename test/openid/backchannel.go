package openid

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// logoutTokenWait is how long a logout token may take.
const logoutTokenWait = 20 * time.Second

// logoutEvent is the event of logout tokens.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// LogoutReceiver is a client's back-channel logout URI, over plain HTTP.
type LogoutReceiver struct {
	URL      string
	received chan url.Values
	forge    func(token string) string // changes the token of the session that is waited for; nil for none
}

// NewLogoutReceiver serves a back-channel logout URI until the end of the test.
func NewLogoutReceiver(t testing.TB) *LogoutReceiver {
	receiver := &LogoutReceiver{received: make(chan url.Values, 1000)}
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	receiver.URL = server.URL + "/backchannel_logout"
	return receiver
}

// ServeHTTP receives a logout token.
func (l *LogoutReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.received <- r.PostForm
}

// receiveLogoutToken is oidcc-backchannel-rp-initiated-logout.
func receiveLogoutToken(r *run) {
	r.fetchMetadata()
	if r.p.Logout == nil {
		r.stop("the client has no back-channel logout URI")
	}
	r.p.Logout.drain()
	b, id := r.startSignOut()
	q := r.newSignOut(id.value)
	page := r.confirm(b, r.sendSignOut(b, q))
	r.checkLogoutToken(id, r.waitForLogoutToken(id))
	r.checkReturn(q, page)
	r.wantSignedOut(b)
}

// drain forgets the logout tokens of earlier modules.
func (l *LogoutReceiver) drain() {
	for {
		select {
		case <-l.received:
		default:
			return
		}
	}
}

// waitForLogoutToken waits for the logout token of the session of an ID token and returns it. One for
// another session, which an earlier module has ended, may arrive before it.
func (r *run) waitForLogoutToken(id idToken) idToken {
	var other *idToken
	deadline := time.After(logoutTokenWait)
	for {
		select {
		case form := <-r.p.Logout.received:
			for name := range form {
				if name != "logout_token" {
					r.warn("the logout request has the unexpected parameter %s", name)
				}
			}
			token := r.readIDToken(form.Get("logout_token"))
			if token.claims.has("sid") && token.claims.text("sid") != id.claims.text("sid") {
				other = &token
				continue
			}
			if r.p.Logout.forge != nil {
				return r.readIDToken(r.p.Logout.forge(token.value))
			}
			return token
		case <-deadline:
			if other == nil {
				r.stop("no logout token has arrived")
			}
			return *other
		}
	}
}

// checkLogoutToken checks a logout token for the session of an ID token.
func (r *run) checkLogoutToken(id, t idToken) {
	r.checkSignature("the logout token", t)
	if t.claims.text("iss") != r.metadata.text("issuer") {
		r.fail("the logout token has the iss %v, want %q", t.claims["iss"], r.metadata.text("issuer"))
	}
	r.checkAudience("the logout token", r.p.Basic, t.claims)
	seconds, ok := t.claims.integer("iat")
	if at := time.Unix(seconds, 0); !ok || at.After(r.p.now().Add(clockSkew)) || at.Before(r.p.now().AddDate(0, 0, -1)) {
		r.fail("the logout token has the iat %v", t.claims["iat"])
	}
	if t.claims.text("jti") == "" {
		r.fail("the logout token has no jti")
	}
	events, _ := t.claims["events"].(map[string]any)
	event, ok := events[logoutEvent].(map[string]any)
	if !ok || len(events) != 1 || len(event) != 0 {
		r.fail("the logout token has the events %v", t.claims["events"])
	}
	if t.claims.has("nonce") {
		r.fail("the logout token has a nonce")
	}
	if !t.claims.has("sub") && !t.claims.has("sid") {
		r.fail("the logout token has neither sub nor sid")
	}
	for _, name := range []string{"sub", "sid"} {
		if t.claims.has(name) && t.claims.text(name) != id.claims.text(name) {
			r.fail("the logout token has the %s %v, the ID token %v", name, t.claims[name], id.claims[name])
		}
	}
}

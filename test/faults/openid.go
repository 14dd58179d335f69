package faults

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The OpenID Connect client of a trial's app. It is public, so that its requests need no secret.
const (
	clientRedirect = "https://wiki.example.com/callback"
	clientVerifier = "a-code-verifier-of-43-characters-or-more-0123"
)

// grant is a sign-in to the app by OpenID Connect.
type grant struct {
	access, refresh string    // tokens
	ended           certainty // whether the sign-in has ended before its session, because its code or a token was used twice
}

// createClient makes the app an OpenID Connect client.
func (x *trial) createClient() {
	resp := x.do(x.adminCookie, "PUT", "/api/apps/"+x.appID+"/openid", fmt.Sprintf(`{"public":true,"redirect_uris":[%q]}`, clientRedirect))
	if resp.outcome != acknowledged {
		x.Fatalf("the client isn't created: %d %s", resp.status, resp.body)
	}
}

// atEndpoint sends a form to an endpoint of one of the instances, or an access token if there is no form.
func (x *trial) atEndpoint(path string, form url.Values, accessToken string) response {
	i := x.anyInstance()
	r := newRequest(i, "", "GET", path, "")
	if form != nil {
		form.Set("client_id", x.appID)
		r = newRequest(i, "", "POST", path, form.Encode())
	}
	_, port, _ := net.SplitHostPort(i.addr)
	r.Host = net.JoinHostPort("localhost", port)
	if accessToken != "" {
		r.Header.Set("Authorization", "Bearer "+accessToken)
	}
	begin := time.Now()
	resp := x.send(r)
	x.ledger.record(resp, time.Since(begin), path)
	return resp
}

// authorize asks for a code with a session, and returns it, or "" if there is none.
func (c *client) authorize(u *user, s *session) string {
	sum := sha256.Sum256([]byte(clientVerifier))
	q := url.Values{
		"client_id": {c.appID}, "redirect_uri": {clientRedirect}, "response_type": {"code"}, "scope": {"openid email offline_access"}, "prompt": {"none"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	live, sent := s.live, time.Now()
	resp := c.atGuestlist(s.cookie, "/oauth/authorize?"+q.Encode())
	before := c.access(u, live, sent)
	query, found := strings.CutPrefix(resp.location, clientRedirect+"?")
	if !found {
		return ""
	}
	answer, err := url.ParseQuery(query)
	if err != nil {
		c.ledger.fail(lost, "a response that can't be read: %s", query)
	}
	code := answer.Get("code")
	switch {
	case code != "" && before == no:
		c.ledger.fail(letIn, "%s gets a code (listed: %v, session: %v, member: %v)", u.email, u.listed == yes, live == yes, u.member == yes)
	case code == "" && before == yes:
		c.ledger.fail(lost, "a code for %s: %s", u.email, answer.Get("error"))
	}
	return code
}

// signInByOpenID signs a user in to the app by OpenID Connect. Some codes are redeemed twice, at the same
// time.
func (c *client) signInByOpenID(u *user, s *session) {
	code := c.authorize(u, s)
	if code == "" {
		return
	}
	tries := 1 + rand.IntN(2)
	responses := make(chan response, tries)
	live, sent := s.live, time.Now()
	for range tries {
		go func() {
			responses <- c.atEndpoint("/oauth/token", url.Values{
				"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {clientRedirect}, "code_verifier": {clientVerifier},
			}, "")
		}()
	}
	issued, reused, turnedDown := 0, false, false
	g := &grant{}
	for range tries {
		resp := <-responses
		reused = reused || resp.outcome == refused && strings.Contains(resp.body, "It was used before")
		turnedDown = turnedDown || resp.status == http.StatusBadRequest
		if resp.outcome == acknowledged {
			issued++
			g.read(resp)
		}
	}
	before := c.access(u, live, sent)
	switch {
	case issued > 1:
		c.ledger.fail(doubled, "a code of %s was redeemed %d times", u.email, issued)
	case issued > 0 && before == no:
		c.ledger.fail(letIn, "%s gets tokens (listed: %v, session: %v, member: %v)", u.email, u.listed == yes, live == yes, u.member == yes)
	case tries == 1 && reused:
		c.ledger.fail(lost, "the first use of a code of %s", u.email)
	case tries == 1 && turnedDown && before == yes && !c.clocksStep.Load(): // a code may have expired
		c.ledger.fail(lost, "the use of a code of %s", u.email)
	}
	if issued == 0 {
		return
	}
	if reused {
		g.ended = yes
	} else if tries > 1 {
		g.ended = maybe // the other response may have been lost
	}
	s.grant = g
	c.checkGrant(u, s)
}

// read takes the tokens of a response.
func (g *grant) read(resp response) {
	var tokens struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	json.Unmarshal([]byte(resp.body), &tokens) // invalid JSON leaves the tokens empty
	g.access, g.refresh = tokens.Access, tokens.Refresh
}

// grantAccess says whether the tokens of a session's sign-in to the app work for requests that are sent
// at a time.
func (x *trial) grantAccess(u *user, g *grant, live certainty, sent time.Time) certainty {
	access := x.access(u, live, sent)
	switch {
	case g.ended == yes, access == no:
		return no
	case g.ended == maybe, x.clocksStep.Load(): // a token may have expired
		return maybe
	}
	return access
}

// checkGrant compares the responses to the tokens of a session's sign-in to the app with what was known
// before. It reports whether they were conclusive.
func (x *trial) checkGrant(u *user, s *session) bool {
	g := s.grant
	if g == nil {
		return true
	}
	live, sent := s.live, time.Now()
	resp := x.atEndpoint("/oauth/userinfo", nil, g.access)
	before := x.grantAccess(u, g, live, sent)
	switch resp.status {
	case http.StatusOK:
		var claims struct{ Email string }
		json.Unmarshal([]byte(resp.body), &claims) // invalid JSON leaves the email empty
		if claims.Email != u.email {
			x.ledger.fail(letIn, "an access token of %s is that of %q", u.email, claims.Email)
		}
		if before == no {
			x.ledger.fail(letIn, "an access token of %s works after its end (listed: %v, session: %v, member: %v, ended: %v)",
				u.email, u.listed == yes, live == yes, u.member == yes, g.ended == yes)
		}
		x.ledger.countUserInfo()
	case http.StatusUnauthorized:
		// A token may have expired, if clocks were moved: then it can be renewed.
		return x.renewGrant(u, s)
	default:
		return false
	}
	if rand.IntN(4) == 0 {
		return x.renewGrant(u, s)
	}
	return true
}

// renewGrant renews the tokens of a session's sign-in to the app.
func (x *trial) renewGrant(u *user, s *session) bool {
	g := s.grant
	live, sent := s.live, time.Now()
	resp := x.atEndpoint("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {g.refresh}}, "")
	before := x.grantAccess(u, g, live, sent)
	switch {
	case resp.outcome == acknowledged:
		if before == no {
			x.ledger.fail(letIn, "tokens of %s are renewed after their end (listed: %v, session: %v, member: %v, ended: %v)",
				u.email, u.listed == yes, live == yes, u.member == yes, g.ended == yes)
		}
		g.read(resp)
	case resp.status == http.StatusBadRequest:
		if before == yes {
			x.ledger.fail(lost, "a sign-in of %s to the app that wasn't ended: %s", u.email, resp.body)
		}
		x.ledger.countTokenRefused()
	case resp.outcome == unknown:
		if g.ended == no {
			g.ended = maybe // another use of the refresh token may end the sign-in
		}
		return false
	default:
		return false
	}
	return true
}

// verifyGrants checks what the database has about sign-ins to apps.
func (x *trial) verifyGrants() {
	x.verifyUnique("grants", "code_hash")
	orphans, err := x.rows("SELECT COUNT(*) FROM grant_tokens t LEFT JOIN grants g ON g.id = t.grant_id WHERE g.id IS NULL")
	if err != nil {
		x.Fatal(err)
	}
	if n := orphans[0][0]; n != "0" {
		x.ledger.fail(lost, "the end of %s tokens whose sign-in has ended", n)
	}
	unused, err := x.rows("SELECT COUNT(*) FROM grant_tokens t JOIN grants g ON g.id = t.grant_id WHERE g.code_used_at = 0")
	if err != nil {
		x.Fatal(err)
	}
	if n := unused[0][0]; n != "0" {
		x.ledger.fail(doubled, "%s tokens of codes that can be used again", n)
	}
}

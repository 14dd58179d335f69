package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SignInFlow is a browser's sign-in in progress, kept in a cookie. One flow serves all
// links that the browser requests or opens while it lasts, because a mailed link
// can't say which request it answers. The zero value is a new flow.
type SignInFlow struct {
	ID            string    // random; without it, the browser can't redeem a link twice
	ReturnPath    string    // where to go after the sign-in; empty for the user's start page
	Returned      bool      // the user was sent to ReturnPath; it is kept for a repeated sign-in
	Verifier      string    // PKCE code verifier of all its links; empty if they have none
	MadeAt        time.Time // when the verifier was made, whole microseconds; zero if unknown
	Asked         string    // fingerprints of the addresses that links were requested for; empty if none was
	Email         string    // the address asked for last, normalized; empty if none was
	CodeID        string    // of the latest request for a code to Email; empty if there was none
	RequestedAt   time.Time // when a link or a code was requested last, whole seconds; zero if none was
	OAuthVerifier string    // PKCE code verifier of a sign-in with another provider; empty if none was begun
	Token         string    // of the link opened last, for a reload after it has left the address bar
	TokenIsOAuth  bool      // Token is from another provider
	ExpiresAt     time.Time // whole seconds
}

// maxAsked is the number of addresses that a flow remembers.
const maxAsked = 8

// EnsureID gives the flow an ID if it has none.
func (f *SignInFlow) EnsureID() {
	if f.ID == "" {
		f.ID = rand.Text()
	}
}

// Ask remembers that a link or a code was requested for an address (normalized). A code of
// another address can't be used any more.
func (f *SignInFlow) Ask(address string) {
	if f.Email != address {
		f.CodeID = ""
	}
	f.Email = address
	if f.hasAsked(address) {
		return
	}
	asked := append([]string{fingerprint(address)}, strings.Fields(f.Asked)...)
	f.Asked = strings.Join(asked[:min(len(asked), maxAsked)], " ")
}

func (f *SignInFlow) hasAsked(address string) bool {
	return slices.Contains(strings.Fields(f.Asked), fingerprint(address))
}

// challenge returns the PKCE code challenge (https://www.rfc-editor.org/rfc/rfc7636) of
// the flow's verifier. It makes a new verifier if there is none or if it was made
// before notBefore.
func (f *SignInFlow) challenge(notBefore, now time.Time) string {
	if f.Verifier == "" || f.MadeAt.Before(notBefore) {
		f.Verifier, f.MadeAt = rand.Text()+rand.Text(), now // 52 characters, 260 random bits
	}
	return challengeOf(f.Verifier)
}

// oauthDuration is how long a browser may take to come back from another provider.
const oauthDuration = 30 * time.Minute

// StartOAuth makes the PKCE code verifier of a sign-in with another provider, and returns
// its challenge. It replaces that of an earlier one. The flow lasts long enough.
func (f *SignInFlow) StartOAuth(now time.Time) (challenge string) {
	f.EnsureID()
	if end := now.Add(oauthDuration); f.ExpiresAt.Before(end) {
		f.ExpiresAt = end
	}
	f.OAuthVerifier = rand.Text() + rand.Text()
	return challengeOf(f.OAuthVerifier)
}

// challengeOf returns the PKCE code challenge of a verifier (S256).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Flow returns the browser's flow. ok is false if there is none.
func (c *Cookies) Flow(r *http.Request) (f SignInFlow, ok bool) {
	v, _ := c.open(r, c.opts.Name+"-signin")
	seconds, err := strconv.ParseInt(v["expires"], 10, 64)
	f = SignInFlow{
		ID: v["id"], ReturnPath: v["return"], Returned: v["returned"] == "true", Verifier: v["verifier"],
		Asked: v["asked"], Email: v["email"], CodeID: v["code"], OAuthVerifier: v["oauth"], Token: v["token"], TokenIsOAuth: v["type"] == "oauth", ExpiresAt: time.Unix(seconds, 0),
	}
	if made, err := strconv.ParseInt(v["made"], 10, 64); err == nil {
		f.MadeAt = time.UnixMicro(made).UTC()
	}
	if requested, err := strconv.ParseInt(v["requested"], 10, 64); err == nil {
		f.RequestedAt = time.Unix(requested, 0).UTC()
	}
	if err != nil || !c.opts.Now().Before(f.ExpiresAt) {
		return SignInFlow{}, false
	}
	return f, true
}

// SetFlow stores a flow in the browser until it expires.
func (c *Cookies) SetFlow(w http.ResponseWriter, r *http.Request, f SignInFlow) error {
	v := map[string]string{
		"id": f.ID, "return": f.ReturnPath, "verifier": f.Verifier,
		"asked": f.Asked, "email": f.Email, "code": f.CodeID, "oauth": f.OAuthVerifier, "token": f.Token, "expires": strconv.FormatInt(f.ExpiresAt.Unix(), 10),
	}
	if !f.MadeAt.IsZero() {
		v["made"] = strconv.FormatInt(f.MadeAt.UnixMicro(), 10)
	}
	if f.Returned {
		v["returned"] = "true"
	}
	if f.TokenIsOAuth {
		v["type"] = "oauth"
	}
	if !f.RequestedAt.IsZero() {
		v["requested"] = strconv.FormatInt(f.RequestedAt.Unix(), 10)
	}
	return c.save(w, r, c.opts.Name+"-signin", v, f.ExpiresAt.Sub(c.opts.Now()))
}

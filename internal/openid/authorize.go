package openid

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/session"
)

// Step is what an authorization request needs next.
type Step string

// The steps.
const (
	Redirect       Step = "redirect"       // send the browser to Location
	SignIn         Step = "sign_in"        // no one is signed in
	Confirm        Step = "confirm"        // the user must prove a factor again
	ChooseAccount  Step = "choose_account" // the user must confirm who is signed in, or switch
	SwitchAccount  Step = "switch_account" // another user must be signed in
	RefusedByRules Step = "refused"        // the user may not open the app, see Decision
)

// loopWindow and maxRecentGrants bound how often one session is signed in to one app: an app that doesn't
// keep its sign-ins asks again and again. Many tabs may ask at once.
const (
	loopWindow      = time.Minute
	maxRecentGrants = 100
)

// ErrLoop reports that an app has asked to sign a user in too often.
var ErrLoop = errors.New("the app asked for many sign-ins within a minute")

// Authorization is the answer to an authorization request. Except for a Redirect, the request is
// resumed after the step.
type Authorization struct {
	Step     Step
	Location string        // of a Redirect
	App      apps.App      // that the user signs in to
	Request  Request       // to resume
	Decision apps.Decision // of RefusedByRules
}

// Authorize answers an authorization request. current is the browser's session, nil if no one is
// signed in. Errors: *Error, which must be shown to the user, because the request doesn't say where
// to send it; ErrLoop; directory.ErrUnavailable.
func (p *Provider) Authorize(ctx context.Context, params url.Values, current *session.Session) (Authorization, error) {
	state, err := p.clientFor(ctx, params.Get("client_id"), current)
	if err != nil {
		return Authorization{}, err
	}
	r, err := p.parseRequest(params, state.Client)
	if failed := (*redirectError)(nil); errors.As(err, &failed) {
		return p.redirectWithError(state.App, failed), nil
	}
	if err != nil {
		return Authorization{}, err
	}
	return p.authorize(ctx, r, state, current)
}

// Resume answers an authorization request after a step. Errors: those of Authorize.
func (p *Provider) Resume(ctx context.Context, r Request, current *session.Session) (Authorization, error) {
	state, err := p.clientFor(ctx, r.ClientID, current)
	if err != nil {
		return Authorization{}, err
	}
	if !state.Client.allowsRedirect(r.RedirectURI) { // it was changed in between
		return Authorization{}, invalidRequest("The redirect_uri is not one of the client's.")
	}
	return p.authorize(ctx, r, state, current)
}

func (p *Provider) clientFor(ctx context.Context, clientID string, current *session.Session) (ClientState, error) {
	user := session.Session{}
	if current != nil {
		user = *current
	}
	state, err := p.store.CheckClient(ctx, clientID, user, p.now().Add(-loopWindow))
	if errors.Is(err, directory.ErrNotFound) {
		return ClientState{}, invalidRequest("The client_id is unknown.")
	}
	return state, err
}

// authorize decides what a valid request needs next, and creates its grant if it needs nothing.
func (p *Provider) authorize(ctx context.Context, r Request, state ClientState, current *session.Session) (Authorization, error) {
	answer := Authorization{App: state.App, Request: r}
	fail := func(code, description string) (Authorization, error) {
		return p.redirectWithError(state.App, &redirectError{newError(code, description), r.RedirectURI, r.State}), nil
	}
	if answer.Step = p.stepBefore(r, current); answer.Step != "" {
		if r.NoPages {
			return fail("login_required", "The user must sign in.")
		}
		return answer, nil
	}
	now := p.now()
	if d := apps.Decide(state.App, current.User, state.Memberships, now); d != apps.Allowed {
		answer.Step, answer.Decision = RefusedByRules, d
		if r.NoPages {
			return fail("access_denied", "The user may not open this app.")
		}
		return answer, nil
	}
	if state.RecentGrants >= maxRecentGrants {
		p.log.Warn("an app keeps asking users to sign in", "app", state.App.ID, "user", current.UserID)
		if r.NoPages {
			return fail("temporarily_unavailable", "The user was signed in too often within a minute.")
		}
		return Authorization{}, ErrLoop
	}
	code := newSecret(codePrefix)
	err := p.store.CreateGrant(ctx, Grant{
		ID: ids.New(), AppID: state.App.ID, UserID: current.UserID, SessionHash: current.TokenHash, Scope: r.Scope, Nonce: r.Nonce,
		AuthTime: authTime(*current), RedirectURI: r.RedirectURI, CodeHash: hash(code), CodeChallenge: r.CodeChallenge,
		CodeExpiresAt: now.Add(codeLifetime), CreatedAt: now, ExpiresAt: now.Add(codeLifetime),
	})
	if err != nil {
		return Authorization{}, fmt.Errorf("openid: create grant: %w", err)
	}
	answer.Step, answer.Location = Redirect, p.responseURL(r.RedirectURI, r.State, url.Values{"code": {code}})
	return answer, nil
}

// stepBefore returns what the user has to do before the rules of the app are asked, or "".
func (p *Provider) stepBefore(r Request, current *session.Session) Step {
	if current == nil {
		return SignIn
	}
	if r.Subject != "" && r.Subject != current.UserID {
		return SwitchAccount
	}
	proven := authTime(*current)
	since := r.StartedAt.Truncate(time.Second) // the precision of proofs
	if proven.Before(since) {
		if r.SignInAgain || r.MaxAge >= 0 && p.now().Sub(proven) > time.Duration(r.MaxAge)*time.Second {
			return Confirm
		}
		if r.ChooseAccount {
			return ChooseAccount
		}
	}
	return ""
}

// authTime returns when the user of a session last proved a factor.
func authTime(s session.Session) time.Time {
	latest := time.Time{}
	for proof := range s.Proofs.All() {
		if proof.At.After(latest) {
			latest = proof.At
		}
	}
	if latest.IsZero() { // a session of an earlier release
		return s.CreatedAt
	}
	return latest
}

// redirectWithError returns the answer that sends an error to the client.
func (p *Provider) redirectWithError(a apps.App, e *redirectError) Authorization {
	location := p.responseURL(e.uri, e.state, url.Values{"error": {e.cause.Code}, "error_description": {e.cause.Description}})
	return Authorization{Step: Redirect, Location: location, App: a}
}

// responseURL returns a redirect URI with the parameters of a response. The URI stays as it was
// written. iss names the provider, so that a client of several can't be confused about which one has
// answered (https://www.rfc-editor.org/rfc/rfc9207).
func (p *Provider) responseURL(uri, state string, params url.Values) string {
	if state != "" {
		params.Set("state", state)
	}
	params.Set("iss", p.issuer)
	return appendQuery(uri, params)
}

// appendQuery returns a URI with parameters added to its query.
func appendQuery(uri string, params url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + params.Encode()
}

// methods returns how the user of a session has signed in, as registered names
// (https://www.rfc-editor.org/rfc/rfc8176#section-2), and the strength: aal1 or aal2, with a passkey
// or a second factor.
func methods(s session.Session) (amr []string, acr string) {
	names := map[string]bool{}
	for proof := range s.Proofs.All() {
		switch proof.Kind {
		case factor.EmailLink, factor.EmailCode, factor.HostLink, factor.TOTP, factor.RecoveryCode:
			names["otp"] = true
		case factor.Passkey:
			names["pop"], names["user"] = true, true
		}
	}
	acr = "aal1"
	if s.Proofs.HasSecond() {
		names["mfa"] = true
		acr = "aal2"
	}
	for _, name := range []string{"otp", "pop", "user", "mfa"} {
		if names[name] {
			amr = append(amr, name)
		}
	}
	return amr, acr
}

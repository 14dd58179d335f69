package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// The errors of OAuth. Stytch has no separate error for a token that was used before.
var (
	errProviderNotConfigured = newError(http.StatusNotFound, "oauth_config_not_found", "The provider is not set up here. There are google, github and microsoft.")
	errOAuthTokenNotFound    = newError(http.StatusNotFound, "oauth_token_not_found", "The OAuth token could not be found. It may have been used, or have expired.")
	errProviderNotFound      = newError(http.StatusNotFound, "oauth_user_registration_not_found", "The OAuth user registration could not be found.")
	errNoUserSelection       = newError(http.StatusBadRequest, "no_user_selection_arguments", "Give one of user_id, session_token and session_jwt.")
)

// The kinds of OAuth tokens.
const (
	oauthSignIn = "sign_in" // of a browser that comes back from a provider
	oauthAttach = "attach"  // attaches the account that a browser will choose to a user
)

// oauthTokenLifetime is how long a token may be used.
const oauthTokenLifetime = 5 * time.Minute

// maxOAuthTokens is how many open tokens a user has. Beyond that, the oldest are deleted.
const maxOAuthTokens = 10

// oauthTokenDetails are the fields without an index. They are stored as JSON.
type oauthTokenDetails struct {
	Provider       string   `json:"provider"`
	RegistrationID string   `json:"registration_id,omitempty"`
	EmailID        string   `json:"email_id,omitempty"` // of the provider's address, if the user has it
	Scopes         []string `json:"scopes,omitempty"`
	CodeChallenge  string   `json:"code_challenge,omitempty"`
}

// oauthProvider is a provider that the local Stytch can play.
type oauthProvider struct {
	key          string   // in addresses
	name         string   // for people
	providerType string   // in responses
	scopes       []string // those that every sign-in has
	setFactor    func(f *factor, details *oauthFactor)
}

var oauthProviders = []oauthProvider{
	{
		key: "google", name: "Google", providerType: "Google", scopes: []string{"openid", "email", "profile"},
		setFactor: func(f *factor, details *oauthFactor) { f.Google = details },
	},
	{
		key: "github", name: "GitHub", providerType: "Github", scopes: []string{"user:email"},
		setFactor: func(f *factor, details *oauthFactor) { f.GitHub = details },
	},
	{
		key: "microsoft", name: "Microsoft", providerType: "Microsoft", scopes: []string{"openid", "email", "profile"},
		setFactor: func(f *factor, details *oauthFactor) { f.Microsoft = details },
	},
}

func findProvider(key string) (oauthProvider, error) {
	i := slices.IndexFunc(oauthProviders, func(p oauthProvider) bool { return p.key == key })
	if i < 0 {
		return oauthProvider{}, errProviderNotConfigured
	}
	return oauthProviders[i], nil
}

func newProviderObject(row dbsqlc.StytchOauthRegistration) providerObject {
	o := providerObject{ProviderType: row.Provider, ProviderSubject: row.Subject, RegistrationID: row.RegistrationID}
	if p, err := findProvider(row.Provider); err == nil {
		o.ProviderType = p.providerType
	}
	return o
}

// insertOAuthToken stores a token for a user and returns it. Only its hash is kept.
func (s *Server) insertOAuthToken(ctx context.Context, q *dbsqlc.Queries, kind, userID string, details oauthTokenDetails) (string, error) {
	text, err := json.Marshal(details)
	if err != nil {
		return "", err
	}
	token := newToken()
	err = q.InsertOAuthToken(ctx, dbsqlc.InsertOAuthTokenParams{
		TokenHash: hashToken(token), Kind: kind, UserID: userID, Details: string(text),
		ExpiresAt: s.now() + oauthTokenLifetime.Microseconds(),
	})
	if err != nil {
		return "", wrap("insert oauth token", err)
	}
	// The user is locked, so no other transaction inserts its tokens.
	surplus, err := q.SurplusOAuthTokens(ctx, dbsqlc.SurplusOAuthTokensParams{UserID: userID, Limit: purgeBatch, Offset: maxOAuthTokens})
	if err == nil && len(surplus) > 0 {
		_, err = q.DeleteOAuthTokens(ctx, surplus)
	}
	return token, wrap("delete oauth tokens", err)
}

// findOAuthToken returns a token of a kind that may still be used.
func (s *Server) findOAuthToken(ctx context.Context, kind, token string) (dbsqlc.StytchOauthToken, oauthTokenDetails, error) {
	var details oauthTokenDetails
	row, err := s.read.GetOAuthToken(ctx, hashToken(token))
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && (row.Kind != kind || row.ExpiresAt <= s.now()):
		return row, details, errOAuthTokenNotFound
	case err != nil:
		return row, details, wrap("get oauth token", err)
	}
	return row, details, wrap("read oauth token", json.Unmarshal([]byte(row.Details), &details))
}

// spendOAuthToken deletes a token. Of several concurrent calls, one succeeds.
func spendOAuthToken(ctx context.Context, q *dbsqlc.Queries, hash string) error {
	n, err := q.SpendOAuthToken(ctx, hash)
	if err == nil && n == 0 {
		return errOAuthTokenNotFound
	}
	return wrap("spend oauth token", err)
}

type oauthResponse struct {
	meta
	UserID          string         `json:"user_id"`
	ProviderSubject string         `json:"provider_subject"`
	ProviderType    string         `json:"provider_type"`
	RegistrationID  string         `json:"oauth_user_registration_id"`
	ProviderValues  providerValues `json:"provider_values"`
	User            userObject     `json:"user"`
	ResetSessions   bool           `json:"reset_sessions"` // always false: other sessions stay
	SessionToken    string         `json:"session_token"`
	SessionJWT      string         `json:"session_jwt"`
	UserSession     *sessionObject `json:"user_session"`
	UserDevice      *emptyObject   `json:"user_device"`
}

// providerValues are what a program would need to call the provider. No provider knows this
// access token.
type providerValues struct {
	AccessToken  string    `json:"access_token"`
	RefreshToken string    `json:"refresh_token"`
	IDToken      string    `json:"id_token"`
	Scopes       []string  `json:"scopes"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// authenticateOAuth redeems the token of a browser that comes back from a provider. It
// checks the whole request first, so that a mistake does not use up the token.
func (s *Server) authenticateOAuth(c *call) (response, error) {
	var req struct {
		sessionRequest
		Token        string `json:"token"`
		CodeVerifier string `json:"code_verifier"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if !tokenPattern.MatchString(req.Token) {
		return nil, errInvalidToken
	}
	if err := checkVerifierForm(req.CodeVerifier); err != nil {
		return nil, err
	}
	opts, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	token, details, err := s.findOAuthToken(c.ctx, oauthSignIn, req.Token)
	if err != nil {
		return nil, err
	}
	if err := checkVerifier(details.CodeChallenge, req.CodeVerifier); err != nil {
		return nil, err
	}
	provider, err := findProvider(details.Provider)
	if err != nil {
		return nil, err
	}
	var registration dbsqlc.StytchOauthRegistration
	granted, err := s.authenticate(c.ctx, authentication{
		userID: token.UserID, gone: errOAuthTokenNotFound, opts: opts,
		prove: func(q *dbsqlc.Queries, _ *account) (factor, error) {
			if err := spendOAuthToken(c.ctx, q, token.TokenHash); err != nil {
				return factor{}, err
			}
			var err error
			registration, err = q.GetOAuthRegistration(c.ctx, details.RegistrationID)
			if errors.Is(err, sql.ErrNoRows) { // removed in the meantime
				return factor{}, errOAuthTokenNotFound
			}
			f := factor{Type: "oauth", DeliveryMethod: "oauth_" + provider.key}
			provider.setFactor(&f, &oauthFactor{ID: registration.RegistrationID, ProviderSubject: registration.Subject, EmailID: details.EmailID})
			return f, wrap("get provider", err)
		},
	})
	if err != nil {
		return nil, err
	}
	return &oauthResponse{
		UserID: granted.UserID, ProviderSubject: registration.Subject, ProviderType: provider.providerType, RegistrationID: registration.RegistrationID,
		ProviderValues: providerValues{AccessToken: newToken(), Scopes: details.Scopes, ExpiresAt: s.clock.Now().UTC().Add(time.Hour)},
		User:           granted.User, SessionToken: granted.SessionToken, SessionJWT: granted.SessionJWT, UserSession: granted.Session,
	}, nil
}

type attachResponse struct {
	meta
	Token string `json:"oauth_attach_token"`
}

// attachOAuth returns a token for the start route, by which the account that the browser
// chooses there is attached to a user.
func (s *Server) attachOAuth(c *call) (response, error) {
	var req struct {
		userSelector
		Provider string `json:"provider"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	provider, err := findProvider(req.Provider)
	if err != nil {
		return nil, err
	}
	session, err := s.findSession(c.ctx, req.SessionToken, req.SessionJWT)
	switch {
	case err != nil:
		return nil, err
	case session == nil && req.UserID == "":
		return nil, errNoUserSelection
	case session != nil && req.UserID != "":
		return nil, badRequest("Give one of user_id, session_token and session_jwt.")
	case session != nil:
		req.UserID = session.UserID
	}
	out := &attachResponse{}
	_, _, err = s.changeUser(c.ctx, req.UserID, func(q *dbsqlc.Queries, user *account) (err error) {
		out.Token, err = s.insertOAuthToken(c.ctx, q, oauthAttach, user.UserID, oauthTokenDetails{Provider: provider.key})
		return err
	})
	return out, err
}

// deleteProvider removes a user's account at a provider.
func (s *Server) deleteProvider(c *call) (response, error) {
	var row dbsqlc.StytchOauthRegistration
	var user account
	err := s.readThenTx(c.ctx, func() (err error) {
		row, err = s.read.GetOAuthRegistration(c.ctx, c.id)
		if errors.Is(err, sql.ErrNoRows) {
			return errProviderNotFound
		}
		return err
	}, func(q *dbsqlc.Queries) error {
		if _, err := s.lockUser(c.ctx, q, row.UserID); err != nil {
			return err
		}
		n, err := q.DeleteOAuthRegistration(c.ctx, row.RegistrationID)
		if err != nil {
			return wrap("delete provider", err)
		}
		if n == 0 {
			return errConflict
		}
		user, err = s.findUser(c.ctx, q, row.UserID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhook(userUpdated, &user)
	return &factorChangeResponse{UserID: user.UserID, User: user.object()}, nil
}

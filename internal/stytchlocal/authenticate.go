package stytchlocal

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// Stytch's sandbox tokens for tests that want to see an error. Those that always
// succeed are not honoured: they would be public passwords.
const (
	sandboxUsedToken = "3pzjQpgksDlGKWEwUq2Up--hCHC_0oamfLHyfspKDFU="
	sandboxUnknown   = "CprTtwhnRNiMBiUS2jSLcWYrfuO2POeBNdo5HhW6qTM="
)

// LinkMadeAt is the header of an answer to a good link that says when the link was
// made, as RFC 3339 has it. Stytch has nothing like it.
const LinkMadeAt = "Guestlist-Link-Made-At"

var verifierForm = lazyRegexp(`^[A-Za-z0-9._~-]{43,128}$`)

// signInRequest is what authenticate is given beside the proof.
type signInRequest struct {
	sessionRequest
	Attributes *attributes  `json:"attributes"`
	Options    matchOptions `json:"options"`
}

// signInAnswer is what authenticate answers. Without a session the
// tokens are empty and Session is null.
type signInAnswer struct {
	meta
	UserID        string         `json:"user_id"`
	MethodID      string         `json:"method_id"`
	User          userObject     `json:"user"`
	ResetSessions bool           `json:"reset_sessions"` // always false: the session is new or the caller's own
	SessionToken  string         `json:"session_token"`
	SessionJWT    string         `json:"session_jwt"`
	Session       *sessionObject `json:"session"`
	UserDevice    *emptyObject   `json:"user_device"`
}

// authenticateLink spends a magic link's token. Everything that can be wrong with
// the request is looked at first, so that a mistake doesn't cost the link.
func (s *Server) authenticateLink(c *call) (response, error) {
	var req struct {
		signInRequest
		Token        string `json:"token"`
		CodeVerifier string `json:"code_verifier"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	req.Attributes = req.Attributes.truncate()
	switch {
	case !tokenForm().MatchString(req.Token):
		return nil, errInvalidToken
	case req.Token == sandboxUsedToken:
		return nil, errLinkSpent
	case req.Token == sandboxUnknown:
		return nil, errLinkNotFound
	case req.CodeVerifier != "" && !verifierForm().MatchString(req.CodeVerifier):
		return nil, errInvalidVerifier
	}
	wish, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	link, err := s.read.GetLink(c.ctx, hashToken(req.Token))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errLinkNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get link: %w", err)
	}
	var details linkDetails
	if err := json.Unmarshal([]byte(link.Details), &details); err != nil {
		return nil, fmt.Errorf("read link: %w", err)
	}
	if link.UsedAt > 0 || link.ExpiresAt <= s.now() {
		return nil, errLinkSpent
	}
	if err := checkVerifier(details.CodeChallenge, req.CodeVerifier); err != nil {
		return nil, err
	}
	if err := req.Options.check(details.Attributes, req.Attributes); err != nil {
		return nil, err
	}
	answer, err := s.signIn(c.ctx, link, wish, req.Attributes)
	if err == nil {
		c.w.Header().Set(LinkMadeAt, time.UnixMicro(link.CreatedAt).UTC().Format(time.RFC3339Nano))
	}
	return answer, err
}

// checkVerifier compares PKCE's two halves: https://www.rfc-editor.org/rfc/rfc7636
func checkVerifier(challenge, verifier string) error {
	sum := sha256.Sum256([]byte(verifier))
	hashed := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "":
		return errVerifierNotExpected
	case verifier == "":
		return errVerifierExpected
	case subtle.ConstantTimeCompare([]byte(hashed), []byte(challenge)) != 1:
		return errVerifierMismatch
	}
	return nil
}

// signIn spends a link and does all that follows from it in one transaction: the
// address is proven, the user is active, the session has the factor. Of several
// who come with the link at once, the first to spend it has it.
func (s *Server) signIn(ctx context.Context, link dbsqlc.StytchLink, wish sessionOptions, attrs *attributes) (response, error) {
	out := &signInAnswer{UserID: link.UserID, MethodID: link.MethodID}
	var user account
	var before userObject
	var session *session
	err := s.tx(ctx, func(q *dbsqlc.Queries) (err error) {
		user, err = s.lockUser(ctx, q, link.UserID)
		if errors.Is(err, errConflict) {
			return errLinkNotFound
		}
		if err != nil {
			return err
		}
		before = user.object()
		n, err := q.SpendLink(ctx, dbsqlc.SpendLinkParams{Now: s.now(), TokenHash: link.TokenHash})
		if err != nil {
			return fmt.Errorf("spend link: %w", err)
		}
		if n == 0 {
			return errLinkSpent
		}
		proof, err := s.factorOf(ctx, q, &user, link)
		if err != nil {
			return err
		}
		user.Status = statusActive
		if _, err := q.ActivateUser(ctx, user.UserID); err != nil {
			return fmt.Errorf("activate user: %w", err)
		}
		out.User = user.object()
		session, err = s.grantSession(ctx, q, &user, wish, proof, attrs)
		return err
	})
	if err == nil {
		s.sendWebhookIfChanged(before, &user)
	}
	if err != nil || session == nil {
		return out, err
	}
	out.SessionToken = s.sessionToken(session.SessionID)
	out.Session = session.object()
	out.SessionJWT, err = s.signJWT(s.keys(ctx), session)
	return out, err
}

// factorOf returns what a spent link counts for. One that was mailed proves the
// address, if the user still has it.
func (s *Server) factorOf(ctx context.Context, q *dbsqlc.Queries, user *account, link dbsqlc.StytchLink) (factor, error) {
	if link.Kind == kindEmbedded {
		return factor{Type: "magic_link", DeliveryMethod: "embedded", Embedded: &embeddedFactor{EmbeddedID: link.MethodID}}, nil
	}
	email, err := s.verifyEmail(ctx, q, user, link.MethodID)
	if err == nil && email == nil {
		err = errLinkSpent
	}
	return factor{Type: "magic_link", DeliveryMethod: "email", Email: email}, err
}

// verifyEmail notes that one of the user's addresses is theirs; nil if they no
// longer have it.
func (s *Server) verifyEmail(ctx context.Context, q *dbsqlc.Queries, user *account, emailID string) (*emailFactor, error) {
	for i := range user.emails {
		e := &user.emails[i]
		if e.EmailID != emailID {
			continue
		}
		e.VerifiedAt, e.ExpiresAt = s.now(), 0
		n, err := q.VerifyEmail(ctx, dbsqlc.VerifyEmailParams{VerifiedAt: e.VerifiedAt, EmailID: emailID})
		if err != nil {
			return nil, fmt.Errorf("verify email: %w", err)
		}
		if n == 0 {
			return nil, nil
		}
		return &emailFactor{EmailID: emailID, EmailAddress: e.Email}, nil
	}
	return nil, nil
}

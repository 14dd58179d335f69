package stytchlocal

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// Stytch's sandbox tokens that produce an error. Those that always succeed are not
// supported: they would be public passwords. https://stytch.com/docs/api/sandbox-values
const (
	sandboxUsedToken    = "3pzjQpgksDlGKWEwUq2Up--hCHC_0oamfLHyfspKDFU="
	sandboxUnknownToken = "CprTtwhnRNiMBiUS2jSLcWYrfuO2POeBNdo5HhW6qTM="
)

// LinkMadeAt is a header of the response to a valid link: when the link was created, in
// RFC 3339. Stytch itself sends no such header.
const LinkMadeAt = "Guestlist-Link-Made-At"

var verifierPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

type authenticateResponse struct {
	meta
	authenticated
	MethodID      string       `json:"method_id"`
	ResetSessions bool         `json:"reset_sessions"` // always false: other sessions stay
	UserDevice    *emptyObject `json:"user_device"`
}

// authenticateLink redeems a link. It checks the whole request first, so that a mistake
// does not use up the link.
func (s *Server) authenticateLink(c *call) (response, error) {
	var req struct {
		sessionRequest
		Token        string       `json:"token"`
		CodeVerifier string       `json:"code_verifier"`
		Attributes   *attributes  `json:"attributes"`
		Options      matchOptions `json:"options"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	req.Attributes = req.Attributes.truncate()
	switch {
	case !tokenPattern.MatchString(req.Token):
		return nil, errInvalidToken
	case req.Token == sandboxUsedToken:
		return nil, errLinkSpent
	case req.Token == sandboxUnknownToken:
		return nil, errLinkNotFound
	}
	if err := checkVerifierForm(req.CodeVerifier); err != nil {
		return nil, err
	}
	opts, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	link, details, err := s.findLink(c.ctx, req.Token)
	if err != nil {
		return nil, err
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
	granted, err := s.authenticate(c.ctx, authentication{
		userID: link.UserID, gone: errLinkNotFound, opts: opts, attributes: req.Attributes,
		prove: func(q *dbsqlc.Queries, user *account) (factor, error) { return s.redeemLink(c.ctx, q, user, link) },
	})
	if err != nil {
		return nil, err
	}
	c.w.Header().Set(LinkMadeAt, toTime(link.CreatedAt).Format(time.RFC3339Nano))
	return &authenticateResponse{authenticated: granted, MethodID: link.MethodID}, nil
}

// findLink returns the link of a token.
func (s *Server) findLink(ctx context.Context, token string) (dbsqlc.StytchLink, linkDetails, error) {
	var details linkDetails
	link, err := s.read.GetLink(ctx, hashToken(token))
	if errors.Is(err, sql.ErrNoRows) {
		return link, details, errLinkNotFound
	}
	if err != nil {
		return link, details, wrap("get link", err)
	}
	return link, details, wrap("read link", json.Unmarshal([]byte(link.Details), &details))
}

// checkVerifierForm refuses a code verifier, which may be empty, that no program can have
// made by the rules of PKCE.
func checkVerifierForm(verifier string) error {
	if n := len(verifier); n > 0 && (n < 43 || n > 128 || !verifierPattern.MatchString(verifier)) {
		return errInvalidVerifier
	}
	return nil
}

// checkVerifier compares the code verifier with the code challenge of PKCE:
// https://www.rfc-editor.org/rfc/rfc7636
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

// redeemLink marks a link as used and returns its factor. An emailed link verifies the
// address; if the user no longer has it, the link is void.
func (s *Server) redeemLink(ctx context.Context, q *dbsqlc.Queries, user *account, link dbsqlc.StytchLink) (factor, error) {
	n, err := q.SpendLink(ctx, dbsqlc.SpendLinkParams{Now: s.now(), TokenHash: link.TokenHash})
	if err != nil {
		return factor{}, wrap("spend link", err)
	}
	if n == 0 {
		return factor{}, errLinkSpent
	}
	if link.Kind == kindEmbedded {
		return factor{Type: "magic_link", DeliveryMethod: "embedded", Embedded: &embeddedFactor{EmbeddedID: link.MethodID}}, nil
	}
	e, err := s.verifyEmail(ctx, q, user, link.MethodID)
	if err != nil {
		return factor{}, err
	}
	if e == nil {
		return factor{}, errLinkSpent
	}
	return factor{Type: "magic_link", DeliveryMethod: "email", Email: e}, nil
}

// verifyEmail marks an address of a user as verified, from now on for good. It returns nil
// if the user no longer has it.
func (s *Server) verifyEmail(ctx context.Context, q *dbsqlc.Queries, user *account, emailID string) (*emailFactor, error) {
	i := slices.IndexFunc(user.emails, func(e dbsqlc.StytchEmail) bool { return e.EmailID == emailID })
	if i < 0 {
		return nil, nil
	}
	e := &user.emails[i]
	e.VerifiedAt, e.ExpiresAt = s.now(), 0
	n, err := q.VerifyEmail(ctx, dbsqlc.VerifyEmailParams{VerifiedAt: e.VerifiedAt, EmailID: e.EmailID})
	if err != nil || n == 0 {
		return nil, wrap("verify email", err)
	}
	return &emailFactor{EmailID: e.EmailID, EmailAddress: e.Email}, nil
}

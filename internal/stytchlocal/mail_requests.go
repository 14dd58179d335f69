package stytchlocal

import (
	"context"
	"regexp"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

type mailRequest struct {
	Email      string      `json:"email"`
	Attributes *attributes `json:"attributes"`
	Locale     string      `json:"locale"` // checked, but emails are in English
}

func (r *mailRequest) check() (err error) {
	if r.Email, err = parseEmail(r.Email); err != nil {
		return err
	}
	switch r.Locale {
	case "", "en", "es", "fr", "pt-br":
	default:
		return errInvalidLocale
	}
	r.Attributes = r.Attributes.truncate()
	return nil
}

type linkRequest struct {
	mailRequest
	LoginURL      string `json:"login_magic_link_url"`
	SignupURL     string `json:"signup_magic_link_url"`
	LoginMinutes  *int64 `json:"login_expiration_minutes"`
	SignupMinutes *int64 `json:"signup_expiration_minutes"`
	CodeChallenge string `json:"code_challenge"`
}

var challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// checkLinkRequest checks the fields of both kinds of links, whichever will be sent.
func (s *Server) checkLinkRequest(r *linkRequest) error {
	if err := r.mailRequest.check(); err != nil {
		return err
	}
	if err := s.checkRedirectURL(kindLogin, r.LoginURL); err != nil {
		return err
	}
	if err := s.checkRedirectURL(kindSignup, r.SignupURL); err != nil {
		return err
	}
	if _, err := linkLifetime(kindLogin, r.LoginMinutes); err != nil {
		return err
	}
	if _, err := linkLifetime(kindSignup, r.SignupMinutes); err != nil {
		return err
	}
	if r.CodeChallenge != "" && !challengePattern.MatchString(r.CodeChallenge) {
		return errInvalidChallenge
	}
	return nil
}

// paramsFor returns the link to create for a user: a sign-up link before the first
// sign-in, and a login link after it.
func (s *Server) paramsFor(r *linkRequest, user *account, created bool) (linkParams, error) {
	if created || user.Status == statusPending {
		return s.newLinkParams(kindSignup, r.SignupURL, r.SignupMinutes, r.CodeChallenge, r.Attributes)
	}
	return s.newLinkParams(kindLogin, r.LoginURL, r.LoginMinutes, r.CodeChallenge, r.Attributes)
}

// userSelector names the user of a send request. At most one field is set; if none is, the
// user is the one who owns the address.
type userSelector struct {
	UserID       string `json:"user_id"`
	SessionToken string `json:"session_token"`
	SessionJWT   string `json:"session_jwt"`
}

// findRecipient returns the id of the user to whom a send request sends an email.
func (s *Server) findRecipient(ctx context.Context, u userSelector, email string) (userID string, err error) {
	session, err := s.findSession(ctx, u.SessionToken, u.SessionJWT)
	switch {
	case err != nil:
		return "", err
	case session != nil && u.UserID != "":
		return "", badRequest("Give at most one of user_id, session_token and session_jwt.")
	case session != nil:
		return session.UserID, nil
	case u.UserID != "":
		user, err := s.findUser(ctx, s.read, u.UserID)
		return user.UserID, err
	}
	row, found, err := s.findEmail(ctx, s.read, email)
	if err == nil && !found {
		err = errEmailNotFound
	}
	return row.UserID, err
}

// lockRecipient locks the user of a send request and returns the row of the address. An
// address that the user does not have is stored, unverified, and not yet part of the
// returned user.
func (s *Server) lockRecipient(ctx context.Context, q *dbsqlc.Queries, userID, email string) (account, dbsqlc.StytchEmail, error) {
	user, err := s.lockUser(ctx, q, userID)
	if err != nil {
		return user, dbsqlc.StytchEmail{}, err
	}
	expiresAt := s.now() + unverifiedTTL.Microseconds()
	unverified := 0
	for _, e := range user.emails {
		if e.ExpiresAt > 0 {
			unverified++
		}
		if e.Email != email {
			continue
		}
		if e.ExpiresAt > 0 { // the new email gets the full time
			e.ExpiresAt = expiresAt
			_, err = q.ExtendEmail(ctx, dbsqlc.ExtendEmailParams{ExpiresAt: expiresAt, EmailID: e.EmailID})
		}
		return user, e, wrap("extend email", err)
	}
	_, taken, err := s.findEmail(ctx, q, email)
	switch {
	case err != nil:
		return user, dbsqlc.StytchEmail{}, err
	case taken:
		return user, dbsqlc.StytchEmail{}, errDuplicateEmail
	case unverified >= maxUnverified:
		return user, dbsqlc.StytchEmail{}, errTooManyUnverified
	}
	row, err := s.addEmail(ctx, q, user.UserID, email, expiresAt)
	return user, row, err
}

// lockOrCreate locks the user who owns the existing address. If there is none, it creates
// newUser with the address.
func (s *Server) lockOrCreate(ctx context.Context, q *dbsqlc.Queries, existing dbsqlc.StytchEmail, email string, newUser account) (
	user account, row dbsqlc.StytchEmail, err error,
) {
	if existing.EmailID == "" {
		if err := s.insertUser(ctx, q, &newUser, email); err != nil {
			return account{}, dbsqlc.StytchEmail{}, err
		}
		return newUser, newUser.emails[0], nil
	}
	if user, err = s.lockUser(ctx, q, existing.UserID); err != nil {
		return account{}, dbsqlc.StytchEmail{}, err
	}
	for _, e := range user.emails {
		if e.EmailID == existing.EmailID {
			return user, e, nil
		}
	}
	return account{}, dbsqlc.StytchEmail{}, errConflict // the address has just been removed
}

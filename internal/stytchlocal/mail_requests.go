package stytchlocal

import (
	"context"
	"fmt"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// mailRequest is what every call that mails something is given.
type mailRequest struct {
	Email      string      `json:"email"`
	Attributes *attributes `json:"attributes"`
	Locale     string      `json:"locale"` // checked, but mails are in English
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

// linkRequest is what login_or_create and send are given about their links.
type linkRequest struct {
	mailRequest
	LoginURL      string `json:"login_magic_link_url"`
	SignupURL     string `json:"signup_magic_link_url"`
	LoginMinutes  *int64 `json:"login_expiration_minutes"`
	SignupMinutes *int64 `json:"signup_expiration_minutes"`
	CodeChallenge string `json:"code_challenge"`
}

var challengeForm = lazyRegexp(`^[A-Za-z0-9_-]{43}$`)

// checkLinkRequest looks at both kinds of links, whichever will be mailed.
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
	if _, err := lifetime(kindLogin, r.LoginMinutes); err != nil {
		return err
	}
	if _, err := lifetime(kindSignup, r.SignupMinutes); err != nil {
		return err
	}
	if r.CodeChallenge != "" && !challengeForm().MatchString(r.CodeChallenge) {
		return errInvalidChallenge
	}
	return nil
}

// linkParamsFor returns the link to make for a user: who has not been in yet gets the
// sign-up link.
func (s *Server) linkParamsFor(r *linkRequest, user *account, created bool) (linkParams, error) {
	kind, address, minutes := kindLogin, r.LoginURL, r.LoginMinutes
	if created || user.Status == statusPending {
		kind, address, minutes = kindSignup, r.SignupURL, r.SignupMinutes
	}
	return s.newOrder(kind, address, minutes, r.CodeChallenge, r.Attributes)
}

func (s *Server) newOrder(kind, address string, minutes *int64, challenge string, attrs *attributes) (linkParams, error) {
	redirectURL, err := s.redirectURL(kind, address)
	if err != nil {
		return linkParams{}, err
	}
	valid, err := lifetime(kind, minutes)
	if err != nil {
		return linkParams{}, err
	}
	return linkParams{
		kind: kind, lifetime: valid,
		details: linkDetails{RedirectURL: redirectURL, CodeChallenge: challenge, Attributes: attrs},
	}, nil
}

// owner names the user whom a send call is about; at most one field is given.
type owner struct {
	UserID       string `json:"user_id"`
	SessionToken string `json:"session_token"`
	SessionJWT   string `json:"session_jwt"`
}

// findOwner returns the id of the user that is named; empty if none is.
func (s *Server) findOwner(ctx context.Context, o owner) (string, error) {
	session, err := s.findSession(ctx, o.SessionToken, o.SessionJWT)
	switch {
	case err != nil:
		return "", err
	case session != nil && o.UserID != "":
		return "", badRequest("Give at most one of user_id, session_token and session_jwt.")
	case session != nil:
		return session.UserID, nil
	case o.UserID == "":
		return "", nil
	}
	user, err := s.findUser(ctx, s.read, o.UserID)
	return user.UserID, err
}

// findRecipient is the look of a send call: the user whom the mail is for.
func (s *Server) findRecipient(ctx context.Context, o owner, email string) (userID string, err error) {
	if userID, err = s.findOwner(ctx, o); err != nil || userID != "" {
		return userID, err
	}
	row, found, err := s.findEmail(ctx, s.read, email)
	if err == nil && !found {
		err = errEmailNotFound
	}
	return row.UserID, err
}

// lockRecipient locks a send call's user and returns the row of the address. An
// address that the user doesn't have is added on trial.
func (s *Server) lockRecipient(ctx context.Context, q *dbsqlc.Queries, userID, email string) (account, dbsqlc.StytchEmail, error) {
	user, err := s.lockUser(ctx, q, userID)
	if err != nil {
		return account{}, dbsqlc.StytchEmail{}, err
	}
	trialEnd := s.now() + unverifiedTTL.Microseconds()
	trials := 0
	for _, e := range user.emails {
		if e.ExpiresAt > 0 {
			trials++
		}
		if e.Email != email {
			continue
		}
		if e.ExpiresAt > 0 { // asked again: the five minutes begin anew
			e.ExpiresAt = trialEnd
			if _, err := q.ExtendEmail(ctx, dbsqlc.ExtendEmailParams{ExpiresAt: trialEnd, EmailID: e.EmailID}); err != nil {
				return account{}, dbsqlc.StytchEmail{}, fmt.Errorf("extend email: %w", err)
			}
		}
		return user, e, nil
	}
	_, taken, err := s.findEmail(ctx, q, email)
	switch {
	case err != nil:
		return account{}, dbsqlc.StytchEmail{}, err
	case taken:
		return account{}, dbsqlc.StytchEmail{}, errDuplicateEmail
	case trials >= maxUnverified:
		return account{}, dbsqlc.StytchEmail{}, errTooManyTrials
	}
	row, err := s.addEmail(ctx, q, user.UserID, email, trialEnd)
	return user, row, err
}

// findOrCreate locks the user of a known address. If nobody has it, known is
// empty, and fresh is stored with it.
func (s *Server) findOrCreate(ctx context.Context, q *dbsqlc.Queries, known dbsqlc.StytchEmail, email string, fresh account) (
	user account, row dbsqlc.StytchEmail, created bool, err error,
) {
	if known.EmailID == "" {
		if err := s.insertUser(ctx, q, &fresh); err != nil {
			return account{}, dbsqlc.StytchEmail{}, false, err
		}
		row, err := s.addEmail(ctx, q, fresh.UserID, email, 0)
		fresh.emails = []dbsqlc.StytchEmail{row}
		return fresh, row, true, err
	}
	if user, err = s.lockUser(ctx, q, known.UserID); err != nil {
		return account{}, dbsqlc.StytchEmail{}, false, err
	}
	for _, e := range user.emails {
		if e.EmailID == known.EmailID {
			return user, e, false, nil
		}
	}
	return account{}, dbsqlc.StytchEmail{}, false, errConflict // the address has just been taken away
}

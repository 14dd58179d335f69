package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// oauthAccount is what a provider says about the account that a person chose.
type oauthAccount struct {
	provider oauthProvider
	email    string // in its stored form
	verified bool   // whether the provider has verified the address
}

// subject returns the account's id at the provider. It is derived from the address, so that
// the same address is the same account every time.
func (a oauthAccount) subject() string {
	return digest.SHA256Hex(a.provider.key + " " + a.email)[:21]
}

// errAccountOfOther reports that an account to attach belongs to another user.
var errAccountOfOther = errors.New("the provider's account belongs to another user")

// signInAt finds or creates the user of a provider's account, and returns a token to
// authenticate with and whether the user is new. The account belongs to the user to whom
// it was attached before. Otherwise it is attached: to the user of the attach token, or to
// the owner of the address if the provider has verified it, or to a new user. Like Stytch, it
// ignores an address that the provider has not verified: its owner could prove it later, and
// would share the user with the account
// (https://stytch.com/docs/guides/oauth/email-behavior).
func (s *Server) signInAt(ctx context.Context, flow *oauthFlow, a oauthAccount) (token string, created bool, err error) {
	var attach dbsqlc.StytchOauthToken
	var userID string
	var user account
	var before userObject
	err = s.readThenTx(ctx, func() (err error) {
		if flow.attachToken != "" {
			var details oauthTokenDetails
			attach, details, err = s.findOAuthToken(ctx, oauthAttach, flow.attachToken)
			if err == nil && details.Provider != a.provider.key {
				err = errOAuthTokenNotFound
			}
			userID = attach.UserID
			return err
		}
		userID, err = s.findOAuthUser(ctx, a)
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		if created = userID == ""; created {
			user, err = s.createOAuthUser(ctx, q, a)
		} else {
			user, err = s.lockUser(ctx, q, userID)
			before = user.object()
		}
		if err != nil {
			return err
		}
		if attach.TokenHash != "" {
			if err := spendOAuthToken(ctx, q, attach.TokenHash); err != nil {
				return err
			}
		}
		registrationID, err := s.attachAccount(ctx, q, &user, a, attach.TokenHash != "")
		if err != nil {
			return err
		}
		emailID, err := s.addProvenEmail(ctx, q, &user, a)
		if err != nil {
			return err
		}
		token, err = s.insertOAuthToken(ctx, q, oauthSignIn, user.UserID, oauthTokenDetails{
			Provider: a.provider.key, RegistrationID: registrationID, EmailID: emailID,
			Scopes: flow.scopes(a.provider), CodeChallenge: flow.codeChallenge,
		})
		return err
	})
	switch {
	case err != nil:
		return "", false, err
	case created:
		s.sendWebhook(userCreated, &user)
	default:
		s.sendWebhookIfChanged(before, &user)
	}
	return token, created, nil
}

// findOAuthUser returns the id of the user to whom an account belongs or will be attached.
// It is empty if there is none yet.
func (s *Server) findOAuthUser(ctx context.Context, a oauthAccount) (string, error) {
	row, err := s.read.GetOAuthRegistrationBySubject(ctx, dbsqlc.GetOAuthRegistrationBySubjectParams{Provider: a.provider.key, Subject: a.subject()})
	if err == nil {
		return row.UserID, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", wrap("get provider", err)
	}
	if !a.verified {
		return "", nil
	}
	email, _, err := s.findEmail(ctx, s.read, a.email)
	return email.UserID, err
}

// createOAuthUser creates a user with the account's address, if the provider has verified it.
func (s *Server) createOAuthUser(ctx context.Context, q *dbsqlc.Queries, a oauthAccount) (account, error) {
	user := account{StytchUser: dbsqlc.StytchUser{Status: statusActive}}
	if !a.verified {
		return user, s.insertUser(ctx, q, &user, "")
	}
	_, taken, err := s.findEmail(ctx, q, a.email)
	if err != nil {
		return user, err
	}
	if taken {
		return user, errConflict // its owner is the user
	}
	return user, s.insertUser(ctx, q, &user, a.email)
}

// attachAccount attaches an account to a user who may have it already, and returns the id
// of the registration.
func (s *Server) attachAccount(ctx context.Context, q *dbsqlc.Queries, user *account, a oauthAccount, asked bool) (string, error) {
	row, err := q.GetOAuthRegistrationBySubject(ctx, dbsqlc.GetOAuthRegistrationBySubjectParams{Provider: a.provider.key, Subject: a.subject()})
	switch {
	case err == nil && row.UserID == user.UserID:
		return row.RegistrationID, nil
	case err == nil && asked:
		return "", errAccountOfOther
	case err == nil:
		return "", errConflict
	case !errors.Is(err, sql.ErrNoRows):
		return "", wrap("get provider", err)
	}
	row = dbsqlc.StytchOauthRegistration{
		RegistrationID: newID("oauth-user-registration"), UserID: user.UserID, Provider: a.provider.key, Subject: a.subject(), CreatedAt: s.now(),
	}
	if err := q.InsertOAuthRegistration(ctx, dbsqlc.InsertOAuthRegistrationParams(row)); err != nil {
		return "", wrap("insert provider", err)
	}
	user.providers = append(user.providers, newProviderObject(row))
	return row.RegistrationID, nil
}

// addProvenEmail adds the account's address to a user and marks it as verified, if the
// provider has verified it and no other user owns it. It returns the address's id, or "" if
// the provider has not verified the address or another user owns it.
func (s *Server) addProvenEmail(ctx context.Context, q *dbsqlc.Queries, user *account, a oauthAccount) (string, error) {
	if !a.verified {
		return "", nil
	}
	i := slices.IndexFunc(user.emails, func(e dbsqlc.StytchEmail) bool { return e.Email == a.email })
	if i < 0 {
		_, taken, err := s.findEmail(ctx, q, a.email)
		if err != nil || taken {
			return "", err
		}
		row, err := s.addEmail(ctx, q, user.UserID, a.email, 0)
		if err != nil {
			return "", err
		}
		user.emails = append(user.emails, row)
		i = len(user.emails) - 1
	}
	id := user.emails[i].EmailID
	_, err := s.verifyEmail(ctx, q, user, id)
	return id, err
}

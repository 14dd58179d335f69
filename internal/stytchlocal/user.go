package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// The states of a user.
const (
	statusActive  = "active"
	statusPending = "pending" // until the first sign-in
)

type account struct {
	dbsqlc.StytchUser
	userDetails
	emails                []dbsqlc.StytchEmail // without expired ones, oldest first
	webauthnRegistrations []webauthnRegistrationObject
	totps                 []totpObject
	providers             []providerObject
}

// userDetails are the fields without an index. They are stored as JSON.
type userDetails struct {
	Name      name     `json:"name"`
	Roles     []string `json:"roles"`
	Trusted   metadata `json:"trusted"`
	Untrusted metadata `json:"untrusted"`
}

type name struct {
	First  string `json:"first_name"`
	Middle string `json:"middle_name"`
	Last   string `json:"last_name"`
}

func (n name) full() string {
	return strings.Join(strings.Fields(n.First+" "+n.Middle+" "+n.Last), " ")
}

// metadata keeps the text of its values, so that numbers stay exact.
type metadata map[string]json.RawMessage

// userObject is a user in the API. SDKs iterate over the lists of factors, so those that do
// not exist here are empty and not missing.
type userObject struct {
	UserID                 string                       `json:"user_id"`
	Emails                 []emailObject                `json:"emails"`
	PhoneNumbers           []emptyObject                `json:"phone_numbers"`
	Status                 string                       `json:"status"`
	Name                   name                         `json:"name"`
	CreatedAt              time.Time                    `json:"created_at"`
	WebAuthnRegistrations  []webauthnRegistrationObject `json:"webauthn_registrations"`
	TOTPs                  []totpObject                 `json:"totps"`
	Providers              []providerObject             `json:"providers"`
	CryptoWallets          []emptyObject                `json:"crypto_wallets"`
	BiometricRegistrations []emptyObject                `json:"biometric_registrations"`
	Password               *emptyObject                 `json:"password"`
	Roles                  []string                     `json:"roles"`
	TrustedMetadata        metadata                     `json:"trusted_metadata"`
	UntrustedMetadata      metadata                     `json:"untrusted_metadata"`
	ExternalID             *string                      `json:"external_id"`
	IsLocked               bool                         `json:"is_locked"`
	LockCreatedAt          *time.Time                   `json:"lock_created_at"`
	LockExpiresAt          *time.Time                   `json:"lock_expires_at"`
}

type emailObject struct {
	EmailID  string `json:"email_id"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
}

// webauthnRegistrationObject is a passkey of a user.
type webauthnRegistrationObject struct {
	RegistrationID    string `json:"webauthn_registration_id"`
	Domain            string `json:"domain"`
	UserAgent         string `json:"user_agent"`
	Verified          bool   `json:"verified"`
	AuthenticatorType string `json:"authenticator_type"`
	Name              string `json:"name"`
}

// totpObject is an authenticator app of a user.
type totpObject struct {
	TOTPID   string `json:"totp_id"`
	Verified bool   `json:"verified"`
}

// providerObject is a user's account at an OAuth provider.
type providerObject struct {
	ProviderType      string `json:"provider_type"`
	ProviderSubject   string `json:"provider_subject"`
	ProfilePictureURL string `json:"profile_picture_url"`
	Locale            string `json:"locale"`
	RegistrationID    string `json:"oauth_user_registration_id"`
}

type emptyObject struct{}

func (a *account) object() userObject {
	none := []emptyObject{}
	o := userObject{
		UserID: a.UserID, Emails: []emailObject{}, PhoneNumbers: none, Status: a.Status, Name: a.Name,
		CreatedAt: toTime(a.CreatedAt), CryptoWallets: none,
		WebAuthnRegistrations: append([]webauthnRegistrationObject{}, a.webauthnRegistrations...),
		TOTPs:                 append([]totpObject{}, a.totps...), Providers: append([]providerObject{}, a.providers...),
		BiometricRegistrations: none, Roles: a.Roles, TrustedMetadata: a.Trusted, UntrustedMetadata: a.Untrusted,
	}
	if a.ExternalID.Valid {
		o.ExternalID = &a.ExternalID.String
	}
	for _, e := range a.emails {
		o.Emails = append(o.Emails, emailObject{EmailID: e.EmailID, Email: e.Email, Verified: e.VerifiedAt > 0})
	}
	return o
}

var externalIDPattern = regexp.MustCompile(`^[A-Za-z0-9._|-]+$`)

// isExternalID reports whether an id may be an external id. One that looks like Stytch's
// own could be ambiguous.
func isExternalID(id string) bool {
	return len(id) <= 128 && externalIDPattern.MatchString(id) && !strings.HasPrefix(id, "user-test-") && !strings.HasPrefix(id, "user-live-")
}

// findUser returns the user with a user id or an external id.
func (s *Server) findUser(ctx context.Context, q *dbsqlc.Queries, id string) (account, error) {
	var row dbsqlc.StytchUser
	var err error
	switch {
	case isID("user", id):
		row, err = q.GetUser(ctx, id)
	case isExternalID(id):
		row, err = q.GetUserByExternalID(ctx, sql.NullString{String: id, Valid: true})
	default:
		return account{}, errInvalidUserID
	}
	if errors.Is(err, sql.ErrNoRows) {
		return account{}, errUserNotFound
	}
	if err != nil {
		return account{}, wrap("get user", err)
	}
	users, err := s.loadAccounts(ctx, q, []dbsqlc.StytchUser{row})
	if err != nil {
		return account{}, err
	}
	return users[0], nil
}

// lockUser locks a user and returns its state. It must be the first step of a transaction,
// see readThenTx. It returns errConflict if the user is gone.
func (s *Server) lockUser(ctx context.Context, q *dbsqlc.Queries, userID string) (account, error) {
	n, err := q.LockUser(ctx, dbsqlc.LockUserParams{LockedAt: s.now(), UserID: userID})
	if err != nil {
		return account{}, wrap("lock user", err)
	}
	if n == 0 {
		return account{}, errConflict
	}
	return s.findUser(ctx, q, userID)
}

// changeUser finds and locks a user by its user id or external id, and changes it in the
// same transaction. It also returns the user as it was before.
func (s *Server) changeUser(
	ctx context.Context, id string, change func(q *dbsqlc.Queries, user *account) error,
) (user account, before userObject, err error) {
	err = s.readThenTx(ctx, func() (err error) {
		user, err = s.findUser(ctx, s.read, id)
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		if user, err = s.lockUser(ctx, q, user.UserID); err != nil {
			return err
		}
		before = user.object()
		return change(q, &user)
	})
	return user, before, err
}

// loadAccounts returns the users of rows with their addresses and factors, in the same
// order.
func (s *Server) loadAccounts(ctx context.Context, q *dbsqlc.Queries, rows []dbsqlc.StytchUser) ([]account, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	users := make([]account, len(rows))
	ids := make([]string, len(rows))
	index := make(map[string]int, len(rows))
	for i, row := range rows {
		users[i].StytchUser = row
		ids[i] = row.UserID
		index[row.UserID] = i
		if err := json.Unmarshal([]byte(row.Details), &users[i].userDetails); err != nil {
			return nil, fmt.Errorf("read user %s: %w", row.UserID, err)
		}
	}
	emails, err := q.ListEmailsOfUsers(ctx, ids)
	if err != nil {
		return nil, wrap("list emails", err)
	}
	for _, e := range emails {
		if !s.isExpired(e) {
			user := &users[index[e.UserID]]
			user.emails = append(user.emails, e)
		}
	}
	return users, s.loadFactors(ctx, q, ids, func(id string) *account { return &users[index[id]] })
}

// isExpired reports whether an added address was not verified in time.
func (s *Server) isExpired(e dbsqlc.StytchEmail) bool {
	return e.ExpiresAt > 0 && e.ExpiresAt <= s.now()
}

package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// The states of a user.
const (
	statusActive  = "active"
	statusPending = "pending" // invited, or made so; active from the first sign-in on
)

// account is a user with their addresses.
type account struct {
	dbsqlc.StytchUser
	userDetails
	emails []dbsqlc.StytchEmail // those that are still there, oldest first
}

// userDetails is what nobody looks users up by; JSON in the row.
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

// metadata keeps the values as they came, so that numbers stay exact.
type metadata map[string]json.RawMessage

// userObject is a user as the API shows them. What can't exist here is there and
// empty, because SDKs iterate over it.
type userObject struct {
	UserID                 string        `json:"user_id"`
	Emails                 []emailObject `json:"emails"`
	PhoneNumbers           []emptyObject `json:"phone_numbers"`
	Status                 string        `json:"status"`
	Name                   name          `json:"name"`
	CreatedAt              time.Time     `json:"created_at"`
	WebAuthnRegistrations  []emptyObject `json:"webauthn_registrations"`
	TOTPs                  []emptyObject `json:"totps"`
	Providers              []emptyObject `json:"providers"`
	CryptoWallets          []emptyObject `json:"crypto_wallets"`
	BiometricRegistrations []emptyObject `json:"biometric_registrations"`
	Password               *emptyObject  `json:"password"`
	Roles                  []string      `json:"roles"`
	TrustedMetadata        metadata      `json:"trusted_metadata"`
	UntrustedMetadata      metadata      `json:"untrusted_metadata"`
	ExternalID             *string       `json:"external_id"`
	IsLocked               bool          `json:"is_locked"`
	LockCreatedAt          *time.Time    `json:"lock_created_at"`
	LockExpiresAt          *time.Time    `json:"lock_expires_at"`
}

type emailObject struct {
	EmailID  string `json:"email_id"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
}

type emptyObject struct{}

func (a *account) object() userObject {
	none := []emptyObject{}
	o := userObject{
		UserID: a.UserID, Emails: []emailObject{}, PhoneNumbers: none, Status: a.Status, Name: a.Name,
		CreatedAt: toTime(a.CreatedAt), WebAuthnRegistrations: none, TOTPs: none, Providers: none, CryptoWallets: none,
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

// externalIDForm is what a caller may name a user by. What looks like an id of
// Stytch's is left out: such a name could mean two users.
var externalIDForm = lazyRegexp(`^[A-Za-z0-9._|-]{1,128}$`)

func isExternalID(id string) bool {
	return externalIDForm().MatchString(id) && !strings.HasPrefix(id, "user-test-") && !strings.HasPrefix(id, "user-live-")
}

// findUser returns the user of a user id or an external id.
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
		return account{}, fmt.Errorf("get user: %w", err)
	}
	found, err := s.accounts(ctx, q, []dbsqlc.StytchUser{row})
	if err != nil {
		return account{}, err
	}
	return found[0], nil
}

// lockUser makes the transaction the only one that changes the user and returns
// what is true from then on. It must be the transaction's first step, see
// lookThenTx. errAgain: the user is gone.
func (s *Server) lockUser(ctx context.Context, q *dbsqlc.Queries, userID string) (account, error) {
	n, err := q.LockUser(ctx, dbsqlc.LockUserParams{LockedAt: s.now(), UserID: userID})
	if err != nil {
		return account{}, fmt.Errorf("lock user: %w", err)
	}
	if n == 0 {
		return account{}, errConflict
	}
	return s.findUser(ctx, q, userID)
}

// accounts adds to rows what belongs to them, in their order.
func (s *Server) accounts(ctx context.Context, q *dbsqlc.Queries, rows []dbsqlc.StytchUser) ([]account, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	all := make([]account, len(rows))
	ids := make([]string, len(rows))
	index := make(map[string]int, len(rows))
	for i, row := range rows {
		all[i].StytchUser, ids[i], index[row.UserID] = row, row.UserID, i
		if err := json.Unmarshal([]byte(row.Details), &all[i].userDetails); err != nil {
			return nil, fmt.Errorf("read user %s: %w", row.UserID, err)
		}
	}
	emails, err := q.ListEmailsOfUsers(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("list emails: %w", err)
	}
	for _, e := range emails {
		if owner := &all[index[e.UserID]]; !s.isExpiredTrial(e) {
			owner.emails = append(owner.emails, e)
		}
	}
	return all, nil
}

// isExpiredTrial reports whether an address was added on trial and not proven in time.
func (s *Server) isExpiredTrial(e dbsqlc.StytchEmail) bool {
	return e.ExpiresAt > 0 && e.ExpiresAt <= s.now()
}

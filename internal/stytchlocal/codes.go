package stytchlocal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// An address has one passcode at a time: the next one replaces it.
const (
	defaultCodeLifetime      = 2 * time.Minute
	minCodeLife, maxCodeLife = 1, 10     // in minutes
	maxCodeTries             = 5         // of a code; then it counts as used
	keepDeadCodes            = time.Hour // so that a late code gets the error "expired" and not "unknown"
)

var codePattern = regexp.MustCompile(`^[0-9]{6}$`)

type codeParams struct {
	lifetime   time.Duration
	attributes *attributes // of the browser that requests the code
}

// codeDetails are the fields without an index. They are stored as JSON.
type codeDetails struct {
	Attributes *attributes `json:"attributes,omitempty"`
}

// newCode returns a random passcode of six digits.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // the source of random bytes never fails
	}
	return fmt.Sprintf("%06d", n)
}

// hashCode returns what the database keeps of a passcode. A hash alone would be guessed in
// a second, so it needs the project's key.
func (p *project) hashCode(methodID, code string) string {
	mac := hmac.New(sha256.New, p.derive("passcodes"))
	fmt.Fprintf(mac, "%s %s", methodID, code)
	return hex.EncodeToString(mac.Sum(nil))
}

// codeLifetime returns a passcode's lifetime. Minutes may be nil.
func codeLifetime(minutes *int64) (time.Duration, error) {
	if minutes == nil {
		return defaultCodeLifetime, nil
	}
	if *minutes < minCodeLife || *minutes > maxCodeLife {
		return 0, errInvalidCodeExpiration
	}
	return time.Duration(*minutes) * time.Minute, nil
}

// createCode stores the passcode of an address in place of an earlier one, and returns it.
func (s *Server) createCode(ctx context.Context, q *dbsqlc.Queries, userID, methodID string, expiresAt int64, attrs *attributes) (string, error) {
	details, err := json.Marshal(codeDetails{Attributes: attrs})
	if err != nil {
		return "", err
	}
	code := newCode()
	hash := s.project.hashCode(methodID, code)
	// Read first: on MySQL, an UPDATE that matches no row locks the gap where the row
	// would be, and two of them would deadlock with their INSERT.
	_, err = q.GetCode(ctx, methodID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = q.InsertCode(ctx, dbsqlc.InsertCodeParams{
			MethodID: methodID, UserID: userID, CodeHash: hash, Details: string(details), CreatedAt: s.now(), ExpiresAt: expiresAt,
		})
	case err == nil:
		_, err = q.ReplaceCode(ctx, dbsqlc.ReplaceCodeParams{
			UserID: userID, CodeHash: hash, Details: string(details), CreatedAt: s.now(), ExpiresAt: expiresAt, MethodID: methodID,
		})
	}
	return code, wrap("store passcode", err)
}

// queueCode creates a passcode for a user's address and the email with it. The caller
// passes the email to sendQueued after the commit.
func (s *Server) queueCode(ctx context.Context, q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, p codeParams) (queuedMail, error) {
	lifetime := s.within(to, p.lifetime)
	code, err := s.createCode(ctx, q, user.UserID, to.EmailID, s.now()+lifetime.Microseconds(), p.attributes)
	if err != nil {
		return queuedMail{}, err
	}
	m, err := mail.Code{To: to.Email, Name: user.Name.full(), Code: code, Lifetime: lifetime}.Message(s.opts.Product, toTime(s.now()))
	if err != nil {
		return queuedMail{}, err
	}
	return queuedMail{Message: m}, s.storeMail(ctx, q, m, "", code)
}

// findCode returns the passcode of an address that can still be used.
func (s *Server) findCode(ctx context.Context, methodID string) (dbsqlc.StytchCode, codeDetails, error) {
	var details codeDetails
	row, err := s.read.GetCode(ctx, methodID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return row, details, errCodeNotFound
	case err != nil:
		return row, details, wrap("get passcode", err)
	case row.UsedAt > 0 || row.Tries >= maxCodeTries || row.ExpiresAt <= s.now():
		return row, details, errCodeSpent
	}
	return row, details, wrap("read passcode", json.Unmarshal([]byte(row.Details), &details))
}

// tryCode counts a try and compares a code with the stored passcode. The count is
// committed first, so that no number of concurrent tries exceeds the limit.
func (s *Server) tryCode(ctx context.Context, row dbsqlc.StytchCode, code string) error {
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		n, err := q.TryCode(ctx, dbsqlc.TryCodeParams{MethodID: row.MethodID, CodeHash: row.CodeHash, Most: maxCodeTries, Now: s.now()})
		if err == nil && n == 0 {
			return errCodeSpent
		}
		return wrap("try passcode", err)
	})
	if err == nil && !equal(s.project.hashCode(row.MethodID, code), row.CodeHash) {
		err = errCodeNotFound
	}
	return err
}

// spendCode marks a passcode as used, verifies its address and returns the factor.
func (s *Server) spendCode(ctx context.Context, q *dbsqlc.Queries, user *account, row dbsqlc.StytchCode) (factor, error) {
	n, err := q.SpendCode(ctx, dbsqlc.SpendCodeParams{Now: s.now(), MethodID: row.MethodID, CodeHash: row.CodeHash})
	if err != nil {
		return factor{}, wrap("spend passcode", err)
	}
	if n == 0 {
		return factor{}, errCodeSpent
	}
	e, err := s.verifyEmail(ctx, q, user, row.MethodID)
	if err != nil {
		return factor{}, err
	}
	if e == nil {
		return factor{}, errCodeSpent
	}
	return factor{Type: "otp", DeliveryMethod: "email", Email: e}, nil
}

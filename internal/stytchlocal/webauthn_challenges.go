package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// The kinds of challenges.
const (
	challengeRegister     = "register"
	challengeAuthenticate = "authenticate"
)

// challengeLifetime is how long an authenticator may take.
const challengeLifetime = 5 * time.Minute

// Limits of open challenges. Beyond them, the oldest are deleted: a caller who starts many
// must not lock out others. Challenges of no user are counted only now and then.
const (
	maxUserChallenges      = 10
	maxAnonymousChallenges = 10_000
	countAnonymousEvery    = 100
)

// challengeDetails say what the options asked for. They are stored as JSON.
type challengeDetails struct {
	UserHandle        []byte `json:"user_handle,omitempty"` // of a registration
	UserAgent         string `json:"user_agent,omitempty"`
	AuthenticatorType string `json:"authenticator_type,omitempty"`
	UserVerification  string `json:"user_verification"`
}

// startChallenge stores a new challenge and returns it. The user id is empty if the
// challenge is for any user.
func (s *Server) startChallenge(ctx context.Context, q *dbsqlc.Queries, kind, userID, domain string, details challengeDetails) ([]byte, error) {
	text, err := json.Marshal(details)
	if err != nil {
		return nil, err
	}
	challenge := randomBytes(32)
	err = q.InsertWebAuthnChallenge(ctx, dbsqlc.InsertWebAuthnChallengeParams{
		ChallengeHash: hashChallenge(challenge), Kind: kind, UserID: userID, Domain: domain,
		Details: string(text), ExpiresAt: s.now() + challengeLifetime.Microseconds(),
	})
	return challenge, wrap("insert challenge", err)
}

// hashChallenge returns the stored form of a challenge.
func hashChallenge(challenge []byte) string {
	return hashToken(base64.RawURLEncoding.EncodeToString(challenge))
}

// pruneChallenges deletes the oldest challenges of a user, or of no user, if there are too
// many. It has a transaction of its own: deletes among inserts make transactions wait for
// each other.
func (s *Server) pruneChallenges(ctx context.Context, userID string) {
	limit := int32(maxUserChallenges)
	if userID == "" {
		if s.anonymousChallenges.Add(1)%countAnonymousEvery != 0 {
			return
		}
		limit = maxAnonymousChallenges
	}
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		surplus, err := q.SurplusWebAuthnChallenges(ctx, dbsqlc.SurplusWebAuthnChallengesParams{UserID: userID, Limit: purgeBatch, Offset: limit})
		if err == nil && len(surplus) > 0 {
			_, err = q.DeleteWebAuthnChallenges(ctx, surplus)
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("cannot delete surplus challenges", "error", s.opts.Explain(err))
	}
}

// spendChallenge deletes a challenge, given in base64url, and returns what was stored about
// it. It returns nil if it is unknown, expired, used before, of another kind, or, unless
// userID is empty, of another user.
func (s *Server) spendChallenge(ctx context.Context, kind, userID, challenge string) (*dbsqlc.StytchWebauthnChallenge, challengeDetails, error) {
	var details challengeDetails
	row, err := s.read.GetWebAuthnChallenge(ctx, hashToken(challenge))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, details, nil
	}
	if err != nil {
		return nil, details, wrap("get challenge", err)
	}
	if row.Kind != kind || row.ExpiresAt <= s.now() || userID != "" && row.UserID != userID {
		return nil, details, nil
	}
	var n int64
	err = s.tx(ctx, func(q *dbsqlc.Queries) (err error) {
		n, err = q.SpendWebAuthnChallenge(ctx, row.ChallengeHash)
		return err
	})
	if err != nil || n == 0 {
		return nil, details, wrap("spend challenge", err)
	}
	return &row, details, wrap("read challenge", json.Unmarshal([]byte(row.Details), &details))
}

package stytchlocal

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

type session struct {
	dbsqlc.StytchSession
	sessionDetails
	roles []string // of the user
}

// sessionDetails are the fields without an index. They are stored as JSON.
type sessionDetails struct {
	Factors    []factor    `json:"factors"`
	Claims     claims      `json:"claims,omitempty"`
	Attributes *attributes `json:"attributes,omitempty"`
}

type sessionObject struct {
	SessionID      string      `json:"session_id"`
	UserID         string      `json:"user_id"`
	StartedAt      time.Time   `json:"started_at"`
	LastAccessedAt time.Time   `json:"last_accessed_at"`
	ExpiresAt      time.Time   `json:"expires_at"`
	Attributes     *attributes `json:"attributes"`
	Factors        []factor    `json:"authentication_factors"`
	CustomClaims   claims      `json:"custom_claims"`
	Roles          []string    `json:"roles"`
}

func (s *session) object() *sessionObject {
	return &sessionObject{
		SessionID: s.SessionID, UserID: s.UserID, StartedAt: toTime(s.StartedAt), LastAccessedAt: toTime(s.LastAccessedAt),
		ExpiresAt: toTime(s.ExpiresAt), Attributes: s.Attributes, Factors: s.Factors, CustomClaims: s.Claims, Roles: s.roles,
	}
}

// openSession decodes a session's row. The roles are the user's current ones.
func openSession(row dbsqlc.StytchSession, user *account) (*session, error) {
	out := &session{StytchSession: row, roles: user.Roles}
	if err := json.Unmarshal([]byte(row.Details), &out.sessionDetails); err != nil {
		return nil, fmt.Errorf("read session %s: %w", row.SessionID, err)
	}
	return out, nil
}

// addFactor records an authentication, by a new factor or one that the session has.
func (s *session) addFactor(f factor, now time.Time) {
	f.LastAuthenticatedAt, f.CreatedAt, f.UpdatedAt = now, now, now
	for i, old := range s.Factors {
		if old.same(f) {
			f.CreatedAt = old.CreatedAt
			s.Factors[i] = f
			return
		}
	}
	s.Factors = append(s.Factors, f)
}

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

type factor struct {
	Type                string          `json:"type"`
	DeliveryMethod      string          `json:"delivery_method"`
	LastAuthenticatedAt time.Time       `json:"last_authenticated_at"`
	CreatedAt           time.Time       `json:"created_at"`
	UpdatedAt           time.Time       `json:"updated_at"`
	Email               *emailFactor    `json:"email_factor,omitempty"`
	Embedded            *embeddedFactor `json:"embeddable_magic_link_factor,omitempty"`
}

type emailFactor struct {
	EmailID      string `json:"email_id"`
	EmailAddress string `json:"email_address"`
}

type embeddedFactor struct {
	EmbeddedID string `json:"embedded_id"`
}

// same reports whether two factors are the same method. All embedded links are.
func (f factor) same(g factor) bool {
	return f.Type == g.Type && f.DeliveryMethod == g.DeliveryMethod &&
		(f.Email == nil || g.Email == nil || f.Email.EmailID == g.Email.EmailID)
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

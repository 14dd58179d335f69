package token

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// Lifetimes are the allowed lifetimes of a token in days.
var Lifetimes = []int{7, 30, 90, 365}

// Request is the input for creating a token, as typed by the user.
type Request struct {
	ID    string // from NewID; two requests with one ID create one token
	Name  string
	Scope string
	Days  string // one of Lifetimes
}

// NewID returns an ID for a Request.
func NewID() string { return ids.New() }

// token validates the request and returns the token without its hash and owner. The
// error is a *directory.ValidationError.
func (r Request) token(now time.Time) (Token, error) {
	terms, fields := ParseTerms(r.ID, r.Name, r.Days, now)
	scope := Scope(r.Scope)
	if scope != Read && scope != Write {
		fields["scope"] = "Choose read or write."
	}
	if len(fields) > 0 {
		return Token{}, &directory.ValidationError{Fields: fields}
	}
	return Token{ID: terms.ID, Name: terms.Name, Scope: scope, CreatedAt: now, ExpiresAt: terms.ExpiresAt}, nil
}

// Terms are what requests for tokens of every kind say.
type Terms struct {
	ID        string
	Name      string
	ExpiresAt time.Time
}

// ParseTerms parses an ID from NewID, a name and one of Lifetimes, as typed. fields has a
// message for each invalid one, by "id", "name" and "days"; it is never nil.
func ParseTerms(id, name, days string, now time.Time) (t Terms, fields map[string]string) {
	fields = map[string]string{}
	parsedName, err := directory.ParseName(name)
	if err != nil {
		fields["name"] = err.Error()
	} else if parsedName == "" {
		fields["name"] = "Name it by what will use it."
	}
	lifetime, err := strconv.Atoi(days)
	if err != nil || !slices.Contains(Lifetimes, lifetime) {
		fields["days"] = "Choose one of these times."
	}
	parsedID, err := uuid.Parse(id)
	if err != nil {
		fields["id"] = "This form is damaged: load its page again."
	}
	return Terms{ID: parsedID.String(), Name: parsedName, ExpiresAt: now.AddDate(0, 0, lifetime)}, fields
}

// createdEvent returns the event that records the creation of t. See SplitReason.
func (t Token) createdEvent(by event.Origin, now time.Time) event.Event {
	reason := fmt.Sprintf("%s (%s, until %s)", t.Name, t.Scope, t.ExpiresAt.UTC().Format(time.DateOnly))
	return by.NewEvent(event.TokenCreated, now, t.UserID, t.User.Email.Normalized, reason)
}

// SplitReason splits the Reason of a TokenCreated event into the token's name and its
// terms, such as "read, until 2026-03-08".
func SplitReason(reason string) (name, terms string) {
	at := strings.LastIndex(reason, " (")
	if at < 0 {
		return reason, ""
	}
	return reason[:at], strings.TrimSuffix(reason[at+2:], ")")
}

// Public is a token as the API returns it.
type Public struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Scope      Scope      `json:"scope"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // to within a minute; null if never used
}

// Public returns t as the API returns it.
func (t Token) Public() Public {
	p := Public{ID: t.ID, Name: t.Name, Scope: t.Scope, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
	if !t.LastUsedAt.IsZero() {
		p.LastUsedAt = &t.LastUsedAt
	}
	return p
}

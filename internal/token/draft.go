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

// Lifetimes are for how many days a token may be good.
var Lifetimes = []int{7, 30, 90, 365}

// Request is a token as somebody wants it, as typed.
type Request struct {
	ID    string // from NewID, before: what is sent twice makes one token
	Name  string
	Scope string
	Days  string // one of Lifetimes
}

// NewID returns an ID for a Draft.
func NewID() string { return ids.New() }

// token returns the token of a draft, without its hash and its person. The error
// is *directory.Invalid.
func (d Request) token(now time.Time) (Token, error) {
	fields := map[string]string{}
	name, err := directory.ParseName(d.Name)
	if err != nil {
		fields["name"] = err.Error()
	} else if name == "" {
		fields["name"] = "Name it by what will use it."
	}
	scope := Scope(d.Scope)
	if scope != Read && scope != Write {
		fields["scope"] = "Choose read or write."
	}
	days, err := strconv.Atoi(d.Days)
	if err != nil || !slices.Contains(Lifetimes, days) {
		fields["days"] = "Choose one of these times."
	}
	id, err := uuid.Parse(d.ID)
	if err != nil {
		fields["id"] = "This form is damaged: load its page again."
	}
	if len(fields) > 0 {
		return Token{}, &directory.ValidationError{Fields: fields}
	}
	return Token{ID: id.String(), Name: name, Scope: scope, CreatedAt: now, ExpiresAt: now.AddDate(0, 0, days)}, nil
}

// createdEvent is what the audit trail says of a new token. No token stands in it.
func (t Token) createdEvent(by event.Origin, now time.Time) event.Event {
	reason := fmt.Sprintf("%s (%s, until %s)", t.Name, t.Scope, t.ExpiresAt.UTC().Format(time.DateOnly))
	return by.NewEvent(event.TokenCreated, now, t.UserID, t.User.Email.Normalized, reason)
}

// SplitReason returns the name, and the scope and end in words, that the Reason of
// an event of a new token says.
func SplitReason(reason string) (name, terms string) {
	at := strings.LastIndex(reason, " (")
	if at < 0 {
		return reason, ""
	}
	return reason[:at], strings.TrimSuffix(reason[at+2:], ")")
}

// Public is a token as programs see it.
type Public struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Scope      Scope      `json:"scope"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // to within a minute; null: never
}

// Public returns what programs see of a token.
func (t Token) Public() Public {
	p := Public{ID: t.ID, Name: t.Name, Scope: t.Scope, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
	if !t.LastUsedAt.IsZero() {
		p.LastUsedAt = &t.LastUsedAt
	}
	return p
}

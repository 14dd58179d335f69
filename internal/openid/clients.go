package openid

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// Errors of Clients.
var (
	ErrTooManySecrets = fmt.Errorf("the client has %d secrets already: revoke one first", MaxSecrets)
	ErrPublicClient   = errors.New("a public client has no secrets")
	ErrSecretExists   = errors.New("this secret was created already, and is shown once")
)

// ClientStore keeps the clients for Clients. Errors wrap directory.ErrNotFound,
// directory.ErrUnavailable, or are those of the rules it runs.
type ClientStore interface {
	event.Reader
	GetClient(ctx context.Context, appID string) (Client, error)
	// SaveClient runs rule on the locked client of an app, nil if it has none, then writes the client
	// and the event that rule returns. If no field has changed, rule returns an event without
	// changes and nothing is written. It returns directory.ErrNotFound if the app doesn't exist.
	SaveClient(ctx context.Context, appID string, rule func(old *Client) (Client, event.Event, error)) error
	// RemoveClient deletes a client with its secrets, and with it all its grants, and writes the event.
	RemoveClient(ctx context.Context, appID string, e event.Event) error
	// ListSecrets returns the secrets of a client, newest first.
	ListSecrets(ctx context.Context, appID string) ([]Secret, error)
	// CreateSecret writes a secret and an event, unless rule returns an error for the client and its
	// secrets. It returns ErrSecretExists if there is a secret with this ID.
	CreateSecret(ctx context.Context, s Secret, e event.Event, rule func(Client, []Secret) error) error
	// RevokeSecret deletes a secret and writes the event that record returns.
	RevokeSecret(ctx context.Context, appID, id string, record func(Secret) event.Event) error
}

// Clients manages the clients of apps. It is safe for concurrent use.
type Clients struct {
	store ClientStore
	now   func() time.Time
}

// NewClients returns Clients.
func NewClients(store ClientStore, now func() time.Time) *Clients {
	return &Clients{store: store, now: now}
}

// Get returns the client of an app. Error: directory.ErrNotFound if it has none.
func (c *Clients) Get(ctx context.Context, appID string) (Client, error) {
	return c.store.GetClient(ctx, appID)
}

// Save creates the client of an app or changes it, and returns it as it is stored. Errors:
// *directory.ValidationError, directory.ErrNotFound if the app doesn't exist.
func (c *Clients) Save(ctx context.Context, by event.Origin, a apps.App, in ClientInput) (Client, error) {
	saved, err := in.Parse()
	if err != nil {
		return Client{}, err
	}
	now := c.now()
	err = c.store.SaveClient(ctx, a.ID, func(old *Client) (Client, event.Event, error) {
		saved.ID, saved.CreatedAt, saved.UpdatedAt = a.ID, now, now
		was := Client{}
		if old != nil {
			was, saved.CreatedAt = *old, old.CreatedAt
		}
		e := by.NewEvent(event.ClientChanged, now, "", "", a.Name)
		e.Changes = clientChanges(was, saved)
		if old != nil && len(e.Changes) == 0 {
			saved = *old
		}
		return saved, e, nil
	})
	return saved, err
}

// The kinds of clients in events.
const (
	publicKind       = "public"
	confidentialKind = "confidential"
)

func (c Client) kind() string {
	switch {
	case c.CreatedAt.IsZero():
		return ""
	case c.Public:
		return publicKind
	}
	return confidentialKind
}

// clientChanges returns the fields in which two clients differ. old is zero for a new client.
func clientChanges(old, c Client) []event.Change {
	var list []event.Change
	add := func(differ bool, field, was, is string) {
		if differ {
			list = append(list, event.Change{Field: field, Old: was, New: is})
		}
	}
	addList := func(field string, was, is []string) {
		add(!slices.Equal(was, is), field, joinURIs(was), joinURIs(is))
	}
	add(old.kind() != c.kind(), "kind", old.kind(), c.kind())
	addList("redirect addresses", old.RedirectURIs, c.RedirectURIs)
	addList("sign-out addresses", old.PostLogoutURIs, c.PostLogoutURIs)
	add(old.BackchannelLogout != c.BackchannelLogout, "back-channel logout address", old.BackchannelLogout, c.BackchannelLogout)
	add(old.Algorithm != c.Algorithm, "signature", string(old.Algorithm), string(c.Algorithm))
	return list
}

// maxJoined is how many bytes of a list of URIs an event holds, so that its changes fit into the
// database when they are encoded.
const maxJoined = 2000

// joinURIs returns URIs as an event shows them.
func joinURIs(list []string) string {
	text := ""
	for i, uri := range list {
		if i > 0 {
			uri = ", " + uri
		}
		if len(text)+len(uri) > maxJoined {
			return fmt.Sprintf("%s, and %d more", text, len(list)-i)
		}
		text += uri
	}
	return text
}

// Remove removes the client of an app. Tokens issued to it end. Error: directory.ErrNotFound.
func (c *Clients) Remove(ctx context.Context, by event.Origin, a apps.App) error {
	return c.store.RemoveClient(ctx, a.ID, by.NewEvent(event.ClientRemoved, c.now(), "", "", a.Name))
}

// ListSecrets returns the secrets of a client, newest first.
func (c *Clients) ListSecrets(ctx context.Context, appID string) ([]Secret, error) {
	return c.store.ListSecrets(ctx, appID)
}

// hintLength is how much of a secret is kept to recognize it by.
const hintLength = 4

// SecretLifetimes are the lifetimes of secrets in days that can be chosen. 0 is no end.
var SecretLifetimes = []int{0, 365, 90, 30}

// SecretRequest is the input for creating a secret, as typed.
type SecretRequest struct {
	ID   string // from NewSecretID; two requests with one ID create one secret
	Days string // one of SecretLifetimes
}

// SecretNotice is how long before its end administrators are warned of a secret.
const SecretNotice = 14 * 24 * time.Hour

// NewSecretID returns an ID for a SecretRequest.
func NewSecretID() string { return ids.New() }

// parse validates the request. The error is a *directory.ValidationError.
func (r SecretRequest) parse() (id string, lifetime time.Duration, err error) {
	fields := map[string]string{}
	parsed, err := uuid.Parse(r.ID)
	if err != nil {
		fields["id"] = "This form is damaged: load its page again."
	}
	days, err := strconv.Atoi(r.Days)
	if err != nil || !slices.Contains(SecretLifetimes, days) {
		fields["days"] = "Choose one of these times."
	}
	if len(fields) > 0 {
		return "", 0, &directory.ValidationError{Fields: fields}
	}
	return parsed.String(), time.Duration(days) * 24 * time.Hour, nil
}

// CreateSecret creates a secret for the client of an app and returns it with its text, which isn't
// stored. lifetime is 0 for a secret without an end. Errors: ErrTooManySecrets, ErrPublicClient,
// directory.ErrNotFound.
func (c *Clients) CreateSecret(ctx context.Context, by event.Origin, a apps.App, lifetime time.Duration) (Secret, string, error) {
	return c.createSecret(ctx, by, a, NewSecretID(), lifetime)
}

// RequestSecret creates a secret as CreateSecret does. More errors: *directory.ValidationError,
// ErrSecretExists.
func (c *Clients) RequestSecret(ctx context.Context, by event.Origin, a apps.App, r SecretRequest) (Secret, string, error) {
	id, lifetime, err := r.parse()
	if err != nil {
		return Secret{}, "", err
	}
	return c.createSecret(ctx, by, a, id, lifetime)
}

func (c *Clients) createSecret(ctx context.Context, by event.Origin, a apps.App, id string, lifetime time.Duration) (Secret, string, error) {
	now := c.now()
	text := newSecret(secretPrefix)
	s := Secret{ID: id, AppID: a.ID, Hash: hash(text), Hint: text[len(text)-hintLength:], CreatedBy: by.ActorID, CreatedAt: now}
	until := "no end"
	if lifetime > 0 {
		s.ExpiresAt = now.Add(lifetime)
		until = "until " + s.ExpiresAt.Format(time.DateOnly)
	}
	e := by.NewEvent(event.ClientSecretCreated, now, "", "", fmt.Sprintf("%s: …%s (%s)", a.Name, s.Hint, until))
	err := c.store.CreateSecret(ctx, s, e, func(client Client, have []Secret) error {
		switch {
		case client.Public:
			return ErrPublicClient
		case len(have) >= MaxSecrets:
			return ErrTooManySecrets
		}
		return nil
	})
	return s, text, err
}

// RevokeSecret revokes a secret. Error: directory.ErrNotFound.
func (c *Clients) RevokeSecret(ctx context.Context, by event.Origin, a apps.App, id string) error {
	return c.store.RevokeSecret(ctx, a.ID, id, func(s Secret) event.Event {
		return by.NewEvent(event.ClientSecretRevoked, c.now(), "", "", a.Name+": …"+s.Hint)
	})
}

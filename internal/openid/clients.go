package openid

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// Errors of Clients.
var (
	ErrTooManySecrets = fmt.Errorf("the client has %d secrets already: revoke one first", MaxSecrets)
	ErrPublicClient   = errors.New("a public client has no secrets")
)

// ClientStore keeps the clients for Clients. Errors wrap directory.ErrNotFound,
// directory.ErrUnavailable, or are those of the rules it runs.
type ClientStore interface {
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
	// secrets.
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

// Save creates the client of an app or changes it. Errors: *directory.ValidationError,
// directory.ErrNotFound if the app doesn't exist.
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
		return saved, e, nil
	})
	return saved, err
}

// clientChanges returns the fields in which two clients differ.
func clientChanges(old, c Client) []event.Change {
	var list []event.Change
	add := func(field, was, is string) {
		if was != is {
			list = append(list, event.Change{Field: field, Old: was, New: is})
		}
	}
	kind := func(c Client) string {
		switch {
		case c.CreatedAt.IsZero():
			return ""
		case c.Public:
			return "public"
		}
		return "confidential"
	}
	add("client", kind(old), kind(c))
	add("id token algorithm", string(old.Algorithm), string(c.Algorithm))
	add("redirect URIs", strings.Join(old.RedirectURIs, " "), strings.Join(c.RedirectURIs, " "))
	add("sign-out URIs", strings.Join(old.PostLogoutURIs, " "), strings.Join(c.PostLogoutURIs, " "))
	add("back-channel logout", old.BackchannelLogout, c.BackchannelLogout)
	return list
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

// CreateSecret creates a secret for the client of an app and returns it with its text, which isn't
// stored. lifetime is 0 for a secret without an end. Errors: ErrTooManySecrets, ErrPublicClient,
// directory.ErrNotFound.
func (c *Clients) CreateSecret(ctx context.Context, by event.Origin, a apps.App, lifetime time.Duration) (Secret, string, error) {
	now := c.now()
	text := newSecret(secretPrefix)
	s := Secret{ID: ids.New(), AppID: a.ID, Hash: hash(text), Hint: text[len(text)-hintLength:], CreatedBy: by.ActorID, CreatedAt: now}
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

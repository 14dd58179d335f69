package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// Errors of webhooks.
var (
	ErrInvalidWebhook      = errors.New("webhook must be a JSON object of Stytch's, with action and id")
	errChangedConcurrently = fmt.Errorf("%w: user changed in the meantime", directory.ErrUnavailable)
)

// webhookEvent is the part of a webhook's body that is used: https://stytch.com/docs/guides/webhooks.
type webhookEvent struct {
	Action     string `json:"action"` // CREATE, UPDATE or DELETE
	ObjectType string `json:"object_type"`
	ID         string `json:"id"` // of the account
	User       struct {
		Emails []struct {
			Email string `json:"email"`
		} `json:"emails"`
	} `json:"user"` // at the time of the event; empty if deleted
}

// parseWebhook parses a webhook's body. Errors: ErrInvalidWebhook.
func parseWebhook(body []byte) (webhookEvent, error) {
	var w webhookEvent
	if err := json.Unmarshal(body, &w); err != nil || w.Action == "" || w.ID == "" {
		return webhookEvent{}, ErrInvalidWebhook
	}
	return w, nil
}

func (w webhookEvent) account() Account {
	a := Account{ID: w.ID}
	for _, e := range w.User.Emails {
		a.Emails = append(a.Emails, e.Email)
	}
	return a
}

// HandleWebhook repairs the difference that a webhook with a valid signature shows, if
// any. id is the webhook's own; a webhook has an effect only once. After an error, it
// should be sent again: ErrInvalidWebhook, directory.ErrUnavailable, session.ErrUnavailable,
// session.ErrTooMany.
func (r *Reconciler) HandleWebhook(ctx context.Context, by event.Origin, id string, body []byte) error {
	w, err := parseWebhook(body)
	if err != nil || w.ObjectType != "user" {
		return err
	}
	processed, err := r.store.IsWebhookProcessed(ctx, id)
	if err != nil || processed {
		return err
	}
	switch w.Action {
	case "DELETE":
		err = r.handleDeleted(ctx, by, w.ID) // final: ids are never reused
	case "CREATE", "UPDATE":
		err = r.handleChanged(ctx, by, w.account(), w.Action == "CREATE")
	}
	if err != nil {
		return err
	}
	// Marked last, so that a failed webhook has its effect when it is sent again.
	return r.store.MarkWebhookProcessed(ctx, id, r.opts.Now())
}

// handleDeleted repairs the users of a deleted account. Several users may share the
// account if it had several addresses.
func (r *Reconciler) handleDeleted(ctx context.Context, by event.Origin, accountID string) error {
	for {
		u, err := r.store.GetUserByStytchID(ctx, accountID)
		if errors.Is(err, directory.ErrNotFound) {
			return nil
		}
		if err == nil {
			err = r.repairNow(ctx, by, Difference{Kind: Missing, User: u, Account: Account{ID: accountID}}, nil)
		}
		if err != nil {
			return err
		}
	}
}

// handleChanged compares an account as the webhook describes it and, if that differs, as
// it is now: webhooks may arrive late and out of order.
func (r *Reconciler) handleChanged(ctx context.Context, by event.Origin, a Account, isNew bool) error {
	d, err := r.classify(ctx, a)
	if err != nil || d.Kind == "" {
		return err
	}
	a, err = r.accounts.GetAccount(ctx, a.ID)
	if errors.Is(err, session.ErrNoAccount) {
		return r.handleDeleted(ctx, by, d.Account.ID)
	}
	if err != nil {
		return err
	}
	if d, err = r.classify(ctx, a); err != nil || d.Kind == "" {
		return err
	}
	var sessions []string
	if d.Kind == Changed || r.opts.EndUnlistedSessions {
		if sessions, err = r.accounts.ListSessions(ctx, a.ID); err != nil {
			return err
		}
	}
	if d.Kind == Unlisted && !isNew && len(sessions) == 0 {
		return nil // recorded when it was created
	}
	return r.repairNow(ctx, by, d, sessions)
}

// repairNow repairs a difference. If the user has changed in the meantime, it returns an
// error, so that the webhook is sent again.
func (r *Reconciler) repairNow(ctx context.Context, by event.Origin, d Difference, sessions []string) error {
	repaired, err := r.repair(ctx, by, d, sessions)
	if err != nil {
		return err
	}
	if !repaired {
		return errChangedConcurrently
	}
	r.log.Warn("Stytch and the directory differed", "reason", d.Reason(), "user", d.User.ID, "account", d.Account.ID)
	r.opts.Outbox.Wake()
	return nil
}

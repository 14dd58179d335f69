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

// ErrNoNews: a webhook's body is not one of Stytch's.
var ErrInvalidWebhook = errors.New("webhook must be a JSON object of Stytch's, with action and id")

// webhookEvent is what a webhook says: https://stytch.com/docs/guides/webhooks. It has
// more fields, and will have others.
type webhookEvent struct {
	Action     string `json:"action"` // CREATE, UPDATE or DELETE
	ObjectType string `json:"object_type"`
	ID         string `json:"id"` // of the account
	User       struct {
		Emails []struct {
			Email string `json:"email"`
		} `json:"emails"`
	} `json:"user"` // as it was then; nothing once it is deleted
}

// parseWebhook reads a webhook's body. Errors: ErrNoNews.
func parseWebhook(body []byte) (webhookEvent, error) {
	var n webhookEvent
	if err := json.Unmarshal(body, &n); err != nil || n.Action == "" || n.ID == "" {
		return webhookEvent{}, ErrInvalidWebhook
	}
	return n, nil
}

func (n webhookEvent) account() Account {
	a := Account{ID: n.ID}
	for _, e := range n.User.Emails {
		a.Emails = append(a.Emails, e.Email)
	}
	return a
}

// HandleWebhook takes a webhook of Stytch's whose signature is good, and mends what it
// shows to differ. id is the webhook's own: one that was heard has no effect a
// second time. What our own calls did at Stytch is no news. After an error the
// webhook should be sent again: ErrNoNews, directory.ErrUnavailable,
// session.ErrUnavailable, session.ErrTooMany.
func (r *Reconciler) HandleWebhook(ctx context.Context, by event.Origin, id string, body []byte) error {
	n, err := parseWebhook(body)
	if err != nil {
		return err
	}
	if n.ObjectType != "user" {
		return nil
	}
	heard, err := r.store.IsWebhookProcessed(ctx, id)
	if err != nil || heard {
		return err
	}
	switch n.Action {
	case "DELETE":
		err = r.handleDeleted(ctx, by, n.ID) // for good: an id is never used again
	case "CREATE", "UPDATE":
		err = r.handleChanged(ctx, by, n.account(), n.Action == "CREATE")
	}
	if err != nil {
		return err
	}
	// Noted last: what failed is to have its effect when it is sent again, and
	// what is heard twice at the same moment finds it had.
	return r.store.MarkWebhookProcessed(ctx, id, r.opts.Now())
}

// handleDeleted mends what there is of an account that is gone. It may have been that
// of several people, if it had several addresses.
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

// handleChanged judges an account as the webhook has it, and, where that differs, as it
// is now: a webhook may come late, and behind a younger one.
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
	if d.Kind == Changed || r.opts.EndStrangers {
		if sessions, err = r.accounts.ListSessions(ctx, a.ID); err != nil {
			return err
		}
	}
	if d.Kind == Unlisted && !isNew && len(sessions) == 0 {
		return nil // told when they were new
	}
	return r.repairNow(ctx, by, d, sessions)
}

// errChangedConcurrently has the webhook sent again, and judged by what is so then.
var errChangedConcurrently = fmt.Errorf("%w: somebody changed in the meantime", directory.ErrUnavailable)

func (r *Reconciler) repairNow(ctx context.Context, by event.Origin, d Difference, sessions []string) error {
	mended, err := r.repair(ctx, by, d, sessions)
	if err == nil && !mended {
		err = errChangedConcurrently
	}
	if err != nil {
		return err
	}
	r.opts.Log.Warn("Stytch and the list did not agree", "reason", d.Reason(), "user", d.User.ID, "account", d.Account.ID)
	r.outbox.Wake()
	return nil
}

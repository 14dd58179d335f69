package web

import (
	"context"
	"io"
	"net/http"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/webhooksig"
)

// Webhooks handles the webhooks of the login service.
type Webhooks struct {
	Key webhooksig.Key // empty disables the route
	// Handle processes a webhook with a valid signature. After an error, the sender repeats it.
	Handle func(ctx context.Context, by event.Origin, id string, body []byte) error
}

// receiveStytchWebhook verifies and handles a webhook. The sender repeats it unless the status is
// 2xx.
func (s *server) receiveStytchWebhook(w http.ResponseWriter, r *http.Request) error {
	if len(s.opts.Webhooks.Key) == 0 {
		return errPageNotFound
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyError(err, errBadJSON)
	}
	signed := webhooksig.Headers{
		ID: r.Header.Get("Svix-Id"), Timestamp: r.Header.Get("Svix-Timestamp"), Signature: r.Header.Get("Svix-Signature"),
	}
	if err := s.opts.Webhooks.Key.Verify(signed, body, s.opts.Now()); err != nil {
		return err
	}
	if err := s.opts.Webhooks.Handle(r.Context(), originOf(r), signed.ID, body); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, jsonMessage{"heard"})
	return nil
}

package app

import (
	"fmt"

	"github.com/guestlist/guestlist/internal/web"
	"github.com/guestlist/guestlist/internal/webhooksig"
)

// webhookPath is where Stytch sends its webhooks, below the base URL.
const webhookPath = "/webhooks/stytch"

// newWebhookHandler returns the handler of Stytch's webhooks. It is the zero value, which
// accepts none, if no secret is configured for the real Stytch.
func (c *core) newWebhookHandler() (web.Webhooks, error) {
	secret := c.cfg.Stytch.WebhookSecret
	if c.LocalStytch != nil {
		secret = c.LocalStytch.Credentials().WebhookSecret
	}
	if secret == "" {
		return web.Webhooks{}, nil
	}
	key, err := webhooksig.ParseKey(secret)
	if err != nil {
		return web.Webhooks{}, fmt.Errorf("STYTCH_WEBHOOK_SECRET: %w", err)
	}
	return web.Webhooks{Key: key, Handle: c.Reconciler.HandleWebhook}, nil
}

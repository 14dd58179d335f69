package main

import (
	"fmt"
	"log/slog"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/web"
	"github.com/guestlist/guestlist/internal/webhooksig"
)

// admissionFrom is who may come in, by the settings.
func admissionFrom(cfg config.Config) directory.AdmissionPolicy {
	return directory.AdmissionPolicy{Open: cfg.Access.Open, Domains: cfg.Access.Domains, FirstAdmin: cfg.FirstAdmin()}
}

func (a *app) newReconciler(cfg config.Config, client *stytch.Client, worker *outbox.Worker, log *slog.Logger) *reconcile.Reconciler {
	return reconcile.New(reconcile.Options{
		Store: a.store, Accounts: client, Outbox: worker,
		Admission: admissionFrom(cfg), EndStrangers: cfg.Reconcile == "apply",
		PageSize: reconcile.MaxPage, Pace: reconcile.DefaultPace, Now: a.now, Log: log,
	})
}

// webhookPath is where Stytch sends its webhooks, below the base URL.
const webhookPath = "/webhooks/stytch"

// newWebhookHandler takes those of the local Stytch, or of the real one if their secret is set.
func (a *app) newWebhookHandler(cfg config.Config, r *reconcile.Reconciler) (web.Webhooks, error) {
	secret := cfg.Stytch.WebhookSecret
	if a.localStytch != nil {
		secret = a.localStytch.Credentials().WebhookSecret
	}
	if secret == "" {
		return web.Webhooks{}, nil
	}
	key, err := webhooksig.ParseKey(secret)
	if err != nil {
		return web.Webhooks{}, fmt.Errorf("STYTCH_WEBHOOK_SECRET: %w", err)
	}
	return web.Webhooks{Key: key, Handle: r.HandleWebhook}, nil
}

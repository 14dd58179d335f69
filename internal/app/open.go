package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/clock"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
	"github.com/guestlist/guestlist/static"
)

// CallbackPath is the path of sign-in links, below the base URL. The two together are the
// one redirect URL to register at Stytch.
const CallbackPath = "/api/authenticate_magic_link"

// StytchOptions returns the options of a client of the configured Stytch.
func StytchOptions(cfg config.Config, now func() time.Time) stytch.Options {
	return stytch.Options{
		ProjectID: cfg.Stytch.ProjectID, Secret: cfg.Stytch.Secret, BaseURL: cfg.Stytch.BaseURL, PublicToken: cfg.Stytch.PublicToken,
		Domain:          cfg.BaseURL.Hostname(),
		RedirectURL:     cfg.BaseURL.String() + CallbackPath,
		SessionDuration: cfg.SessionDuration, LinkDuration: cfg.LinkDuration, InviteDuration: cfg.InviteDuration, Now: now,
	}
}

// LocalOptions are what OpenLocalStytch needs in addition to the configuration.
type LocalOptions struct {
	Store    *store.Store
	Now      func() time.Time
	Clock    *clock.Clock      // the clock behind Now; may be nil, in which case it cannot be moved
	Webhooks http.RoundTripper // delivers webhooks; nil disables them
	Log      *slog.Logger
}

// OpenLocalStytch opens the local Stytch, whose state is in the store. The caller must
// close it.
func OpenLocalStytch(ctx context.Context, cfg config.Config, o LocalOptions) (*stytchlocal.Server, error) {
	var mailer mail.Sender
	if cfg.SMTPURL != "" {
		var err error
		if mailer, err = mail.NewSMTP(cfg.SMTPURL, cfg.MailFrom); err != nil {
			return nil, fault.Setting("SMTP_URL", err)
		}
	}
	return stytchlocal.New(ctx, stytchlocal.Options{
		Read: o.Store.Reader(), InTx: o.Store.Transact, IsDuplicate: store.IsDuplicate, Explain: store.Explain,
		Now: o.Now, ProgramClock: o.Clock, Log: o.Log,
		BaseURL: cfg.BaseURL.String(), RedirectURLs: []string{cfg.BaseURL.String() + CallbackPath}, Product: product,
		Stylesheet: cfg.BaseURL.Path + "/static/" + static.Load().Path("css/app.css"),
		Limits:     cfg.LocalLimits, Inbox: cfg.LocalMode(), Mailer: mailer,
		WebhookTransport: o.Webhooks, WebhookURL: cfg.BaseURL.String() + webhookPath,
	})
}

// OpenDatabase opens the configured database without waiting for it or migrating it.
func OpenDatabase(cfg config.Config, now func() time.Time) (*store.Store, error) {
	st, err := store.Open(cfg.DatabaseURL, now)
	if err != nil {
		return nil, fault.Setting("DATABASE_URL", err)
	}
	if cfg.MailsNotices() {
		st.WriteNotices()
	}
	return st, nil
}

// OpenStore opens the configured database, waits until it answers and migrates it. It
// returns an error for an incomplete copy of another database.
func OpenStore(ctx context.Context, cfg config.Config, now func() time.Time, log *slog.Logger) (*store.Store, error) {
	st, err := OpenDatabase(cfg, now)
	if err != nil {
		return nil, err
	}
	if err = st.Prepare(ctx, log); err == nil {
		err = st.CheckComplete(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// ParseAdmins parses the addresses of GUESTLIST_ADMINS.
func ParseAdmins(addresses []string) ([]directory.Email, error) {
	var admins []directory.Email
	for _, address := range addresses {
		email, err := directory.ParseEmail(address)
		if err != nil {
			return nil, fmt.Errorf("GUESTLIST_ADMINS must be comma-separated email addresses, and %q isn't one", address)
		}
		admins = append(admins, email)
	}
	return admins, nil
}

// Package reconcile compares the directory with Stytch and repairs differences.
//
// The outbox carries changes from here to Stytch. Changes made at Stytch by others (its
// dashboard, another program) are found here: by a comparison of both sides once a day or
// by command ([Reconciler.Daily], [Reconciler.Run]), and at once by Stytch's webhooks
// ([Reconciler.HandleWebhook]). There are three kinds of differences:
//
//   - Missing: a user's account no longer exists. Repair: the directory forgets the
//     account and the user's sessions end; the next link they request creates another.
//   - Changed: the account no longer has the user's address. Repair: as for a missing
//     account, and its sessions at Stytch end.
//   - Unlisted: an account whose addresses are neither listed nor admitted. Repair: its
//     sessions at Stytch end. It is not deleted, because the Stytch project may serve
//     other programs too.
//
// Each difference is verified before it is repaired: at Stytch, whose search lags behind,
// and in the transaction of the repair. A user who has changed in the meantime is left for
// the next run. Memory use does not grow with either side.
package reconcile

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Account is an account at Stytch.
type Account struct {
	ID     string
	Emails []string // as Stytch has them; may be empty
}

// keys returns the account's addresses, normalized. One that no user can have is only
// lower-cased.
func (a Account) keys() []string {
	keys := make([]string, len(a.Emails))
	for i, address := range a.Emails {
		keys[i] = strings.ToLower(address)
		if email, err := directory.ParseEmail(address); err == nil {
			keys[i] = email.Normalized
		}
	}
	return keys
}

// name returns the account's first address, or its id if it has none.
func (a Account) name() string {
	if keys := a.keys(); len(keys) > 0 {
		return keys[0]
	}
	return a.ID
}

// Accounts reads from Stytch. Every call ends by the context's deadline. Errors wrap
// session.ErrNoAccount, session.ErrTooMany, or session.ErrUnavailable.
type Accounts interface {
	// ListAccounts returns a page of all accounts and the cursor of the next page, empty
	// after the last. An empty cursor asks for the first page.
	ListAccounts(ctx context.Context, cursor string, limit int) (page []Account, next string, err error)
	// FindAccounts returns the accounts that exist, of up to MaxPage ids.
	FindAccounts(ctx context.Context, ids []string) ([]Account, error)
	// GetAccount returns the current state of an account, or session.ErrNoAccount.
	GetAccount(ctx context.Context, id string) (Account, error)
	// ListSessions returns the ids of an account's live sessions, none if it does not exist.
	ListSessions(ctx context.Context, id string) ([]string, error)
}

// Store is the directory. Errors wrap directory.ErrNotFound or directory.ErrUnavailable.
type Store interface {
	// ListUsersWithAccount returns the next users with a known account after the given
	// one, ordered by the account's id and their own. The zero User asks for the first.
	ListUsersWithAccount(ctx context.Context, after directory.User, limit int) ([]directory.User, error)
	GetUserByStytchID(ctx context.Context, id string) (directory.User, error)
	// ListedAddresses returns those of the addresses (normalized) that are listed.
	ListedAddresses(ctx context.Context, addresses []string) ([]string, error)
	// Applicant returns what the directory knows about an address.
	Applicant(ctx context.Context, email directory.Email) (directory.Applicant, error)
	ListJobs(ctx context.Context, email directory.Email) ([]outbox.Job, error)
	ChangeUser(ctx context.Context, id string, rule func(directory.RuleState) (directory.Change, error)) (directory.User, error)
	// AddJobsUnlessListed writes an event and jobs in one transaction, unless one of the
	// addresses is listed by then. It reports whether it wrote them.
	AddJobsUnlessListed(ctx context.Context, addresses []string, e event.Event, jobs []outbox.Job) (bool, error)
	AddEvents(ctx context.Context, events ...event.Event) error

	// AcquireRun reports whether this instance may run: no instance has since before.
	// ReleaseRun sets the time of the last run.
	AcquireRun(ctx context.Context, now, before time.Time) (bool, error)
	ReleaseRun(ctx context.Context, at time.Time) error

	IsWebhookProcessed(ctx context.Context, id string) (bool, error)
	MarkWebhookProcessed(ctx context.Context, id string, at time.Time) error
}

// MaxPage is the maximum number of accounts per search. Stytch allows a thousand; but an
// account may have 8 KB of metadata, a response is read up to a megabyte, and a search
// must end in time.
const MaxPage = 100

// DefaultPace keeps a run within Stytch's limit of 150 searches per minute, and leaves
// some for the outbox.
const DefaultPace = 500 * time.Millisecond

// Options are the dependencies and settings of a Reconciler.
type Options struct {
	Store    Store
	Accounts Accounts
	Outbox   directory.Outbox

	Admission directory.AdmissionPolicy // admitted addresses are not Unlisted
	// EndUnlistedSessions makes HandleWebhook end the sessions of unlisted accounts. If
	// false, it only records these accounts.
	EndUnlistedSessions bool
	PageSize            int           // 1..MaxPage
	Pace                time.Duration // minimum time between the starts of a run's calls
	Now                 func() time.Time
	Log                 *slog.Logger
}

// Reconciler compares and repairs. It is safe for concurrent use.
type Reconciler struct {
	opts     Options
	store    Store
	accounts Accounts
	log      *slog.Logger
}

// New returns a Reconciler. It does nothing until one of its methods is called.
func New(o Options) *Reconciler {
	return &Reconciler{opts: o, store: o.Store, accounts: o.Accounts, log: o.Log.With("component", "reconcile")}
}

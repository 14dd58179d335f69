// Package reconcile compares the list with Stytch, and mends where they differ.
//
// The outbox sees to it that what changes here reaches Stytch. What changes at
// Stytch by other hands (its dashboard, another program) is found here: by a pass
// over both sides once a day or by command ([Reconciler.Run], [Reconciler.Daily]),
// and at once by Stytch's webhooks ([Reconciler.Hear]). Three things can differ:
//
//   - missing: somebody on the list had an account that is gone. Mended, the list
//     forgets the account and their sessions end; the next link they ask for
//     makes another.
//   - changed: the account no longer has the address on the list, which is the
//     one that counts. Mended as if the account were gone, and its sessions at
//     Stytch end.
//   - stranger: an account whose addresses are not on the list and would not be
//     let in. Mended, its sessions at Stytch end. It is not deleted: the project
//     may serve other programs too.
//
// What is found is looked at again before it is mended, at Stytch, whose search
// lags behind, and in the transaction that mends it: who has changed in the
// meantime is left for the next pass. Memory does not grow with either side.
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

// Account is somebody at Stytch.
type Account struct {
	ID     string
	Emails []string // as Stytch has them; none for somebody known by telephone, say
}

// keys are the account's addresses as the list compares them. One that no list
// can hold is only lower-cased.
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

// name is what to call the account: its first address, or else its id.
func (a Account) name() string {
	if keys := a.keys(); len(keys) > 0 {
		return keys[0]
	}
	return a.ID
}

// Accounts looks at Stytch. Every call ends by the context's deadline. Errors
// wrap session.ErrNoAccount, session.ErrTooMany, or session.ErrUnavailable.
type Accounts interface {
	// ListAccounts returns a page of everybody there is, and where the next page
	// begins; empty behind the last one. An empty cursor begins with the first.
	ListAccounts(ctx context.Context, cursor string, limit int) (page []Account, next string, err error)
	// FindAccounts returns those of the accounts that there are; up to MaxPage ids.
	FindAccounts(ctx context.Context, ids []string) ([]Account, error)
	// GetAccount returns an account as it is now, or session.ErrNoAccount.
	GetAccount(ctx context.Context, id string) (Account, error)
	// ListSessions returns the ids of an account's sessions that have not ended;
	// nobody there is fine.
	ListSessions(ctx context.Context, id string) ([]string, error)
}

// Store is the list. Errors wrap directory.ErrNotFound or directory.ErrUnavailable.
type Store interface {
	// ListUsersWithAccount returns people whose account is known, in the order of
	// its id and their own, from behind the last one of the page before; the zero
	// User begins with the first.
	ListUsersWithAccount(ctx context.Context, after directory.User, limit int) ([]directory.User, error)
	GetUserByStytchID(ctx context.Context, id string) (directory.User, error)
	// ListedAddresses returns those of the addresses that are on the list, all in
	// their compared form.
	ListedAddresses(ctx context.Context, addresses []string) ([]string, error)
	// Applicant returns what the directory knows of an address.
	Applicant(ctx context.Context, email directory.Email) (directory.Applicant, error)
	ListJobs(ctx context.Context, email directory.Email) ([]outbox.Job, error)
	ChangeUser(ctx context.Context, id string, rule func(directory.RuleState) (directory.Change, error)) (directory.User, error)
	// AddJobsUnlessListed writes calls to Stytch, and the event that tells why, in
	// one transaction, unless one of the addresses is on the list by then. It
	// reports whether it wrote them.
	AddJobsUnlessListed(ctx context.Context, addresses []string, e event.Event, jobs []outbox.Job) (bool, error)
	AddEvents(ctx context.Context, events ...event.Event) error

	// AcquireRun reports whether it is this instance's turn for a pass: nobody has
	// had one since before. ReleaseRun makes it count as taken at another time.
	AcquireRun(ctx context.Context, now, before time.Time) (bool, error)
	ReleaseRun(ctx context.Context, at time.Time) error

	IsWebhookProcessed(ctx context.Context, id string) (bool, error)
	MarkWebhookProcessed(ctx context.Context, id string, at time.Time) error
}

// MaxPage is how many accounts are looked at in one search. Stytch would give a
// thousand; but an account may have 8 KB of metadata, an answer is read up to a
// megabyte, and a search must end in time.
const MaxPage = 100

// DefaultPace keeps a pass within the 150 searches a minute that Stytch grants,
// and leaves some for the outbox.
const DefaultPace = 500 * time.Millisecond

// Options are the dependencies and settings of a Reconciler.
type Options struct {
	Store    Store
	Accounts Accounts
	Outbox   directory.Outbox

	Admission directory.AdmissionPolicy // who would be let in is no stranger
	// EndStrangers has Hear end the sessions of strangers; else it only tells of
	// them, so that whoever shares the project with other programs is not surprised.
	EndStrangers bool
	PageSize     int           // 1..MaxPage
	Pace         time.Duration // from the beginning of one call of a pass to that of the next
	Now          func() time.Time
	Log          *slog.Logger
}

// Reconciler compares and mends. Its methods may be called by many goroutines.
type Reconciler struct {
	opts     Options
	store    Store
	accounts Accounts
	outbox   directory.Outbox
}

// New returns a reconciler; it does nothing by itself.
func New(o Options) *Reconciler {
	return &Reconciler{opts: o, store: o.Store, accounts: o.Accounts, outbox: o.Outbox}
}

package userio

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// State says how far an import is.
type State string

// The states.
const (
	Uploading State = "uploading" // the file is still read
	Ready     State = "ready"     // nobody is on the list yet
	Running   State = "running"
	Stopped   State = "stopped" // in the middle; may run again
	Done      State = "done"
)

// Import is a file of people on its way onto the list.
type Import struct {
	ID     string // UUIDv7
	File   string // its name
	State  State
	Reason string // why it stopped by itself, in a sentence
	Invite bool   // each is mailed an invitation
	Role   directory.Role

	// What the upload has found.
	Lines          int      // people in the file, good or not
	People         int      // of them those who can be on the list
	Admins         int      // of these the administrators by the file
	Listed         int      // of them those who were on the list already
	Problems       int      // lines of which nothing can be made
	UnknownColumns []string // columns that nothing is read of

	// How far it is.
	Parts, Part    int // how many there are, and which is next, from 0
	Added, Skipped int // people put on the list, and left as they were there
	LeftOut        int // people who were removed after the import was started, and stay off the list
	Removals       int // how many removals there had been when it was started; the store sees to it

	Actor                event.Origin // who had it run
	Lease                string       // that the one who is at it has made up
	CreatedAt, UpdatedAt time.Time
}

// New is how many people will be new on the list, as far as the upload could tell.
func (i Import) New() int { return i.People - i.Listed }

// PartKind is one of the four things that are kept of a file, each in parts of a
// bounded size.
type PartKind string

// The series.
const (
	People   PartKind = "e" // whom to put on the list
	Problems PartKind = "p" // lines of which nothing can be made
	Listed   PartKind = "l" // lines about people who were on the list at the upload
	Barred   PartKind = "b" // those of People whom a later line of the file keeps out
)

// Errors of imports.
var (
	ErrInvalidState  = errors.New("the import is not in a state for that")
	ErrLeaseLost     = errors.New("another instance has taken the import over, or it was stopped")
	ErrActorNotAdmin = errors.New("who had the import run is no administrator any more")
	ErrNoImport      = errors.New("no import to work on")
)

// Store keeps imports. Its errors wrap those above, directory.ErrNotFound, or
// directory.ErrUnavailable.
type Store interface {
	CreateImport(ctx context.Context, i Import) error
	GetImport(ctx context.Context, id string) (Import, error)
	// ListImports returns the newest.
	ListImports(ctx context.Context, limit int) ([]Import, error)
	// AddPart keeps part n of a series, at most 60 KB; GetPart returns it, or ErrNotFound.
	AddPart(ctx context.Context, id string, s PartKind, n int, content []byte) error
	GetPart(ctx context.Context, id string, s PartKind, n int) ([]byte, error)
	// ListedAddresses returns those of the addresses that are on the list, all in
	// their compared form.
	ListedAddresses(ctx context.Context, addresses []string) ([]string, error)
	// SetImportSummary notes what the upload has found; the import is ready then.
	SetImportSummary(ctx context.Context, i Import) error
	// StartImport makes an import that is ready, or was stopped, run as i says, in the
	// name of i.By. Only one that is ready is started by that. ErrState if it is in another state.
	StartImport(ctx context.Context, i Import, e event.Event) error
	// StopImport stops one that runs. ErrState if it does not.
	StopImport(ctx context.Context, id, reason string, e event.Event) error
	// LeaseImport takes an import that runs and that nobody is at: the one, or any
	// if id is empty. ErrNone if there is none.
	LeaseImport(ctx context.Context, id, lease string, now, until time.Time) (Import, error)
	// ExtendImportLease makes the lease of i last longer, or end. ErrLost if it is over.
	ExtendImportLease(ctx context.Context, i Import, until time.Time) error
	// ImportUsers puts those on the list who are not there and were not removed after
	// the import was started, leaves the others, and moves the import on behind its
	// part, in one transaction: after the last one it is done. It returns the import as it is then. ErrLost if the lease is another's
	// or the import was stopped; ErrActorNotAdmin if i.Actor is a user and no active administrator.
	// When the import is done, it writes the event that done returns.
	ImportUsers(ctx context.Context, i Import, people []directory.NewUser, now, until time.Time, done func(Import) event.Event) (Import, error)
	// CountPendingJobs counts the calls to Stytch that wait, to most.
	CountPendingJobs(ctx context.Context, most int) (int, error)
	// DeleteImport forgets an import that does not run, and all of its file. ErrState
	// if it does.
	DeleteImport(ctx context.Context, id string) error
}

// Importer brings people from files onto the list.
type Importer struct {
	store      Store
	wakeOutbox func()
	now        func() time.Time
	log        *slog.Logger
	wake       chan struct{}
}

// NewImporter returns an importer; it does nothing until Work or Follow.
// wakeOutbox is called when invitations wait to be mailed.
func NewImporter(store Store, wakeOutbox func(), now func() time.Time, log *slog.Logger) *Importer {
	return &Importer{store: store, wakeOutbox: wakeOutbox, now: now, log: log, wake: make(chan struct{}, 1)}
}

// Get returns an import. Errors: directory.ErrNotFound.
func (im *Importer) Get(ctx context.Context, id string) (Import, error) {
	return im.store.GetImport(ctx, id)
}

// List returns the newest imports, up to limit.
func (im *Importer) List(ctx context.Context, limit int) ([]Import, error) {
	return im.store.ListImports(ctx, limit)
}

// Delete deletes an import and its file. Errors: ErrInvalidState if it is running.
func (im *Importer) Delete(ctx context.Context, id string) error {
	return im.store.DeleteImport(ctx, id)
}

// CountPendingJobs counts the pending jobs, up to limit.
func (im *Importer) CountPendingJobs(ctx context.Context, limit int) (int, error) {
	return im.store.CountPendingJobs(ctx, limit)
}

// Start has an import run that is ready; role is that of people for whom the file
// names none. by is recorded as their inviter. Errors:
// *directory.ValidationError, ErrInvalidState, directory.ErrNotFound.
func (im *Importer) Start(ctx context.Context, by event.Origin, id, role string, invite bool) error {
	return im.setRunning(ctx, by, id, func(i *Import) (err error) {
		if i.State != Ready || i.Parts == 0 {
			return ErrInvalidState
		}
		i.Invite = invite
		if i.Role, err = directory.ParseRole(role); err != nil {
			return &directory.ValidationError{Fields: map[string]string{"role": err.Error()}}
		}
		return nil
	})
}

// Resume has an import go on that was stopped, as it was begun. Errors: ErrState,
// directory.ErrNotFound.
func (im *Importer) Resume(ctx context.Context, by event.Origin, id string) error {
	return im.setRunning(ctx, by, id, func(i *Import) error {
		if i.State != Stopped {
			return ErrInvalidState
		}
		return nil
	})
}

func (im *Importer) setRunning(ctx context.Context, by event.Origin, id string, prepare func(*Import) error) error {
	i, err := im.store.GetImport(ctx, id)
	if err != nil {
		return err
	}
	if err := prepare(&i); err != nil {
		return err
	}
	i.Actor = by
	if err := im.store.StartImport(ctx, i, by.NewEvent(event.ImportStarted, im.now(), "", "", i.description())); err != nil {
		return err
	}
	select {
	case im.wake <- struct{}{}:
	default: // it is awake already
	}
	return nil
}

// Stop stops an import behind the part that is under way. Errors: ErrState,
// directory.ErrNotFound.
func (im *Importer) Stop(ctx context.Context, by event.Origin, id string) error {
	i, err := im.store.GetImport(ctx, id)
	if err != nil {
		return err
	}
	return im.store.StopImport(ctx, id, "", by.NewEvent(event.ImportStopped, im.now(), "", "", i.File))
}

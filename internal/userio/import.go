package userio

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// State is the progress of an import.
type State string

// States of an import.
const (
	Uploading State = "uploading" // the file is being read
	Ready     State = "ready"     // can be started
	Running   State = "running"
	Stopped   State = "stopped" // can be resumed
	Done      State = "done"
)

// Import is the import of a file.
type Import struct {
	ID     string // UUIDv7
	File   string // name of the file
	State  State
	Reason string         // why it stopped by itself, in a sentence; else ""
	Invite bool           // send invitations
	Role   directory.Role // of users without a role in the file

	// Set by the upload.
	Lines          int      // users in the file, including those with problems
	People         int      // users that can be added
	Admins         int      // of People, administrators
	Listed         int      // of People, users that existed at the upload
	Problems       int      // lines that can't be used
	UnknownColumns []string // names of columns that aren't used

	// Progress.
	Parts, Part    int // number of parts, and the next one, from 0
	Added, Skipped int // users added, and users that existed
	LeftOut        int // users that were removed after the start, and aren't added
	Removals       int // number of removals at the start; set by the store

	Actor                event.Origin // who started it
	Lease                string       // of the instance that runs it
	CreatedAt, UpdatedAt time.Time
}

// New returns how many users will be added, as of the upload.
func (i Import) New() int { return i.People - i.Listed }

// PartKind is a series of parts that is stored of a file.
type PartKind string

// Kinds of parts.
const (
	People   PartKind = "e" // users to add
	Problems PartKind = "p" // lines that can't be used
	Listed   PartKind = "l" // lines with users that existed at the upload
	Excluded PartKind = "b" // users in People that a later line of the file excludes
)

// Errors of imports.
var (
	ErrInvalidState  = errors.New("the state of the import doesn't allow this")
	ErrLeaseLost     = errors.New("another instance has taken over the import, or it was stopped")
	ErrActorNotAdmin = errors.New("the person who started the import is no longer an administrator")
	ErrNoImport      = errors.New("there is no import to run")
)

// Store stores imports. Its errors wrap those above, directory.ErrNotFound or
// directory.ErrUnavailable.
type Store interface {
	CreateImport(ctx context.Context, i Import) error
	GetImport(ctx context.Context, id string) (Import, error)
	// ListImports returns the newest imports.
	ListImports(ctx context.Context, limit int) ([]Import, error)
	// AddPart stores part n of a kind, at most 60 KB. GetPart returns it, or ErrNotFound.
	AddPart(ctx context.Context, id string, kind PartKind, n int, content []byte) error
	GetPart(ctx context.Context, id string, kind PartKind, n int) ([]byte, error)
	// GetGroupByName returns the group with a name, ignoring case, or directory.ErrNotFound.
	GetGroupByName(ctx context.Context, name string) (directory.Group, error)
	// ListedAddresses returns those of the normalized addresses that are in the directory.
	ListedAddresses(ctx context.Context, addresses []string) ([]string, error)
	// SetImportSummary stores the result of the upload and makes the import ready.
	SetImportSummary(ctx context.Context, i Import) error
	// StartImport runs an import that is ready or stopped, on behalf of i.Actor. Invite and
	// Role are taken from i if it is ready. ErrInvalidState if it is in another state.
	StartImport(ctx context.Context, i Import, e event.Event) error
	// StopImport stops a running import. ErrInvalidState if it isn't running.
	StopImport(ctx context.Context, id, reason string, e event.Event) error
	// LeaseImport leases a running import without a lease: the one with the id, or any if id
	// is empty. ErrNoImport if there is none.
	LeaseImport(ctx context.Context, id, lease string, now, until time.Time) (Import, error)
	// ExtendImportLease changes the end of the lease of i. ErrLeaseLost if it has ended.
	ExtendImportLease(ctx context.Context, i Import, until time.Time) error
	// ImportUsers adds the users that aren't in the directory and weren't removed after the
	// start of the import, and advances the import to its next part or to Done, in one
	// transaction; once Done, it writes the event that done returns. It returns the import.
	// ErrLeaseLost if another instance has the lease or the import was stopped;
	// ErrActorNotAdmin if i.Actor is a person but not an active administrator;
	// directory.ErrNoGroup if a group of someone was removed.
	ImportUsers(ctx context.Context, i Import, people []directory.NewUser, now, until time.Time, done func(Import) event.Event) (Import, error)
	// CountPendingJobs counts the pending jobs of the outbox, up to limit.
	CountPendingJobs(ctx context.Context, limit int) (int, error)
	// DeleteImport deletes an import and its parts. ErrInvalidState if it is running.
	DeleteImport(ctx context.Context, id string) error
}

// Importer imports users from files.
type Importer struct {
	store      Store
	wakeOutbox func()
	now        func() time.Time
	log        *slog.Logger
	wake       chan struct{}
}

// NewImporter returns an importer. Imports run in Run or Follow. wakeOutbox is called when
// there are invitations to send.
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

// Start runs an import that is ready. role is for users without a role in the file; by is
// recorded as their inviter. Errors: *directory.ValidationError, ErrInvalidState,
// directory.ErrNotFound, directory.ErrNotFresh.
func (im *Importer) Start(ctx context.Context, by directory.Actor, id, role string, invite bool) error {
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

// Resume continues a stopped import with the options of its start. Errors: ErrInvalidState,
// directory.ErrNotFound, directory.ErrNotFresh.
func (im *Importer) Resume(ctx context.Context, by directory.Actor, id string) error {
	return im.setRunning(ctx, by, id, func(i *Import) error {
		if i.State != Stopped {
			return ErrInvalidState
		}
		return nil
	})
}

// addsAdmins reports whether the import makes users administrators.
func (i Import) addsAdmins() bool { return i.Admins > 0 || i.Role == directory.Admin }

func (im *Importer) setRunning(ctx context.Context, by directory.Actor, id string, prepare func(*Import) error) error {
	i, err := im.store.GetImport(ctx, id)
	if err != nil {
		return err
	}
	if err := prepare(&i); err != nil {
		return err
	}
	if i.addsAdmins() && !by.MayDoDangerous() {
		return directory.ErrNotFresh
	}
	i.Actor = by.Origin
	if err := im.store.StartImport(ctx, i, by.NewEvent(event.ImportStarted, im.now(), "", "", i.description())); err != nil {
		return err
	}
	select {
	case im.wake <- struct{}{}:
	default: // already awake
	}
	return nil
}

// Stop stops an import after the current part. Errors: ErrInvalidState,
// directory.ErrNotFound.
func (im *Importer) Stop(ctx context.Context, by event.Origin, id string) error {
	i, err := im.store.GetImport(ctx, id)
	if err != nil {
		return err
	}
	return im.store.StopImport(ctx, id, "", by.NewEvent(event.ImportStopped, im.now(), "", "", i.File))
}

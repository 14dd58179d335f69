package userio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/safego"
)

// The lease is longer than a part takes, so that instances don't work on the same part. If
// they do, only one can write it.
const (
	leaseTime      = 20 * time.Second
	pollInterval   = 5 * time.Second
	mailBackoff    = 500 * time.Millisecond
	failPause      = 2 * time.Second
	maxFailures    = 5
	maxPendingJobs = 50 // above it, the next part waits, so that the jobs of others aren't delayed
)

// Run continues running imports of all instances until ctx ends.
func (im *Importer) Run(ctx context.Context) {
	for ctx.Err() == nil {
		found := false
		safego.Recover(im.log, "import", func() {
			i, err := im.lease(ctx, "")
			if found = err == nil; found {
				im.process(ctx, i, func(Import) {})
			} else if !errors.Is(err, ErrNoImport) && ctx.Err() == nil {
				im.log.Error("import: lease failed", "error", err)
			}
		})
		if found {
			continue
		}
		select {
		case <-ctx.Done():
		case <-im.wake:
		case <-time.After(pollInterval):
		}
	}
}

// Follow runs one import, or watches another instance run it, and reports its progress
// until it is done or stopped. If ctx ends first, another instance continues it.
func (im *Importer) Follow(ctx context.Context, id string, progress func(Import)) (Import, error) {
	for {
		i, err := im.lease(ctx, id)
		switch {
		case err == nil:
			im.process(ctx, i, progress)
		case !errors.Is(err, ErrNoImport):
			return Import{}, err
		}
		if i, err = im.store.GetImport(ctx, id); err != nil {
			return Import{}, err
		}
		progress(i)
		if i.State != Running {
			return i, nil
		}
		_ = retry.Sleep(ctx, mailBackoff)
	}
}

func (im *Importer) lease(ctx context.Context, id string) (Import, error) {
	now := im.now()
	return im.store.LeaseImport(ctx, id, rand.Text(), now, now.Add(leaseTime))
}

// process adds one part after the other until the import is done or stopped, the lease is
// lost, or maxFailures attempts in a row have failed; the next instance to lease it retries.
func (im *Importer) process(ctx context.Context, i Import, progress func(Import)) {
	lease, failures := i.Lease, 0
	for i.State == Running && i.Lease == lease && ctx.Err() == nil {
		next, err := im.step(ctx, i)
		var gone *groupGoneError
		switch {
		case err == nil:
			i, failures = next, 0
			progress(i)
			continue
		case errors.Is(err, ErrLeaseLost), ctx.Err() != nil:
		case errors.Is(err, ErrActorNotAdmin):
			im.stop(ctx, i, "The person who started this import is no longer an administrator.")
			return
		case errors.As(err, &gone):
			im.stop(ctx, i, gone.Error())
			return
		default:
			im.log.Warn("import: adding a part failed", "import", i.ID, "part", i.Part, "error", err)
			_ = retry.Sleep(ctx, failPause)
			if failures++; failures == maxFailures {
				return
			}
		}
		// The part may have taken effect all the same.
		if next, err = im.store.GetImport(ctx, i.ID); err == nil {
			i = next
		}
	}
	if i.State == Running && i.Lease == lease { // let another instance continue at once
		if err := im.store.ExtendImportLease(context.WithoutCancel(ctx), i, time.Time{}); err != nil && !errors.Is(err, ErrLeaseLost) {
			im.log.Warn("import: lease not released; another instance continues when it ends", "import", i.ID, "error", err)
		}
	}
}

func (im *Importer) stop(ctx context.Context, i Import, reason string) {
	e := event.New(event.ImportStopped, im.now(), "", "", i.File+": "+reason)
	if err := im.store.StopImport(ctx, i.ID, reason, e); err != nil {
		im.log.Error("import: stopping failed", "import", i.ID, "error", err)
	}
}

// step adds the next part, or waits a moment for the outbox.
func (im *Importer) step(ctx context.Context, i Import) (Import, error) {
	until := im.now().Add(leaseTime)
	if i.Invite {
		n, err := im.store.CountPendingJobs(ctx, maxPendingJobs)
		if err != nil {
			return i, err
		}
		if n >= maxPendingJobs {
			_ = retry.Sleep(ctx, mailBackoff)
			return i, im.store.ExtendImportLease(ctx, i, until)
		}
	}
	users, err := im.nextUsers(ctx, i)
	if err != nil {
		return i, err
	}
	i, err = im.store.ImportUsers(ctx, i, users, im.now(), until, Import.DoneEvent)
	if err == nil && i.Invite {
		im.wakeOutbox()
	}
	return i, err
}

// nextUsers returns the users of the import's next part.
func (im *Importer) nextUsers(ctx context.Context, i Import) ([]directory.NewUser, error) {
	entries, err := im.readPart(ctx, i.ID, People, i.Part)
	if err != nil {
		return nil, err
	}
	if entries, err = im.withoutExcluded(ctx, i.ID, entries); err != nil {
		return nil, err
	}
	users := make([]directory.NewUser, len(entries))
	groups := newGroupFinder(im.store)
	now := im.now()
	for n, e := range entries {
		if e.Role == "" {
			e.Role = string(i.Role)
		}
		users[n], err = directory.UserInput{Email: e.Email, Name: e.Name, Role: e.Role}.Validate(i.Actor, i.Invite, now)
		if err != nil {
			return nil, fmt.Errorf("line %d was valid at the upload: %w", e.Line, err)
		}
		if err := groups.join(ctx, &users[n], e.Groups, now); err != nil {
			return nil, err
		}
		users[n].Event.Reason = "from " + i.File
	}
	return users, nil
}

// DoneEvent returns the event of an import that is done.
func (i Import) DoneEvent() event.Event {
	text := fmt.Sprintf("%s: %d added, %d on the list already, %d lines with problems", i.File, i.Added, i.Skipped, i.Problems)
	if i.LeftOut > 0 {
		text += fmt.Sprintf(", %d left out: removed since it was started", i.LeftOut)
	}
	return i.Actor.NewEvent(event.ImportDone, i.UpdatedAt, "", "", text)
}

// description describes the import in the audit trail.
func (i Import) description() string {
	text := i.File + ": " + humanize.People(i.People)
	if i.Invite {
		text += ", with invitations"
	} else {
		text += ", without invitations"
	}
	if i.Part > 0 {
		text += ", resumed"
	}
	return text
}

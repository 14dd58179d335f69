package userio

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/safego"
)

// The worker's times and bounds. The lease outlives a part, so that no two
// instances are at the same one, and if they were, only one could write it.
const (
	leaseTime      = 20 * time.Second
	pollInterval   = 5 * time.Second
	mailBackoff    = 500 * time.Millisecond
	failPause      = 2 * time.Second
	maxFailures    = 5
	maxPendingJobs = 50 // calls to Stytch that may wait before the next part; those of others wait behind these
)

// Run carries on what runs, whoever began it, until ctx ends.
func (im *Importer) Run(ctx context.Context) {
	for ctx.Err() == nil {
		found := false
		safego.Recover(im.log, "import", func() {
			i, err := im.lease(ctx, "")
			if found = err == nil; found {
				im.process(ctx, i, func(Import) {})
			} else if !errors.Is(err, ErrNoImport) && ctx.Err() == nil {
				im.log.Error("import: none could be leased", "error", err)
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

// Follow carries on one import that runs, or watches another instance do it, and
// tells progress how far it is, until it is done or was stopped. If ctx ends
// before, another instance goes on with it.
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

// process puts one part after the other on the list, until the import is done,
// lost, or fails again and again, which leaves it to whoever leases it next.
func (im *Importer) process(ctx context.Context, i Import, progress func(Import)) {
	lease, failures := i.Lease, 0
	for i.State == Running && i.Lease == lease && ctx.Err() == nil {
		next, err := im.step(ctx, i)
		switch {
		case err == nil:
			i, failures = next, 0
			progress(i)
			continue
		case errors.Is(err, ErrLeaseLost), ctx.Err() != nil:
		case errors.Is(err, ErrActorNotAdmin):
			im.finish(ctx, i, "Who had it run is no administrator any more.")
			return
		default:
			im.log.Warn("import: a part is not on the list yet", "import", i.ID, "part", i.Part, "error", err)
			if failures++; failures == maxFailures {
				_ = retry.Sleep(ctx, failPause)
				return
			}
			_ = retry.Sleep(ctx, failPause)
		}
		// Whether the part took effect may not be known: the row knows.
		if next, err = im.store.GetImport(ctx, i.ID); err == nil {
			i = next
		}
	}
	if i.State == Running && i.Lease == lease { // let another instance go on at once
		if err := im.store.ExtendImportLease(context.WithoutCancel(ctx), i, time.Time{}); err != nil && !errors.Is(err, ErrLeaseLost) {
			im.log.Warn("import: not handed on; another instance takes it when the lease is over", "import", i.ID, "error", err)
		}
	}
}

func (im *Importer) finish(ctx context.Context, i Import, reason string) {
	e := event.New(event.ImportStopped, im.now(), "", "", i.File+": "+reason)
	if err := im.store.StopImport(ctx, i.ID, reason, e); err != nil {
		im.log.Error("import: not stopped", "import", i.ID, "error", err)
	}
}

// step puts the next part on the list, or waits a moment for mails to leave.
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
	people, err := im.nextUsers(ctx, i)
	if err != nil {
		return i, err
	}
	i, err = im.store.ImportUsers(ctx, i, people, im.now(), until, Import.DoneEvent)
	if err == nil && i.Invite {
		im.wakeOutbox()
	}
	return i, err
}

// nextUsers are the people of the import's next part.
func (im *Importer) nextUsers(ctx context.Context, i Import) ([]directory.NewUser, error) {
	content, err := im.store.GetPart(ctx, i.ID, People, i.Part)
	if err != nil {
		return nil, err
	}
	entries, err := decode(content)
	if err != nil {
		return nil, err
	}
	if entries, err = im.withoutBarred(ctx, i.ID, entries); err != nil {
		return nil, err
	}
	people, now := make([]directory.NewUser, len(entries)), im.now()
	for n, e := range entries {
		if e.Role == "" {
			e.Role = string(i.Role)
		}
		people[n], err = directory.UserInput{Email: e.Email, Name: e.Name, Role: e.Role}.Validate(i.Actor, i.Invite, now)
		if err != nil {
			return nil, fmt.Errorf("line %d was good at the upload: %w", e.Line, err)
		}
		people[n].Event.Reason = "from " + i.File
	}
	return people, nil
}

// DoneEvent returns the event of an import that is done.
func (i Import) DoneEvent() event.Event {
	text := fmt.Sprintf("%s: %d added, %d on the list already, %d lines with problems", i.File, i.Added, i.Skipped, i.Problems)
	if i.LeftOut > 0 {
		text += fmt.Sprintf(", %d left out: removed since it was started", i.LeftOut)
	}
	return i.Actor.NewEvent(event.ImportDone, i.UpdatedAt, "", "", text)
}

// description say what is about to be done.
func (i Import) description() string {
	text := fmt.Sprintf("%s: %d people, without invitations", i.File, i.People)
	if i.Invite {
		text = fmt.Sprintf("%s: %d people, with invitations", i.File, i.People)
	}
	if i.Part > 0 {
		text += ", from where it had stopped"
	}
	return text
}

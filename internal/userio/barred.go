package userio

import (
	"context"
	"fmt"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
)

// maxBarred bounds what is remembered of addresses that one line of a file lets in
// and a later one leaves out.
const maxBarred = 1000

// leaveOut notes that the file keeps an address out, whatever its other lines say.
func (u *uploadState) leaveOut(l Line) error {
	email, err := directory.ParseEmail(l.Entry.Email)
	if err != nil {
		return nil // nobody comes in by that
	}
	hash := u.hash(email)
	first := u.seen[hash]
	if first < 0 {
		return nil
	}
	u.seen[hash] = -l.Number
	if first == 0 {
		return nil
	}
	if len(u.barred) == maxBarred {
		return &FileError{Line: l.Number, Text: fmt.Sprintf("More than %d addresses are let in on one line and left out on another. Remove the lines that are wrong.", maxBarred)}
	}
	u.barred[email.Normalized] = l.Number
	return nil
}

// bar keeps the addresses that later lines left out, and takes them off the counts.
func (u *uploadState) bar() error {
	if len(u.barred) == 0 {
		return nil
	}
	var kept part
	for n := range u.people.number {
		content, err := u.im.store.GetPart(u.ctx, u.i.ID, People, n)
		if err != nil {
			return err
		}
		entries, err := decode(content)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := u.barEntry(&kept, e); err != nil {
				return err
			}
		}
	}
	return u.flush(&kept, Barred)
}

func (u *uploadState) barEntry(kept *part, e storedLine) error {
	email, err := directory.ParseEmail(e.Email)
	line, ok := u.barred[email.Normalized]
	if err != nil || !ok {
		return err
	}
	if err := u.note(kept, Barred, storedLine{Email: email.Normalized}, ""); err != nil {
		return err
	}
	listed, err := u.im.store.ListedAddresses(u.ctx, []string{email.Normalized})
	if err != nil {
		return err
	}
	u.i.People--
	u.i.Listed -= len(listed)
	if e.Role == string(directory.Admin) {
		u.i.Admins--
	}
	return u.problem(e, fmt.Sprintf("Left out, because line %d leaves this address out.", line))
}

// withoutBarred returns the people of a part whom no later line of the file leaves
// out.
func (im *Importer) withoutBarred(ctx context.Context, id string, people []storedLine) ([]storedLine, error) {
	barred := map[string]bool{}
	err := im.eachNote(ctx, id, Barred, func(n Note) error {
		barred[n.Email] = true
		return nil
	})
	if err != nil || len(barred) == 0 {
		return people, err
	}
	return slices.DeleteFunc(people, func(e storedLine) bool {
		email, err := directory.ParseEmail(e.Email)
		return err == nil && barred[email.Normalized]
	}), nil
}

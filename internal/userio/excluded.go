package userio

import (
	"context"
	"fmt"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
)

// maxExcluded bounds the addresses that a file includes on one line and excludes on a later
// one.
const maxExcluded = 1000

// exclude records that the file excludes an address, whatever its other lines say.
func (u *uploadState) exclude(l Line) error {
	email, err := directory.ParseEmail(l.Entry.Email)
	if err != nil {
		return nil // an invalid address isn't imported
	}
	hash := u.hash(email)
	first := u.seen[hash]
	if first >= 0 {
		u.seen[hash] = -l.Number
	}
	if first <= 0 {
		return nil
	}
	if len(u.excluded) == maxExcluded {
		return &FileError{Line: l.Number, Text: fmt.Sprintf("More than %d addresses are included by one line and excluded by another. Remove the wrong lines.", maxExcluded)}
	}
	u.excluded[email.Normalized] = l.Number
	return nil
}

// storeExcluded stores the users that later lines exclude, and subtracts them from the
// counts.
func (u *uploadState) storeExcluded() error {
	if len(u.excluded) == 0 {
		return nil
	}
	var stored part
	for n := range u.people.number {
		entries, err := u.im.readPart(u.ctx, u.i.ID, People, n)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := u.storeIfExcluded(&stored, e); err != nil {
				return err
			}
		}
	}
	return u.flush(&stored, Excluded)
}

func (u *uploadState) storeIfExcluded(stored *part, e storedLine) error {
	email, err := directory.ParseEmail(e.Email)
	line, ok := u.excluded[email.Normalized]
	if err != nil || !ok {
		return err
	}
	if err := u.note(stored, Excluded, storedLine{Email: email.Normalized}, ""); err != nil {
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
	return u.problem(e, fmt.Sprintf("Skipped, because line %d excludes this address.", line))
}

// withoutExcluded returns the users of a part that no later line of the file excludes.
func (im *Importer) withoutExcluded(ctx context.Context, id string, users []storedLine) ([]storedLine, error) {
	excluded := map[string]bool{}
	for n, err := range im.notes(ctx, id, Excluded) {
		if err != nil {
			return nil, err
		}
		excluded[n.Email] = true
	}
	if len(excluded) == 0 {
		return users, nil
	}
	return slices.DeleteFunc(users, func(e storedLine) bool {
		email, err := directory.ParseEmail(e.Email)
		return err == nil && excluded[email.Normalized]
	}), nil
}

package userio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// storedGroup is a membership of a user in a part of People.
type storedGroup struct {
	Name  string     `json:"name"`
	Until *time.Time `json:"until,omitempty"` // nil if it has no end
}

// untilWord separates a group's name from the end of the membership.
const untilWord = " until "

// formatGroups returns memberships as a cell: names separated by commas, each with the end of
// the membership unless it has none. groupFinder.parse reads it.
func formatGroups(memberships []directory.Membership) string {
	items := make([]string, len(memberships))
	for i, m := range memberships {
		items[i] = m.GroupName
		if !m.Until.IsZero() {
			items[i] += untilWord + m.Until.UTC().Format(time.RFC3339Nano)
		}
	}
	return strings.Join(items, ", ")
}

// groupFinder finds groups by name, and remembers them.
type groupFinder struct {
	store Store
	found map[string]*directory.Group // by directory.GroupKey; nil if there is none
}

func newGroupFinder(store Store) *groupFinder {
	return &groupFinder{store, map[string]*directory.Group{}}
}

// maxRememberedGroups bounds the memory of a groupFinder for names that a file makes up.
const maxRememberedGroups = 2 * directory.MaxGroups

// find returns the group with a name, or nil if there is none.
func (f *groupFinder) find(ctx context.Context, name string) (*directory.Group, error) {
	key := directory.GroupKey(strings.TrimSpace(name))
	if g, known := f.found[key]; known {
		return g, nil
	}
	var group *directory.Group
	g, err := f.store.GetGroupByName(ctx, key)
	switch {
	case err == nil:
		group = &g
	case !errors.Is(err, directory.ErrNotFound):
		return nil, err
	}
	if len(f.found) < maxRememberedGroups {
		f.found[key] = group
	}
	return group, nil
}

// parse parses the memberships of a line: groups separated by commas or, if that finds none,
// semicolons, each with an end of its own or the line's. problem says what can't be used.
func (f *groupFinder) parse(ctx context.Context, groups, until string, now time.Time) (list []storedGroup, problem string, err error) {
	var items []string
	for item := range strings.SplitSeq(groups, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		known, err := f.find(ctx, item)
		if err != nil {
			return nil, "", err
		}
		if known == nil && strings.Contains(item, ";") {
			items = append(items, strings.Split(item, ";")...)
		} else {
			items = append(items, item)
		}
	}
	seen := map[string]bool{}
	for _, item := range items {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		g, end, err := f.split(ctx, item, until)
		if err != nil {
			return nil, "", err
		}
		if g == nil {
			return nil, fmt.Sprintf("Groups: There is no group “%s”. Create it first, or remove it from the file.", excerpt(visible(groupName(item, now)), 60)), nil
		}
		ends, err := directory.ParseUntil(end, now)
		if err != nil {
			return nil, "Until: " + err.Error(), nil
		}
		if seen[g.ID] {
			continue
		}
		seen[g.ID] = true
		s := storedGroup{Name: g.Name}
		if !ends.IsZero() {
			s.Until = &ends
		}
		list = append(list, s)
	}
	return list, "", nil
}

// split returns the group of an item and the end of the membership, as typed, which is until
// unless the item has its own. The group is nil if there is none.
func (f *groupFinder) split(ctx context.Context, item, until string) (*directory.Group, string, error) {
	g, err := f.find(ctx, item)
	if g != nil || err != nil {
		return g, until, err
	}
	if i := strings.LastIndex(item, untilWord); i > 0 {
		g, err := f.find(ctx, item[:i])
		return g, item[i+len(untilWord):], err
	}
	return nil, "", nil
}

// groupName returns the name in an item whose group doesn't exist: without an end.
func groupName(item string, now time.Time) string {
	name, end, found := strings.Cut(item, untilWord)
	if _, err := directory.ParseUntil(end, now); found && err == nil {
		return name
	}
	return item
}

// groupGoneError reports that a group was removed after the upload.
type groupGoneError struct{ name string }

func (e *groupGoneError) Error() string {
	return fmt.Sprintf("The group “%s” was removed. Create it again, then resume the import.", e.name)
}

// join makes a user a member of the groups of a line, except those whose end has passed.
func (f *groupFinder) join(ctx context.Context, n *directory.NewUser, groups []storedGroup, now time.Time) error {
	for _, s := range groups {
		g, err := f.find(ctx, s.Name)
		if err != nil {
			return err
		}
		var until time.Time
		if s.Until != nil {
			until = *s.Until
		}
		switch {
		case !until.IsZero() && !until.After(now):
		case g == nil:
			return &groupGoneError{s.Name}
		default:
			n.Join(*g, until, now)
		}
	}
	return nil
}

// groupsText returns the groups in a JSON member as a cell: an array of names or of objects with
// name and until, or a text. ok is false for anything else.
func groupsText(value any) (text string, ok bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			if items[i], ok = groupText(item); !ok {
				return "", false
			}
		}
		return strings.Join(items, ", "), true
	}
	return "", false
}

func groupText(item any) (text string, ok bool) {
	if name, isText := item.(string); isText {
		return name, true
	}
	object, _ := item.(map[string]any)
	name, isText := object["name"].(string)
	if until, hasEnd := object["until"].(string); hasEnd && until != "" {
		name += untilWord + until
	}
	return name, isText
}

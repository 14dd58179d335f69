package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
)

// GroupStore keeps the groups and their members. Its errors wrap ErrNotFound (no such
// group or user), ErrUnavailable, or are those of this package.
type GroupStore interface {
	// CreateGroup writes a group and an event, and links the claim to the group. Errors:
	// ErrGroupTaken, ErrTooManyGroups, idempotency.ErrInProgress.
	CreateGroup(ctx context.Context, g Group, e event.Event, c idempotency.Claim) error
	GetGroup(ctx context.Context, id string) (Group, error)
	// GetGroupByName ignores case.
	GetGroupByName(ctx context.Context, name string) (Group, error)
	// ListGroups returns up to limit groups by name, after the one with the key after
	// (Group.Key), which is empty for the first page.
	ListGroups(ctx context.Context, after string, limit int) ([]Group, error)
	// ListGroupNames is ListGroups without the numbers of members and apps.
	ListGroupNames(ctx context.Context, after string, limit int) ([]Group, error)
	// CountsOfGroup returns a group's numbers of members and apps.
	CountsOfGroup(ctx context.Context, id string) (members, apps int, err error)
	// ChangeGroup runs rule on the locked group, then writes the name it returns and
	// the event. Error: ErrGroupTaken.
	ChangeGroup(ctx context.Context, id string, rule func(Group) (Group, event.Event, error)) (Group, error)
	// RemoveGroup deletes a group with its memberships and the event that record returns.
	RemoveGroup(ctx context.Context, id string, record func(Group) event.Event) error
	// ChangeMembership runs rule on the locked group and user, with their membership or
	// nil. It writes the membership that rule returns, or deletes it if that is nil, and
	// the event.
	ChangeMembership(ctx context.Context, groupID, userID string, rule func(Group, User, *Membership) (*Membership, event.Event, error)) error
	// ListMemberships returns a user's memberships, including ended ones, by the groups' names.
	ListMemberships(ctx context.Context, userID string) ([]Membership, error)
	// ListMembershipsOf returns the memberships of users by user id, each as ListMemberships does.
	ListMembershipsOf(ctx context.Context, userIDs []string) (map[string][]Membership, error)
	// ListMembers returns up to limit members of a group by id, after the one with the
	// id after, which is empty for the first page. The order isn't by name because names
	// are in users: each page would sort all members, or every change of a name would have
	// to be written to the user's memberships for an index to have it.
	ListMembers(ctx context.Context, groupID, after string, limit int) ([]GroupMember, error)
	// ListMembershipsEnding returns up to limit memberships that end after one time and
	// not after another, in that order, with their users.
	ListMembershipsEnding(ctx context.Context, after, before time.Time, limit int) ([]GroupMember, error)
}

// GroupMember is a member of a group with its user.
type GroupMember struct {
	Membership
	User User
}

// Groups reads and changes the groups. It is safe for concurrent use.
type Groups struct {
	store GroupStore
	now   func() time.Time
}

// NewGroups returns a Groups.
func NewGroups(store GroupStore, now func() time.Time) *Groups { return &Groups{store, now} }

// Create creates a group. Errors: *ValidationError, ErrGroupTaken, ErrTooManyGroups.
func (g *Groups) Create(ctx context.Context, by event.Origin, name string) (Group, error) {
	return g.CreateOnce(ctx, Actor{Origin: by}, name)
}

// CreateOnce is Create for a request with an idempotency key, which it links to the group.
func (g *Groups) CreateOnce(ctx context.Context, by Actor, name string) (Group, error) {
	group, e, err := NewGroup(by.Origin, name, g.now())
	if err != nil {
		return Group{}, err
	}
	return group, g.store.CreateGroup(ctx, group, e, by.Claim)
}

// Rename renames a group. Errors: *ValidationError, ErrNotFound, ErrGroupTaken.
func (g *Groups) Rename(ctx context.Context, by event.Origin, id, name string) (Group, error) {
	parsed, err := ParseGroupName(name)
	if err := validate(map[string]error{"name": err}); err != nil {
		return Group{}, err
	}
	return g.store.ChangeGroup(ctx, id, func(group Group) (Group, event.Event, error) {
		e := by.NewEvent(event.GroupRenamed, g.now(), "", "", group.Name)
		e.Changes = []event.Change{{Field: "name", Old: group.Name, New: parsed}}
		group.Name = parsed
		return group, e, nil
	})
}

// Remove removes a group and its memberships. Apps that it opened stay closed to its
// members. Error: ErrNotFound.
func (g *Groups) Remove(ctx context.Context, by event.Origin, id string) error {
	return g.store.RemoveGroup(ctx, id, func(group Group) event.Event {
		return by.NewEvent(event.GroupRemoved, g.now(), "", "", group.Name)
	})
}

// Join adds a user to a group until a time, which is zero for no end, or changes the end
// of their membership. Errors: *ValidationError for a time that has passed, ErrNotFound,
// ErrAlreadyMember if nothing changes.
func (g *Groups) Join(ctx context.Context, by event.Origin, groupID, userID string, until time.Time) error {
	return g.store.ChangeMembership(ctx, groupID, userID, func(group Group, u User, old *Membership) (*Membership, event.Event, error) {
		return Join(by, group, u, old, until, g.now())
	})
}

// Leave removes a user from a group. Errors: ErrNotFound, ErrNotMember.
func (g *Groups) Leave(ctx context.Context, by event.Origin, groupID, userID string) error {
	now := g.now()
	return g.store.ChangeMembership(ctx, groupID, userID, func(group Group, u User, old *Membership) (*Membership, event.Event, error) {
		if old == nil {
			return nil, event.Event{}, ErrNotMember
		}
		return nil, membershipEvent(by, event.GroupLeft, u, group, time.Time{}, time.Time{}, now), nil
	})
}

// Get returns a group. Error: ErrNotFound.
func (g *Groups) Get(ctx context.Context, id string) (Group, error) { return g.store.GetGroup(ctx, id) }

// Find returns the group with an id or a name, ignoring case. Error: ErrNotFound.
func (g *Groups) Find(ctx context.Context, idOrName string) (Group, error) {
	group, err := g.store.GetGroupByName(ctx, idOrName)
	if errors.Is(err, ErrNotFound) {
		return g.store.GetGroup(ctx, idOrName)
	}
	return group, err
}

// MaxGroupsInInput is the maximum number of groups that Resolve accepts.
const MaxGroupsInInput = 100

// Resolve returns the groups with ids or names, each once, ignoring case and surrounding
// spaces. The error for an unknown one is a *ValidationError for the field groups.
func (g *Groups) Resolve(ctx context.Context, idsOrNames []string) ([]Group, error) {
	invalid := func(text string) error {
		return &ValidationError{Fields: map[string]string{"groups": text}}
	}
	if len(idsOrNames) > MaxGroupsInInput {
		return nil, invalid(fmt.Sprintf("Name at most %d groups.", MaxGroupsInInput))
	}
	var groups []Group
	for _, text := range idsOrNames {
		group, err := g.Find(ctx, strings.TrimSpace(text))
		if errors.Is(err, ErrNotFound) {
			return nil, invalid(fmt.Sprintf("There is no group “%s”.", strings.TrimSpace(text)))
		}
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(groups, func(other Group) bool { return other.ID == group.ID }) {
			groups = append(groups, group)
		}
	}
	return groups, nil
}

// JoinMissing adds a user to those of the groups that they aren't in, or not any more,
// until a time. Present memberships stay as they are. Errors: those of Join.
func (g *Groups) JoinMissing(ctx context.Context, by event.Origin, userID string, groups []Group, until time.Time) error {
	if len(groups) == 0 {
		return nil
	}
	memberships, err := g.store.ListMemberships(ctx, userID)
	if err != nil {
		return err
	}
	now := g.now()
	for _, group := range groups {
		if slices.ContainsFunc(memberships, func(m Membership) bool { return m.GroupID == group.ID && m.Active(now) }) {
			continue
		}
		if err := g.Join(ctx, by, group.ID, userID, until); err != nil && !errors.Is(err, ErrAlreadyMember) {
			return err
		}
	}
	return nil
}

// HasGroups reports whether there is a group.
func (g *Groups) HasGroups(ctx context.Context) (bool, error) {
	groups, err := g.store.ListGroupNames(ctx, "", 1)
	return len(groups) > 0, err
}

// ActiveMemberships returns the memberships of users that haven't ended, by user id.
func (g *Groups) ActiveMemberships(ctx context.Context, userIDs []string) (map[string][]Membership, error) {
	memberships, err := g.store.ListMembershipsOf(ctx, userIDs)
	now := g.now()
	for id, list := range memberships {
		memberships[id] = slices.DeleteFunc(list, func(m Membership) bool { return !m.Active(now) })
	}
	return memberships, err
}

// List returns all groups by name.
func (g *Groups) List(ctx context.Context) ([]Group, error) {
	return g.store.ListGroups(ctx, "", MaxGroups)
}

// Page returns up to limit groups by name, after the one with the key after; see GroupKey.
func (g *Groups) Page(ctx context.Context, after string, limit int) ([]Group, error) {
	return g.store.ListGroups(ctx, after, limit)
}

// Count returns a group with its numbers of members and apps. Errors: ErrNotFound,
// ErrUnavailable.
func (g *Groups) Count(ctx context.Context, group Group) (Group, error) {
	members, apps, err := g.store.CountsOfGroup(ctx, group.ID)
	group.Members, group.Apps = members, apps
	return group, err
}

// Names returns up to limit groups by name, without the numbers of members and apps.
func (g *Groups) Names(ctx context.Context, limit int) ([]Group, error) {
	return g.store.ListGroupNames(ctx, "", limit)
}

// Memberships returns a user's memberships, including ended ones, by the groups' names.
func (g *Groups) Memberships(ctx context.Context, userID string) ([]Membership, error) {
	return g.store.ListMemberships(ctx, userID)
}

// Members returns up to limit members of a group, after the one with the id after.
func (g *Groups) Members(ctx context.Context, groupID, after string, limit int) ([]GroupMember, error) {
	return g.store.ListMembers(ctx, groupID, after, limit)
}

// Ending returns up to limit memberships that end within a time from now, or ended within it
// before, with their users, the first to end first.
func (g *Groups) Ending(ctx context.Context, within time.Duration, limit int) ([]GroupMember, error) {
	now := g.now()
	return g.store.ListMembershipsEnding(ctx, now.Add(-within), now.Add(within), limit)
}

package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

var _ directory.GroupStore = (*Store)(nil)

// CreateGroup inserts a group; see directory.GroupStore.
func (s *Store) CreateGroup(ctx context.Context, g directory.Group, e event.Event, c idempotency.Claim) error {
	return s.inTx(ctx, "create group", func(q queries) error {
		if _, err := q.LockAdmins(ctx, micros(s.now())); err != nil { // others count after this
			return err
		}
		n, err := q.CountGroups(ctx)
		if err != nil {
			return err
		}
		if n >= directory.MaxGroups {
			return directory.ErrTooManyGroups
		}
		err = q.InsertGroup(ctx, dbsqlc.InsertGroupParams{ID: g.ID, Name: g.Name, NameKey: g.Key(), CreatedAt: micros(g.CreatedAt)})
		if IsDuplicate(err) {
			return directory.ErrGroupTaken
		}
		if err != nil {
			return err
		}
		if err := insertEvents(ctx, q, e); err != nil {
			return err
		}
		return linkKey(ctx, q, c, g.ID)
	})
}

// GetGroup returns the group with an id.
func (s *Store) GetGroup(ctx context.Context, id string) (directory.Group, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetGroup, id)
	return toGroup(row), translate("get group", err)
}

// GetGroupByName returns the group with a name, ignoring case.
func (s *Store) GetGroupByName(ctx context.Context, name string) (directory.Group, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetGroupByNameKey, directory.GroupKey(name))
	return toGroup(row), translate("get group by name", err)
}

// ListGroups returns a page of groups; see directory.GroupStore.
func (s *Store) ListGroups(ctx context.Context, after string, limit int) ([]directory.Group, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListGroups, dbsqlc.ListGroupsParams{After: after, Limit: int32(limit)})
	list := make([]directory.Group, len(rows))
	for i, r := range rows {
		list[i] = directory.Group{
			ID: r.ID, Name: text.Name(r.Name), CreatedAt: fromMicros(r.CreatedAt), Members: int(r.Members), Apps: int(r.Apps),
		}
	}
	return list, translate("list groups", err)
}

// CountsOfGroup returns a group's numbers of members and apps.
func (s *Store) CountsOfGroup(ctx context.Context, id string) (members, apps int, err error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).CountsOfGroup, id)
	if err != nil {
		return 0, 0, translate("count members of group", err)
	}
	return int(row.Members), int(row.Apps), nil
}

// ListGroupNames returns a page of groups without counts; see directory.GroupStore.
func (s *Store) ListGroupNames(ctx context.Context, after string, limit int) ([]directory.Group, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListGroupNames, dbsqlc.ListGroupNamesParams{After: after, Limit: int32(limit)})
	list := make([]directory.Group, len(rows))
	for i, r := range rows {
		list[i] = toGroup(r)
	}
	return list, translate("list names of groups", err)
}

// ChangeGroup renames a group; see directory.GroupStore.
func (s *Store) ChangeGroup(
	ctx context.Context, id string, rule func(directory.Group) (directory.Group, event.Event, error),
) (directory.Group, error) {
	var changed directory.Group
	err := s.inTx(ctx, "change group", func(q queries) error {
		g, err := lockedGroup(ctx, q, id)
		if err != nil {
			return err
		}
		next, e, err := rule(g)
		changed = next
		if err != nil || next.Name == g.Name {
			return err
		}
		_, err = q.RenameGroup(ctx, dbsqlc.RenameGroupParams{Name: next.Name, NameKey: next.Key(), ID: id})
		if IsDuplicate(err) {
			return directory.ErrGroupTaken
		}
		if err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
	return changed, err
}

// RemoveGroup deletes a group with its memberships; see directory.GroupStore.
func (s *Store) RemoveGroup(ctx context.Context, id string, record func(directory.Group) event.Event) error {
	return s.inTx(ctx, "remove group", func(q queries) error {
		g, err := lockedGroup(ctx, q, id)
		if err != nil {
			return err
		}
		if err := insertEvents(ctx, q, record(g)); err != nil {
			return err
		}
		if err := q.DeleteAppsOfGroup(ctx, id); err != nil {
			return err
		}
		if err := deleteMembers(ctx, q, id); err != nil {
			return err
		}
		_, err = q.DeleteGroup(ctx, id)
		return err
	})
}

// deleteMembers deletes the memberships of a group, as many with one statement as every server accepts.
func deleteMembers(ctx context.Context, q queries, groupID string) error {
	const batch = 1000
	for {
		members, err := q.SomeMembersOfGroup(ctx, dbsqlc.SomeMembersOfGroupParams{GroupID: groupID, Limit: batch})
		if err != nil || len(members) == 0 {
			return err
		}
		if err := q.DeleteMembers(ctx, dbsqlc.DeleteMembersParams{GroupID: groupID, UserIds: members}); err != nil {
			return err
		}
	}
}

// lock locks a row until the transaction ends, with a statement that changes nothing. It returns sql.ErrNoRows if there
// is none. The row may be gone although a later SELECT still returns it: the transaction reads what was there at its first
// SELECT.
func lock(ctx context.Context, update func(context.Context, string) (int64, error), id string) error {
	n, err := update(ctx, id)
	if err == nil && n == 0 {
		return sql.ErrNoRows
	}
	return err
}

// lockedGroup locks a group until the transaction ends and returns it.
func lockedGroup(ctx context.Context, q queries, id string) (directory.Group, error) {
	if err := lock(ctx, q.LockGroup, id); err != nil {
		return directory.Group{}, err
	}
	row, err := q.GetGroup(ctx, id)
	return toGroup(row), err
}

// ChangeMembership writes or deletes a user's membership; see directory.GroupStore.
func (s *Store) ChangeMembership(
	ctx context.Context, groupID, userID string,
	rule func(directory.Group, directory.User, *directory.Membership) (*directory.Membership, event.Event, error),
) error {
	return s.inTx(ctx, "change membership", func(q queries) error {
		if err := lock(ctx, q.LockUser, userID); err != nil { // as a removal does first, so that it leaves no membership behind
			return err
		}
		g, err := lockedGroup(ctx, q, groupID)
		if err != nil {
			return err
		}
		user, err := q.GetUser(ctx, userID)
		if err != nil {
			return err
		}
		var old *directory.Membership
		row, err := q.GetMember(ctx, dbsqlc.GetMemberParams{GroupID: groupID, UserID: userID})
		if err == nil {
			found := toMembership(row, g.Name)
			old = &found
		} else if !dbconn.IsNoRows(err) {
			return err
		}
		m, e, err := rule(g, toUser(user), old)
		if err != nil {
			return err
		}
		if err := writeMembership(ctx, q, groupID, userID, old, m, e.At); err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// writeMembership replaces a user's membership old, which may be nil, by m, which may be nil.
func writeMembership(ctx context.Context, q queries, groupID, userID string, old, m *directory.Membership, now time.Time) error {
	switch {
	case m == nil && old == nil:
		return nil
	case m == nil:
		_, err := q.DeleteMember(ctx, dbsqlc.DeleteMemberParams{GroupID: groupID, UserID: userID})
		return err
	case old == nil:
		return insertMember(ctx, q, *m)
	}
	_, err := q.SetMemberUntil(ctx, dbsqlc.SetMemberUntilParams{
		UntilAt: micros(m.Until), WarnedUntil: warnedUntil(m.Until, now), GroupID: groupID, UserID: userID,
	})
	return err
}

func insertMember(ctx context.Context, q queries, m directory.Membership) error {
	return q.InsertMember(ctx, dbsqlc.InsertMemberParams{
		GroupID: m.GroupID, UserID: m.UserID, UntilAt: micros(m.Until), AddedBy: m.AddedBy, CreatedAt: micros(m.CreatedAt),
		WarnedUntil: warnedUntil(m.Until, m.CreatedAt),
	})
}

// warnedUntil returns the column warned_until of a membership whose end is set now: no warning is sent of an end that
// is near from the start.
func warnedUntil(until, now time.Time) int64 {
	if (directory.Membership{Until: until}).Ending(now) {
		return micros(until)
	}
	return 0
}

// insertMemberships inserts the memberships of a new user. It returns ErrNoGroup if a group was removed.
func insertMemberships(ctx context.Context, q queries, memberships []directory.Membership) error {
	for _, m := range memberships {
		_, err := lockedGroup(ctx, q, m.GroupID)
		if dbconn.IsNoRows(err) {
			return directory.ErrNoGroup
		}
		if err == nil {
			err = insertMember(ctx, q, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ListMemberships returns a user's memberships by the groups' names.
func (s *Store) ListMemberships(ctx context.Context, userID string) ([]directory.Membership, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListMembershipsOfUser, userID)
	list := make([]directory.Membership, len(rows))
	for i, r := range rows {
		list[i] = directory.Membership{
			GroupID: r.GroupID, GroupName: text.Name(r.GroupName), UserID: r.UserID,
			Until: fromMicros(r.UntilAt), AddedBy: r.AddedBy, CreatedAt: fromMicros(r.CreatedAt),
		}
	}
	return list, translate("list memberships", err)
}

// ListMembershipsOf returns the memberships of users; see directory.GroupStore.
func (s *Store) ListMembershipsOf(ctx context.Context, userIDs []string) (map[string][]directory.Membership, error) {
	if len(userIDs) == 0 {
		return nil, nil
	}
	rows, err := read(ctx, s, (*dbsqlc.Queries).MembershipsOfUsers, userIDs)
	return toMemberships(rows), translate("list memberships of users", err)
}

// ListMembers returns a page of a group's members; see directory.GroupStore.
func (s *Store) ListMembers(ctx context.Context, groupID, after string, limit int) ([]directory.GroupMember, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListMembersOfGroup, dbsqlc.ListMembersOfGroupParams{
		GroupID: groupID, After: after, Limit: int32(limit),
	})
	list := make([]directory.GroupMember, len(rows))
	for i, r := range rows {
		m := r.GroupMember
		list[i] = directory.GroupMember{User: toUser(&r.User), Membership: directory.Membership{
			GroupID: m.GroupID, UserID: m.UserID, Until: fromMicros(m.UntilAt), AddedBy: m.AddedBy, CreatedAt: fromMicros(m.CreatedAt),
		}}
	}
	return list, translate("list members", err)
}

// ListMembershipsEnding returns memberships by their end; see directory.GroupStore.
func (s *Store) ListMembershipsEnding(ctx context.Context, after, before time.Time, limit int) ([]directory.GroupMember, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).MembershipsEndingBetween, dbsqlc.MembershipsEndingBetweenParams{
		After: micros(after), Before: micros(before), Limit: int32(limit),
	})
	list := make([]directory.GroupMember, len(rows))
	for i, r := range rows {
		list[i] = directory.GroupMember{Membership: toMembership(&r.GroupMember, r.GroupName), User: toUser(&r.User)}
	}
	return list, translate("list ending memberships", err)
}

func toMembership(r *dbsqlc.GroupMember, groupName string) directory.Membership {
	return directory.Membership{
		GroupID: r.GroupID, GroupName: text.Name(groupName), UserID: r.UserID,
		Until: fromMicros(r.UntilAt), AddedBy: r.AddedBy, CreatedAt: fromMicros(r.CreatedAt),
	}
}

// deleteAccess deletes what gives a user who is removed access to apps: memberships, app tokens and requests.
func deleteAccess(ctx context.Context, q queries, userID string) error {
	for _, remove := range []func(context.Context, string) error{q.DeleteMembersOfUser, q.DeleteAppTokensOfUser, q.DeleteRequestsOfUser} {
		if err := remove(ctx, userID); err != nil {
			return err
		}
	}
	return nil
}

func toGroup(r *dbsqlc.UserGroup) directory.Group {
	if r == nil {
		return directory.Group{}
	}
	return directory.Group{ID: r.ID, Name: text.Name(r.Name), CreatedAt: fromMicros(r.CreatedAt)}
}

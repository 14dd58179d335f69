package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/userio"
)

// ImportUsers adds users and advances their import; see userio.Store.
func (s *Store) ImportUsers(
	ctx context.Context, i userio.Import, users []directory.NewUser, now, until time.Time, done func(userio.Import) event.Event,
) (userio.Import, error) {
	defer s.totals.invalidate()
	var next userio.Import
	add := func(tx *sql.Tx) (err error) {
		q := s.queriesTx(tx)
		if err := checkImportActor(ctx, q, i.Actor.ActorID); err != nil {
			return err
		}
		fresh, err := unlistedUsers(ctx, q, users)
		if err != nil {
			return err
		}
		kept := len(users) - len(fresh)
		fresh, leftOut, err := withoutRemoved(ctx, q, fresh, i.Removals)
		if err != nil {
			return err
		}
		next = i
		next.Part, next.Added, next.Skipped, next.UpdatedAt = i.Part+1, i.Added+len(fresh), i.Skipped+kept, now
		next.LeftOut = i.LeftOut + leftOut
		if next.Part == next.Parts {
			next.State = userio.Done
		}
		if err := advanceImport(ctx, q, i, next, until, done); err != nil {
			return err
		}
		return insertUsers(ctx, q, fresh)
	}
	err := s.Transact(ctx, add)
	for range users { // each time, another user may have been added since we looked
		if !IsDuplicate(err) {
			break
		}
		err = s.Transact(ctx, add)
	}
	return next, translate("import users", err)
}

// checkImportActor returns an error unless the user who started an import is still an administrator.
func checkImportActor(ctx context.Context, q queries, actorID string) error {
	if actorID == "" {
		return nil
	}
	row, err := q.GetUser(ctx, actorID)
	if dbconn.IsNoRows(err) || err == nil && !toUser(row).IsActiveAdmin() {
		return userio.ErrActorNotAdmin
	}
	return err
}

// advanceImport advances an import before users are inserted, so that of two instances working on the same part the
// second waits here and then fails.
func advanceImport(ctx context.Context, q queries, was, next userio.Import, until time.Time, done func(userio.Import) event.Event) error {
	n, err := q.AdvanceImport(ctx, dbsqlc.AdvanceImportParams{
		State: string(next.State), Part: int64(next.Part), Added: int64(next.Added), Kept: int64(next.Skipped), LeftOut: int64(next.LeftOut), LeaseEnd: micros(until),
		UpdatedAt: micros(next.UpdatedAt), ID: was.ID, Lease: was.Lease, Was: int64(was.Part),
	})
	if err := requireOneRow(n, err, userio.ErrLeaseLost); err != nil || next.State != userio.Done {
		return err
	}
	return insertEvents(ctx, q, done(next))
}

// unlistedUsers returns the users whose address isn't in the directory, each address once, and deletes refused jobs of
// earlier users of the addresses.
func unlistedUsers(ctx context.Context, q queries, users []directory.NewUser) ([]directory.NewUser, error) {
	if len(users) == 0 {
		return nil, nil
	}
	listed, err := q.ListedAddresses(ctx, emailKeys(users))
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, key := range listed {
		taken[key] = true
	}
	fresh := slices.DeleteFunc(slices.Clone(users), func(u directory.NewUser) bool {
		was := taken[u.User.Email.Normalized]
		taken[u.User.Email.Normalized] = true
		return was
	})
	return fresh, deleteParkedJobs(ctx, q, emailKeys(fresh)...)
}

// withoutRemoved returns the users whose address was not removed after the import started, and how many were; removals
// is the number of removals when it started. Earlier removals are deleted, because starting an import invites again.
func withoutRemoved(
	ctx context.Context, q queries, users []directory.NewUser, removals int,
) (rest []directory.NewUser, leftOut int, err error) {
	if len(users) == 0 {
		return nil, 0, nil
	}
	rows, err := q.RemovedAddresses(ctx, emailKeys(users))
	if err != nil || len(rows) == 0 {
		return users, 0, err
	}
	var forgotten []string
	out := map[string]bool{}
	linksAfter := map[string]time.Time{} // links from before the removal stay invalid
	for _, row := range rows {
		if row.Removal > int64(removals) {
			out[row.EmailKey] = true
		} else {
			forgotten = append(forgotten, row.EmailKey)
			linksAfter[row.EmailKey] = fromMicros(row.RemovedAt)
		}
	}
	rest = slices.DeleteFunc(users, func(u directory.NewUser) bool { return out[u.User.Email.Normalized] })
	for n := range rest {
		rest[n].User.LinksAfter = linksAfter[rest[n].User.Email.Normalized]
	}
	if len(forgotten) > 0 {
		err = q.DeleteRemovedAddresses(ctx, forgotten)
	}
	return rest, len(out), err
}

func emailKeys(users []directory.NewUser) []string {
	keys := make([]string, len(users))
	for n, u := range users {
		keys[n] = u.User.Email.Normalized
	}
	return keys
}

// insertUsers inserts users with their words, memberships, events and jobs, like CreateUser. It returns
// directory.ErrNoGroup if a group was removed.
func insertUsers(ctx context.Context, q queries, added []directory.NewUser) error {
	if err := lockGroupsOf(ctx, q, added); err != nil {
		return err
	}
	var users, words, members, events, jobs [][]any
	for _, p := range added {
		u := userParams(p.User)
		users = append(users, []any{
			u.ID, u.Name, u.NameKey, u.Email, u.EmailKey, u.Role, u.Status, u.StytchUserID, u.InvitedBy,
			u.InviteSentAt, u.CreatedAt, u.UpdatedAt, u.LastSeenAt, u.LinksAfter, u.CancelledInviteAt,
		})
		for _, word := range p.User.SearchTerms() {
			words = append(words, []any{word, u.ID})
		}
		for _, m := range p.Memberships {
			members = append(members, []any{
				m.GroupID, m.UserID, micros(m.Until), m.AddedBy, micros(m.CreatedAt), warnedUntil(m.Until, m.CreatedAt),
			})
		}
		e, err := eventParams(p.Event)
		if err != nil {
			return err
		}
		events = append(events, []any{
			e.ID, e.At, e.Kind, e.ActorID, e.Actor, e.SubjectID, e.Subject, e.Reason, e.Changes, e.Address, e.UserAgent, e.RequestID, e.Token,
		})
		for _, job := range p.Jobs {
			j := jobParams(job)
			jobs = append(jobs, []any{j.ID, j.Kind, j.Subject, j.UserID, j.StytchID, j.Name, 0, j.DueAt, 0, 0, "", j.CreatedAt, j.AppID})
		}
	}
	for _, table := range []struct {
		name, columns string
		rows          [][]any
	}{
		{"users", "id, name, name_key, email, email_key, role, status, stytch_user_id, invited_by, invite_sent_at, created_at, updated_at, last_seen_at, links_after, cancelled_invite_at", users},
		{"user_words", "word, user_id", words},
		{"group_members", "group_id, user_id, until_at, added_by, created_at, warned_until", members},
		{"events", "id, at, kind, actor_id, actor, subject_id, subject, reason, changes, address, user_agent, request_id, token", events},
		{"outbox", "id, kind, subject, user_id, stytch_id, name, attempts, due_at, leased_until, parked_at, last_error, created_at, app_id", jobs},
	} {
		if err := InsertRows(ctx, q.db, table.name, table.columns, table.rows); err != nil {
			return err
		}
	}
	return nil
}

// lockGroupsOf locks the groups of new users, so that none is removed before the transaction ends.
func lockGroupsOf(ctx context.Context, q queries, added []directory.NewUser) error {
	locked := map[string]bool{}
	for _, p := range added {
		for _, m := range p.Memberships {
			locked[m.GroupID] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(locked)) {
		err := lock(ctx, q.LockGroup, id)
		if dbconn.IsNoRows(err) {
			return directory.ErrNoGroup
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insertWords writes search words by the ids of their users.
func insertWords(ctx context.Context, q queries, words map[string][]string) error {
	var rows [][]any
	for _, id := range slices.Sorted(maps.Keys(words)) {
		for _, word := range words[id] {
			rows = append(rows, []any{word, id})
		}
	}
	return InsertRows(ctx, q.db, "user_words", "word, user_id", rows)
}

// maxBindValues limits the values of one statement. SQLite allows 32,766, and a statement of this many is well below what
// any server accepts.
const maxBindValues = 2000

// InsertRows writes rows with few statements, because sqlc can't generate one with a variable number of rows. The table
// and the columns become text of the statement and must be constants.
func InsertRows(
	ctx context.Context, db interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}, table, columns string, rows [][]any,
) error {
	if len(rows) == 0 {
		return nil
	}
	one := "(?" + strings.Repeat(", ?", len(rows[0])-1) + ")"
	for chunk := range slices.Chunk(rows, maxBindValues/len(rows[0])) {
		text := "-- name: InsertRows :exec\nINSERT INTO " + table + " (" + columns + ") VALUES " + one + strings.Repeat(", "+one, len(chunk)-1)
		if _, err := db.ExecContext(ctx, text, slices.Concat(chunk...)...); err != nil {
			return err
		}
	}
	return nil
}

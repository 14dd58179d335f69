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
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/userio"
)

// ImportUsers puts people on the list and moves their import on; see userio.Store.
func (s *Store) ImportUsers(
	ctx context.Context, i userio.Import, people []directory.NewUser, now, until time.Time, done func(userio.Import) event.Event,
) (userio.Import, error) {
	defer s.totals.invalidate()
	var next userio.Import
	add := func(tx *sql.Tx) (err error) {
		q := s.queriesTx(tx)
		if err := checkImportActor(ctx, q, i.Actor.ActorID); err != nil {
			return err
		}
		fresh, err := unlistedUsers(ctx, q, people)
		if err != nil {
			return err
		}
		kept := len(people) - len(fresh)
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
	for range people { // each time, one more may have come by another door since we looked
		if !IsDuplicate(err) {
			break
		}
		err = s.Transact(ctx, add)
	}
	return next, translate("add people", err)
}

// checkImportActor is an error if who had an import run is a person and no administrator now.
func checkImportActor(ctx context.Context, q queries, actorID string) error {
	if actorID == "" {
		return nil
	}
	row, err := q.GetUser(ctx, actorID)
	if isNoRows(err) || err == nil && !toUser(row).IsActiveAdmin() {
		return userio.ErrActorNotAdmin
	}
	return err
}

// advanceImport moves an import on before anybody is written, so that of two instances at
// the same part the second waits here and then finds that it has lost.
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

// unlistedUsers are those whose address nobody on the list has, each address once, and
// gives up what Stytch refused of whoever had it before.
func unlistedUsers(ctx context.Context, q queries, people []directory.NewUser) ([]directory.NewUser, error) {
	if len(people) == 0 {
		return nil, nil
	}
	listed, err := q.ListedAddresses(ctx, emailKeys(people))
	if err != nil {
		return nil, err
	}
	on := map[string]bool{}
	for _, key := range listed {
		on[key] = true
	}
	fresh := slices.DeleteFunc(slices.Clone(people), func(p directory.NewUser) bool {
		was := on[p.User.Email.Normalized]
		on[p.User.Email.Normalized] = true
		return was
	})
	return fresh, deleteParkedJobs(ctx, q, emailKeys(fresh)...)
}

// withoutRemoved returns those whose address was not removed after the import was
// started, and how many were; removals is how many there had been then. Removals
// before that are forgotten: to start an import is to invite anew.
func withoutRemoved(
	ctx context.Context, q queries, people []directory.NewUser, removals int,
) (rest []directory.NewUser, leftOut int, err error) {
	if len(people) == 0 {
		return nil, 0, nil
	}
	rows, err := q.RemovedAddresses(ctx, emailKeys(people))
	if err != nil || len(rows) == 0 {
		return people, 0, err
	}
	var forgotten []string
	out := map[string]bool{}
	linksAfter := map[string]time.Time{} // links from before the removal stay refused
	for _, row := range rows {
		if row.Removal > int64(removals) {
			out[row.EmailKey] = true
		} else {
			forgotten = append(forgotten, row.EmailKey)
			linksAfter[row.EmailKey] = fromMicros(row.RemovedAt)
		}
	}
	rest = slices.DeleteFunc(people, func(p directory.NewUser) bool { return out[p.User.Email.Normalized] })
	for n := range rest {
		rest[n].User.LinksAfter = linksAfter[rest[n].User.Email.Normalized]
	}
	if len(forgotten) > 0 {
		err = q.DeleteRemovedAddresses(ctx, forgotten)
	}
	return rest, len(out), err
}

func emailKeys(people []directory.NewUser) []string {
	keys := make([]string, len(people))
	for n, p := range people {
		keys[n] = p.User.Email.Normalized
	}
	return keys
}

// insertUsers writes new people with all that goes with them, as CreateUser
// does for one of them.
func insertUsers(ctx context.Context, q queries, people []directory.NewUser) error {
	var users, words, events, jobs [][]any
	for _, p := range people {
		u := userParams(p.User)
		users = append(users, []any{
			u.ID, u.Name, u.NameKey, u.Email, u.EmailKey, u.Role, u.Status, u.StytchUserID, u.InvitedBy,
			u.InviteSentAt, u.CreatedAt, u.UpdatedAt, u.LastSeenAt, u.LinksAfter, u.CancelledInviteAt,
		})
		for _, word := range p.User.SearchTerms() {
			words = append(words, []any{word, u.ID})
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
			jobs = append(jobs, []any{j.ID, j.Kind, j.Subject, j.UserID, j.StytchID, j.Name, 0, j.DueAt, 0, 0, "", j.CreatedAt})
		}
	}
	for _, table := range []struct {
		name, columns string
		rows          [][]any
	}{
		{"users", "id, name, name_key, email, email_key, role, status, stytch_user_id, invited_by, invite_sent_at, created_at, updated_at, last_seen_at, links_after, cancelled_invite_at", users},
		{"user_words", "word, user_id", words},
		{"events", "id, at, kind, actor_id, actor, subject_id, subject, reason, changes, address, user_agent, request_id, token", events},
		{"outbox", "id, kind, subject, user_id, stytch_id, name, attempts, due_at, leased_until, parked_at, last_error, created_at", jobs},
	} {
		if err := InsertRows(ctx, q.db, table.name, table.columns, table.rows); err != nil {
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

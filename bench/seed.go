//go:build linux

package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/directory"
)

// The columns that are written, by name: their order in the tables is nobody's
// business here.
var (
	userColumns = []string{
		"id", "name", "name_key", "email", "email_key", "role", "status", "stytch_user_id",
		"invited_by", "invite_sent_at", "created_at", "updated_at", "last_seen_at",
	}
	wordColumns  = []string{"word", "user_id"}
	eventColumns = []string{
		"id", "at", "kind", "actor_id", "actor", "subject_id", "subject", "reason", "changes", "address", "user_agent", "request_id",
	}
)

// person is somebody as the tables have them.
type person struct {
	id     string
	values []any // of userColumns
	words  []string
}

// newPerson derives what package store derives.
func newPerson(u directory.User) person {
	micros := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.UnixMicro()
	}
	return person{id: u.ID, words: u.Words(), values: []any{
		u.ID, u.Name, u.SortName(), u.Email.Typed, u.Email.Key, string(u.Role), string(u.Status), u.StytchUserID,
		u.InvitedBy, micros(u.InviteSentAt), micros(u.CreatedAt), micros(u.UpdatedAt), micros(u.LastSeenAt),
	}}
}

// newID returns a UUIDv7 of that time.
func newID(t time.Time) string {
	id := uuid.New()
	for i, ms := 5, t.UnixMilli(); i >= 0; i, ms = i-1, ms>>8 {
		id[i] = byte(ms)
	}
	id[6] = 0x70 | id[6]&0x0f
	return id.String()
}

// seed fills the migrated, but for a few rows empty tables with n people, the
// same ones in every run but for their ids: in a thousand one administrator, most
// have been here, some are invited, a few suspended. They were added one by one
// over two years.
func seed(ctx context.Context, db *sql.DB, n int, now time.Time) error {
	people := make([]person, n)
	var making sync.WaitGroup
	share := (n + runtime.NumCPU() - 1) / runtime.NumCPU()
	errs := make([]error, runtime.NumCPU())
	for part := range errs {
		making.Go(func() {
			for i := part * share; i < min(n, (part+1)*share) && errs[part] == nil; i++ {
				people[i], errs[part] = somebody(i, n, now)
			}
		})
	}
	making.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if err := seedUsers(ctx, db, people); err != nil {
		return err
	}
	return seedWords(ctx, db, people)
}

// somebody is the i-th of n people.
func somebody(i, n int, now time.Time) (person, error) {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	given, givenASCII := name(givenNames[r.IntN(len(givenNames))])
	family, familyASCII := name(familyNames[r.IntN(len(familyNames))])
	email, err := directory.ParseEmail(fmt.Sprintf("%s.%s%d@%s", givenASCII, familyASCII, i, domains[r.IntN(len(domains))]))
	if err != nil {
		return person{}, err
	}
	const twoYears = 2 * 365 * 24 * time.Hour
	created := now.Add(-twoYears + time.Duration(float64(twoYears)*float64(i)/float64(n)))
	u := directory.User{
		ID: newID(created), Name: given + " " + family, Email: email, Role: directory.Member, Status: directory.Active,
		CreatedAt: created, UpdatedAt: created,
	}
	if i%20 == 19 { // by their address only
		u.Name = ""
	}
	if i%1000 == 500 {
		u.Role = directory.Admin
	}
	switch r.IntN(20) {
	case 0, 1, 2:
		u.Status, u.InviteSentAt = directory.Invited, created
	case 3:
		u.Status = directory.Suspended
	}
	if u.Status != directory.Invited {
		u.LastSeenAt = created.Add(time.Duration(r.Float64() * float64(now.Sub(created))))
		u.StytchUserID = "user-test-" + u.ID
	}
	return newPerson(u), nil
}

// name splits an entry of names.go.
func name(entry string) (shown, ascii string) {
	shown, ascii, found := strings.Cut(entry, "/")
	if !found {
		ascii = directory.Fold(shown)
	}
	return shown, ascii
}

func seedUsers(ctx context.Context, db *sql.DB, people []person) error {
	slices.SortFunc(people, func(a, b person) int { return strings.Compare(a.id, b.id) })
	return inBatches(ctx, db, "users", userColumns, len(people), func(i int) []any { return people[i].values })
}

// seedWords writes in the order of the table's key, so that it grows at its end.
func seedWords(ctx context.Context, db *sql.DB, people []person) error {
	type word struct{ word, id string }
	var all []word
	for _, p := range people {
		for _, w := range p.words {
			all = append(all, word{w, p.id})
		}
	}
	slices.SortFunc(all, func(a, b word) int { return cmp.Or(strings.Compare(a.word, b.word), strings.Compare(a.id, b.id)) })
	row := make([]any, 2)
	return inBatches(ctx, db, "user_words", wordColumns, len(all), func(i int) []any {
		row[0], row[1] = all[i].word, all[i].id
		return row
	})
}

// insertInto is a statement for so many rows.
func insertInto(table string, columns []string, rows int) string {
	one := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + one + strings.Repeat(", "+one, rows-1)
}

// inBatches writes n rows, many with one statement, and tens of thousands in one
// transaction.
func inBatches(ctx context.Context, db *sql.DB, table string, columns []string, n int, row func(i int) []any) error {
	const inTx = 50_000
	inOne := 2000 / len(columns)
	for from := 0; from < n; from += inTx {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after a commit, this does nothing
		to := min(n, from+inTx)
		many, err := tx.Prepare(insertInto(table, columns, inOne))
		if err != nil {
			return err
		}
		args := make([]any, 0, inOne*len(columns))
		for i := from; i < to; {
			rows := min(inOne, to-i)
			args = args[:0]
			for range rows {
				args = append(args, row(i)...)
				i++
			}
			if rows == inOne {
				_, err = many.Exec(args...)
			} else {
				_, err = tx.Exec(insertInto(table, columns, rows), args...)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	return nil
}

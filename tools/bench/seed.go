//go:build linux

package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/schema"
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
	return person{id: u.ID, words: u.SearchTerms(), values: []any{
		u.ID, u.Name, u.SortKey(), u.Email.Display, u.Email.Normalized, string(u.Role), string(u.Status), u.StytchUserID,
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
// over two years, and are written in that order, in which most indexes grow at
// their ends. Those that can be made of all rows at once are.
func seed(ctx context.Context, db *sql.DB, n int, now time.Time) error {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // little is kept, so that it would be looked through all the time
	indexes, err := readIndexes("users")
	if err != nil {
		return err
	}
	for _, index := range indexes {
		if _, err := db.ExecContext(ctx, index.drop); err != nil {
			return err
		}
	}
	if err := insertPeople(ctx, db, n, now); err != nil {
		return err
	}
	for _, index := range indexes {
		if _, err := db.ExecContext(ctx, index.create); err != nil {
			return err
		}
	}
	return nil
}

// insertPeople writes them all or, where the engine can take them back, none.
func insertPeople(ctx context.Context, db *sql.DB, n int, now time.Time) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // no more is made when a write fails
	const inBatch = 5000
	batches := make(chan chan batch, runtime.NumCPU()) // in order; each is made while others are written
	go func() {
		defer close(batches)
		for from := 0; from < n && ctx.Err() == nil; from += inBatch {
			made := make(chan batch, 1)
			select {
			case batches <- made:
				go func() { made <- makeBatch(from, min(n, from+inBatch), n, now) }()
			case <-ctx.Done():
			}
		}
	}()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for made := range batches {
		b := <-made
		if b.err != nil {
			return b.err
		}
		if err := b.write(tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// index is one that a migration of its own makes.
type index struct{ create, drop string }

// readIndexes returns those of a table.
func readIndexes(table string) ([]index, error) {
	names, err := fs.Glob(schema.Files, "*_"+table+"_by_*.sql")
	var indexes []index
	for _, name := range names {
		create, drop, err := schema.Statements(name)
		if err != nil {
			return nil, err
		}
		indexes = append(indexes, index{create, drop})
	}
	return indexes, err
}

// batch is a few thousand people.
type batch struct {
	people []person
	err    error
}

// makeBatch makes some of n people.
func makeBatch(from, to, n int, now time.Time) batch {
	b := batch{people: make([]person, to-from)}
	for i := range b.people {
		if b.people[i], b.err = somebody(from+i, n, now); b.err != nil {
			break
		}
	}
	return b
}

func (b batch) write(tx *sql.Tx) error {
	var users, words []any
	for _, p := range b.people {
		users = append(users, p.values...)
		for _, word := range p.words {
			words = append(words, word, p.id)
		}
	}
	return cmp.Or(insertAll(tx, "users", userColumns, users), insertAll(tx, "user_words", wordColumns, words))
}

// somebody is the i-th of n people.
func somebody(i, n int, now time.Time) (person, error) {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	given, givenASCII := name(givenNames[r.IntN(len(givenNames))])
	family, familyASCII := name(familyNames[r.IntN(len(familyNames))])
	typed := fmt.Sprintf("%s.%s%d@%s", givenASCII, familyASCII, i, domains[r.IntN(len(domains))])
	if i%10 == 3 {
		typed = strings.ToUpper(typed)
	}
	email, err := directory.ParseEmail(typed)
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

// insertInto is a statement for so many rows.
func insertInto(table string, columns []string, rows int) string {
	one := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + one + strings.Repeat(", "+one, rows-1)
}

// insertAll writes rows, whose values follow on each other, many with a statement.
func insertAll(tx *sql.Tx, table string, columns []string, values []any) error {
	inOne := 2000 / len(columns) * len(columns)
	many, err := tx.Prepare(insertInto(table, columns, inOne/len(columns)))
	if err != nil {
		return err
	}
	defer many.Close()
	for ; len(values) >= inOne && err == nil; values = values[inOne:] {
		_, err = many.Exec(values[:inOne]...)
	}
	if len(values) > 0 && err == nil {
		_, err = tx.Exec(insertInto(table, columns, len(values)/len(columns)), values...)
	}
	return err
}

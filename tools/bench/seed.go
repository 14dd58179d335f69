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

// The columns of inserted rows.
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

// userRecord is a user as stored in the database.
type userRecord struct {
	id     string
	values []any    // of userColumns
	words  []string // in table user_words
}

// newRecord derives the stored values of a user like package store.
func newRecord(u directory.User) userRecord {
	micros := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.UnixMicro()
	}
	return userRecord{id: u.ID, words: u.SearchTerms(), values: []any{
		u.ID, u.Name, u.SortKey(), u.Email.Display, u.Email.Normalized, string(u.Role), string(u.Status), u.StytchUserID,
		u.InvitedBy, micros(u.InviteSentAt), micros(u.CreatedAt), micros(u.UpdatedAt), micros(u.LastSeenAt),
	}}
}

// newID returns a UUIDv7 of a time.
func newID(t time.Time) string {
	id := uuid.New()
	for i, ms := 5, t.UnixMilli(); i >= 0; i, ms = i-1, ms>>8 {
		id[i] = byte(ms)
	}
	id[6] = 0x70 | id[6]&0x0f
	return id.String()
}

// seed adds n users to a migrated database, the same in every run except for their ids. One in a
// thousand is an administrator; most are active, some invited, a few suspended. They were added over
// two years and are inserted in that order. Indexes of users are created afterwards, which is faster.
func seed(ctx context.Context, db *sql.DB, n int, now time.Time) error {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // the heap is small, so collections would be frequent
	indexes, err := readIndexes("users")
	if err != nil {
		return err
	}
	for _, index := range indexes {
		if _, err := db.ExecContext(ctx, index.drop); err != nil {
			return err
		}
	}
	if err := insertUsers(ctx, db, n, now); err != nil {
		return err
	}
	for _, index := range indexes {
		if _, err := db.ExecContext(ctx, index.create); err != nil {
			return err
		}
	}
	return nil
}

// insertUsers inserts n users in one transaction.
func insertUsers(ctx context.Context, db *sql.DB, n int, now time.Time) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // stops the generator when a write fails
	const batchSize = 5000
	batches := make(chan chan batch, runtime.NumCPU()) // in order; created while earlier ones are written
	go func() {
		defer close(batches)
		for from := 0; from < n && ctx.Err() == nil; from += batchSize {
			result := make(chan batch, 1)
			select {
			case batches <- result:
				go func() { result <- newBatch(from, min(n, from+batchSize), n, now) }()
			case <-ctx.Done():
			}
		}
	}()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for result := range batches {
		b := <-result
		if b.err != nil {
			return b.err
		}
		if err := b.write(tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// index has the statements of a migration that creates an index.
type index struct{ create, drop string }

// readIndexes returns the indexes of a table that have their own migrations.
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

// batch is some of the seeded users.
type batch struct {
	users []userRecord
	err   error
}

// newBatch returns the users with numbers from from to to-1, of n.
func newBatch(from, to, n int, now time.Time) batch {
	b := batch{users: make([]userRecord, to-from)}
	for i := range b.users {
		if b.users[i], b.err = newUser(from+i, n, now); b.err != nil {
			break
		}
	}
	return b
}

func (b batch) write(tx *sql.Tx) error {
	var users, words []any
	for _, u := range b.users {
		users = append(users, u.values...)
		for _, word := range u.words {
			words = append(words, word, u.id)
		}
	}
	return cmp.Or(insertAll(tx, "users", userColumns, users), insertAll(tx, "user_words", wordColumns, words))
}

// newUser returns the i-th of n users.
func newUser(i, n int, now time.Time) (userRecord, error) {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	given, givenASCII := splitName(givenNames[r.IntN(len(givenNames))])
	family, familyASCII := splitName(familyNames[r.IntN(len(familyNames))])
	typed := fmt.Sprintf("%s.%s%d@%s", givenASCII, familyASCII, i, domains[r.IntN(len(domains))])
	if i%10 == 3 {
		typed = strings.ToUpper(typed)
	}
	email, err := directory.ParseEmail(typed)
	if err != nil {
		return userRecord{}, err
	}
	const twoYears = 2 * 365 * 24 * time.Hour
	created := now.Add(-twoYears + time.Duration(float64(twoYears)*float64(i)/float64(n)))
	u := directory.User{
		ID: newID(created), Name: given + " " + family, Email: email, Role: directory.Member, Status: directory.Active,
		CreatedAt: created, UpdatedAt: created,
	}
	if i%20 == 19 {
		u.Name = ""
	}
	if i%1000 == 500 {
		u.Role = directory.Admin
	}
	switch r.IntN(20) {
	case 0, 1, 2:
		u.Status = directory.Invited
		u.InviteSentAt = created
	case 3:
		u.Status = directory.Suspended
	}
	if u.Status != directory.Invited {
		u.LastSeenAt = created.Add(time.Duration(r.Float64() * float64(now.Sub(created))))
		u.StytchUserID = "user-test-" + u.ID
	}
	return newRecord(u), nil
}

// splitName splits an entry of names.go into the name and its form in email addresses.
func splitName(entry string) (name, ascii string) {
	name, ascii, found := strings.Cut(entry, "/")
	if !found {
		ascii = directory.Fold(name)
	}
	return name, ascii
}

// insertInto returns an INSERT statement for a number of rows.
func insertInto(table string, columns []string, rows int) string {
	one := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + one + strings.Repeat(", "+one, rows-1)
}

// insertAll inserts rows, about 2,000 values per statement. values has the values of all rows in order.
func insertAll(tx *sql.Tx, table string, columns []string, values []any) error {
	perStatement := 2000 / len(columns) * len(columns)
	statement, err := tx.Prepare(insertInto(table, columns, perStatement/len(columns)))
	if err != nil {
		return err
	}
	defer statement.Close()
	for ; len(values) >= perStatement && err == nil; values = values[perStatement:] {
		_, err = statement.Exec(values[:perStatement]...)
	}
	if len(values) > 0 && err == nil {
		_, err = tx.Exec(insertInto(table, columns, len(values)/len(columns)), values...)
	}
	return err
}

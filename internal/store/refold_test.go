package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
)

// unfoldedUsers is a database whose users were folded by another release.
type unfoldedUsers struct {
	t     *testing.T
	url   string
	now   time.Time
	store *Store
	users []directory.User
}

func newUnfoldedUsers(t *testing.T, databaseURL string, people int) *unfoldedUsers {
	t.Helper()
	l := &unfoldedUsers{t: t, url: databaseURL, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	l.store = l.open()
	if _, err := l.store.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for n := range people {
		email := fmt.Sprintf("p%d@sea.example", n)
		u := directory.User{
			ID: fmt.Sprintf("id-%04d", n), Name: fmt.Sprintf("Łukasz O’Brien %d", n), Email: directory.Email{Display: email, Normalized: email},
			Role: directory.Member, Status: directory.Active, CreatedAt: l.now,
		}
		if err := l.store.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, l.now, u.ID, email, "")}); err != nil {
			t.Fatal(err)
		}
		l.users = append(l.users, u)
	}
	l.age(l.users...)
	return l
}

// open opens the database as one more instance.
func (l *unfoldedUsers) open() *Store {
	l.t.Helper()
	s, err := Open(l.url, func() time.Time { return l.now })
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { s.Close() })
	return s
}

// age writes keys and words of users as the release before did.
func (l *unfoldedUsers) age(users ...directory.User) {
	l.t.Helper()
	err := l.store.Transact(l.t.Context(), func(tx *sql.Tx) error {
		for _, u := range users {
			for _, statement := range []string{
				"UPDATE users SET name_key = 'łukasz' WHERE id = '" + u.ID + "'",
				"DELETE FROM user_words WHERE user_id = '" + u.ID + "'",
				"INSERT INTO user_words (word, user_id) VALUES ('łukasz', '" + u.ID + "'), ('" + u.Email.Normalized + "', '" + u.ID + "')",
			} {
				if _, err := tx.ExecContext(l.t.Context(), statement); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// refold calls RefoldUsers until there is nothing to do now.
func (l *unfoldedUsers) refold(s *Store) (changed int, again time.Duration) {
	l.t.Helper()
	changed, again, err := s.RefoldUsers(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return changed, again
}

// check looks whether all users have the keys and words of this release.
func (l *unfoldedUsers) check() {
	l.t.Helper()
	for _, u := range l.users {
		var key string
		if err := l.store.Reader().QueryRowContext(l.t.Context(), "SELECT name_key FROM users WHERE id = '"+u.ID+"'").Scan(&key); err != nil || key != u.SortKey() {
			l.t.Errorf("%s sorts by %q, want %q, %v", u.ID, key, u.SortKey(), err)
		}
		words := l.words(u)
		if !slices.Equal(words, u.SearchTerms()) {
			l.t.Errorf("%s has the words %q, want %q", u.ID, words, u.SearchTerms())
		}
	}
}

func (l *unfoldedUsers) words(u directory.User) (words []string) {
	l.t.Helper()
	rows, err := l.store.Reader().QueryContext(l.t.Context(), "SELECT word FROM user_words WHERE user_id = '"+u.ID+"' ORDER BY word")
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var word string
		if err := rows.Scan(&word); err != nil {
			l.t.Fatal(err)
		}
		words = append(words, word)
	}
	return words
}

func TestRefoldUsers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		l := newUnfoldedUsers(t, databaseURL, 230)
		if changed, again := l.refold(l.store); changed != 230 || again != refoldAgain {
			t.Errorf("changed %d and comes again in %v, want 230 and %v", changed, again, refoldAgain)
		}
		l.check()
		terms, err := directory.ParseSearch("lukasz o'brien")
		if err != nil {
			t.Fatal(err)
		}
		if page, err := l.store.ListUsers(t.Context(), directory.Query{Terms: terms, Sort: directory.ByName, Limit: 10}); err != nil || page.Total != 230 {
			t.Errorf("%d are found, %v", page.Total, err)
		}

		l.age(l.users[7]) // an instance of the release before is still there
		if changed, again := l.refold(l.store); changed != 0 || again != refoldAgain {
			t.Errorf("at once: changed %d, again in %v", changed, again)
		}
		l.now = l.now.Add(refoldAgain)
		if changed, again := l.refold(l.store); changed != 1 || again != 0 {
			t.Errorf("an hour later: changed %d, again in %v; want 1 and never", changed, again)
		}
		l.check()
		l.now = l.now.Add(24 * time.Hour)
		if changed, again := l.refold(l.open()); changed != 0 || again != 0 {
			t.Errorf("after the next start: changed %d, again in %v", changed, again)
		}
	})
}

func TestRefoldUsers_Concurrent(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		l := newUnfoldedUsers(t, databaseURL, 230)
		var all sync.WaitGroup
		var mu sync.Mutex
		total := 0
		for range 10 {
			s := l.open()
			all.Go(func() {
				for {
					changed, again, err := s.RefoldUsers(t.Context())
					mu.Lock()
					total += changed
					mu.Unlock()
					if err != nil {
						t.Error(err)
						return
					}
					if again == 0 || again == refoldAgain {
						return
					}
				}
			})
		}
		all.Wait()
		if total != 230 {
			t.Errorf("%d were changed, want each of 230 once", total)
		}
		l.check()
	})
}

func TestRefoldUsers_ResumesAfterInterruption(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		l := newUnfoldedUsers(t, databaseURL, 230)
		ctx, cancel := context.WithCancel(t.Context())
		first, wait, err := l.store.refoldStep(ctx, 100)
		if first != 100 || wait >= 0 || err != nil {
			t.Fatalf("the first step changed %d, waits %v, %v", first, wait, err)
		}
		cancel()
		if _, _, err := l.store.RefoldUsers(ctx); err == nil {
			t.Error("a stopped call says it is done")
		}
		if changed, _ := l.refold(l.open()); changed != 130 {
			t.Errorf("%d were changed after it, want 130", changed)
		}
		l.check()
	})
}

func TestRefoldUsers_LaterRelease(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		l := newUnfoldedUsers(t, databaseURL, 3)
		newer := fmt.Sprintf(`{"version":%d,"pass":1}`, directory.FoldVersion+1)
		if _, err := l.store.write.ExecContext(t.Context(), "INSERT INTO settings (name, value, updated_at) VALUES ('fold', '"+newer+"', 1)"); err != nil {
			t.Fatal(err)
		}
		if changed, again := l.refold(l.store); changed != 0 || again != 0 {
			t.Errorf("one that a later release folds: changed %d, again in %v", changed, again)
		}
		older := strings.Replace(newer, fmt.Sprint(directory.FoldVersion+1), fmt.Sprint(directory.FoldVersion-1), 1)
		if _, err := l.store.write.ExecContext(t.Context(), "UPDATE settings SET value = '"+older+"' WHERE name = 'fold'"); err != nil {
			t.Fatal(err)
		}
		if changed, again := l.refold(l.store); changed != 3 || again != refoldAgain {
			t.Errorf("one of an earlier release: changed %d, again in %v", changed, again)
		}
		l.check()
	})
}

func TestRefoldUsers_NothingToDo(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		l := newUnfoldedUsers(t, databaseURL, 0)
		if changed, again := l.refold(l.store); changed != 0 || again != 0 {
			t.Errorf("changed %d, again in %v", changed, again)
		}
	})
}

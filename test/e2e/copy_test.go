package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/store/copying"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// copyDatabase copies the database of a closed instance.
func copyDatabase(s *harness.Site, to string) {
	s.T.Helper()
	if _, err := copying.Copy(s.T.Context(), s.Config.DatabaseURL, to, s.Clock.Now, slog.New(slog.DiscardHandler), func(_, _ int64) {}); err != nil {
		s.T.Fatal(err)
	}
}

func TestCopy_KeepsSessions(t *testing.T) {
	t.Parallel()
	first := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := first.NewPerson("ada@example.com")
	ada.SignIn()
	ada.Invite("grace@example.com", "role", "member")
	first.Close()

	second := testdb.MySQL(t)
	copyDatabase(first, second)
	moved := harness.Start(t, second, first.Clock, "--guestlist-addr="+first.Config.Addr) // the address in mailed links
	ada = ada.At(moved)
	harness.WantPage(t, ada.Get("/users"), 200, "People", "grace@example.com")
	grace := moved.NewPerson("grace@example.com")
	grace.PressContinue(grace.OpenNextLink()) // with the link that was mailed before
	moved.Close()

	third := testdb.SQLite(t)
	copyDatabase(moved, third)
	back := harness.Start(t, third, first.Clock)
	for _, p := range []*harness.Person{ada.At(back), grace.At(back)} {
		harness.WantPage(t, p.Get("/profile"), 200, p.Email)
	}
	harness.WantPage(t, ada.At(back).Get("/activity"), 200, "Activity", "grace@example.com", "Signed in", "Invitation sent")
}

func TestCopy_IncompleteIsNotServed(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, to string) {
		s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
		s.NewPerson("ada@example.com").SignIn()
		s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := copying.Copy(ctx, s.Config.DatabaseURL, to, s.Clock.Now, slog.New(slog.DiscardHandler), func(_, _ int64) { cancel() }); err == nil {
			t.Fatal("it was not cut off")
		}
		if _, err := harness.TryStart(t, to, s.Clock); err == nil || !strings.Contains(err.Error(), "incomplete copy of "+s.Config.DatabaseURL) {
			t.Errorf("it starts: %v", err)
		}
		copyDatabase(s, to)
		if _, err := harness.TryStart(t, to, s.Clock); err != nil {
			t.Error(err)
		}
	})
}

func TestBackup_DuringWritesIsComplete(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	const writers = 3
	stop, begun := make(chan struct{}), make(chan struct{}, writers)
	var mu sync.Mutex
	var added []string
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				email := fmt.Sprintf("writer%d-%d@example.com", w, n)
				if v := ada.CallAPI("POST", "/api/users", `{"email":"`+email+`"}`); v.Status != 201 {
					t.Errorf("%d %s", v.Status, v.Body)
				}
				mu.Lock()
				added = append(added, email)
				mu.Unlock()
				if n == 3 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range writers {
		<-begun
	}
	mu.Lock()
	before := append([]string{}, added...)
	mu.Unlock()
	file := filepath.Join(t.TempDir(), "backup.db")
	err := store.Backup(t.Context(), s.Config.DatabaseURL, file)
	close(stop)
	all.Wait()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()

	restored := harness.Start(t, "sqlite:"+file, s.Clock)
	harness.WantPage(t, ada.At(restored).Get("/users"), 200, "People")
	for _, email := range before {
		if restored.Count("SELECT COUNT(*) FROM users WHERE email = ?", email) != 1 {
			t.Errorf("%s is missing", email)
		}
	}
}

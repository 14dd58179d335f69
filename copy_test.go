package main

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
)

// copies copies the database of an instance that has ended.
func (s *site) copies(to string) {
	s.t.Helper()
	if _, err := copying.Copy(s.t.Context(), s.cfg.DatabaseURL, to, s.clock.now, slog.New(slog.DiscardHandler), func(_, _ int64) {}); err != nil {
		s.t.Fatal(err)
	}
}

func TestWhoIsSignedInStaysSoWhereTheDatabaseIsMovedToAndBack(t *testing.T) {
	t.Parallel()
	first := start(t, testdb.SQLite(t), newClock(noon))
	ada := first.person("ada@example.com")
	ada.signsIn()
	ada.invites("grace@example.com", "role", "member")
	first.close()

	second := testdb.MySQL(t)
	first.copies(second)
	moved := start(t, second, first.clock, "--guestlist-addr="+first.cfg.Addr) // where mailed links lead
	ada = ada.at(moved)
	wants(t, ada.get("/users"), 200, "People", "grace@example.com")
	grace := moved.person("grace@example.com")
	grace.continues(grace.opensMail()) // by the link that was mailed before
	moved.close()

	third := testdb.SQLite(t)
	moved.copies(third)
	back := start(t, third, first.clock)
	for _, p := range []*person{ada.at(back), grace.at(back)} {
		wants(t, p.get("/profile"), 200, p.email)
	}
	wants(t, ada.at(back).get("/activity"), 200, "Activity", "grace@example.com", "Signed in", "Invitation handed over")
}

func TestTheProgramDoesNotServeHalfACopy(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, to string) {
		s := start(t, testdb.SQLite(t), newClock(noon))
		s.person("ada@example.com").signsIn()
		s.close()
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := copying.Copy(ctx, s.cfg.DatabaseURL, to, s.clock.now, slog.New(slog.DiscardHandler), func(_, _ int64) { cancel() }); err == nil {
			t.Fatal("it was not cut off")
		}
		if _, err := tryStart(t, to, s.clock); err == nil || !strings.Contains(err.Error(), "half-made copy of "+s.cfg.DatabaseURL) {
			t.Errorf("it starts: %v", err)
		}
		s.copies(to)
		if _, err := tryStart(t, to, s.clock); err != nil {
			t.Error(err)
		}
	})
}

func TestABackupMadeWhilePeopleAreAddedIsStartedWithAndMissesNobody(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
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
				if v := ada.calls("POST", "/api/users", `{"email":"`+email+`"}`); v.status != 201 {
					t.Errorf("%d %s", v.status, v.body)
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
	err := store.Backup(t.Context(), s.cfg.DatabaseURL, file)
	close(stop)
	all.Wait()
	if err != nil {
		t.Fatal(err)
	}
	s.close()

	restored := start(t, "sqlite:"+file, s.clock)
	wants(t, ada.at(restored).get("/users"), 200, "People")
	for _, email := range before {
		if restored.count("SELECT COUNT(*) FROM users WHERE email = ?", email) != 1 {
			t.Errorf("%s is missing", email)
		}
	}
}

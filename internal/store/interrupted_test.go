package store

import (
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"modernc.org/sqlite"

	"github.com/guestlist/guestlist/internal/testdb"
)

// Each start with an empty database is interrupted after one more change, until one has nothing left to do. So there is
// one interrupted after each statement of a first start.
func TestMigrate_InterruptedAfterEachStatement(t *testing.T) {
	t.Parallel()
	v := testdb.NewVitess(t)
	start := func() (int, error) {
		s, err := Open(v.DSN, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.leaseTime = 100 * time.Millisecond // the one that was cut off can't give it back
		return s.Migrate(t.Context(), quiet)
	}
	// Two changes take the lease. The third is the note of what is there, which is lost with
	// its transaction, the fourth makes the next table, and the fifth notes that at once.
	starts := 0
	for changes := 1; ; changes++ {
		if changes > 5+starts/40 { // more and more, so that a slow machine gets on
			changes = 3
		}
		v.CutAfter(changes)
		_, err := start()
		if err == nil {
			break
		}
		v.CutAfter(0)
		starts++
		if starts > 300 {
			t.Fatalf("it never ends: %v", err)
		}
		if strings.Contains(err.Error(), "rop ") {
			t.Errorf("start %d: %v", starts, err)
		}
	}
	v.CutAfter(0)
	if _, err := start(); err != nil {
		t.Fatal(err)
	}
	s := fresh(t, v.DSN)
	_, versions := migrations(t, s)
	if starts < len(versions) {
		t.Errorf("only %d starts were cut off, with %d migrations", starts, len(versions))
	}
	wantUpToDate(t, s)
}

// An instance that is killed while it migrates keeps the next one waiting no longer than its
// lease, and that one says so.
func TestMigrate_WaitsForAKilledInstance(t *testing.T) {
	t.Parallel()
	v := testdb.NewVitess(t)
	killed, err := Open(v.DSN, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	killed.leaseTime = time.Second
	v.CutAfter(4)
	if _, err := killed.Migrate(t.Context(), quiet); err == nil {
		t.Fatal("it was not killed")
	}
	killed.Close()
	v.CutAfter(0)
	log, says := logUntil("another instance migrates the database")
	s := fresh(t, v.DSN)
	if _, err := s.Migrate(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	select {
	case <-says:
	default:
		t.Error("it does not say what it waits for")
	}
	if leaseTime > 10*time.Second {
		t.Errorf("a start may wait for %v", leaseTime)
	}
	wantUpToDate(t, s)
}

func TestLease_IsRenewedAndLost(t *testing.T) {
	t.Parallel()
	s := fresh(t, testdb.NewVitess(t).DSN)
	migrateUp(t, s)
	s.leaseTime = 200 * time.Millisecond
	ctx, l, err := s.takeLease(t.Context(), true, quiet)
	if err != nil {
		t.Fatal(err)
	}
	other := &lease{db: s.migrator, holder: "other", length: time.Minute}
	for begin := time.Now(); time.Since(begin) < 3*s.leaseTime; {
		if taken, err := other.take(t.Context()); taken || err != nil {
			t.Fatalf("another took it: %v, %v", taken, err)
		}
	}
	execute(t, s, "UPDATE goose_lock SET locked_by = 'other'")
	<-ctx.Done()
	l.release(t.Context())
	var by string
	if err := s.read.QueryRow("SELECT locked_by FROM goose_lock").Scan(&by); by != "other" || err != nil {
		t.Errorf("it is held by %q; %v", by, err)
	}
}

// The same on SQLite: a process of its own ends itself as it is about to commit for the nth
// time, as if it were killed there.
func TestMigrate_KilledBeforeEachCommit(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	kills := 0
	for n := 1; ; n = min(n+1, 2) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelperProcess_MigratesAndDies$")
		cmd.Env = append(os.Environ(), "GUESTLIST_TEST_DIES_AT="+strconv.Itoa(n), "GUESTLIST_TEST_DATABASE="+databaseURL)
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if code := cmd.ProcessState.ExitCode(); code != dies {
			t.Fatalf("start %d ended with %d:\n%s", kills+1, code, out)
		}
		if kills++; kills > 200 {
			t.Fatal("it never ends")
		}
	}
	s := fresh(t, databaseURL)
	_, versions := migrations(t, s)
	if kills < len(versions) {
		t.Errorf("only %d starts were killed, with %d migrations", kills, len(versions))
	}
	if n, err := s.Migrate(t.Context(), quiet); n != 0 || err != nil {
		t.Errorf("%d applied; %v", n, err)
	}
	wantUpToDate(t, s)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// dies is how TestHelperProcess_MigratesAndDies ends.
const dies = 9

func TestHelperProcess_MigratesAndDies(t *testing.T) {
	at, err := strconv.Atoi(os.Getenv("GUESTLIST_TEST_DIES_AT"))
	if err != nil {
		t.Skip("it is run by TestMigrate_KilledBeforeEachCommit")
	}
	commits := 0
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, dsn string) error {
		if hooks, ok := conn.(sqlite.HookRegisterer); ok {
			hooks.RegisterCommitHook(func() int32 {
				if !strings.Contains(dsn, "memory") {
					commits++
				}
				if commits == at {
					os.Exit(dies)
				}
				return 0
			})
		}
		return nil
	})
	s, err := Open(os.Getenv("GUESTLIST_TEST_DATABASE"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Prepare(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
}

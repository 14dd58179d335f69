package userio_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/internal/userio"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fixture is a store and an importer.
type fixture struct {
	*userio.Importer
	t     *testing.T
	now   time.Time
	store *store.Store
	woken int
}

func newFixture(t *testing.T, databaseURL string) *fixture {
	t.Helper()
	f := &fixture{t: t, now: noon}
	clock := func() time.Time { return f.now }
	var err error
	if f.store, err = store.Open(databaseURL, clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.store.Close() })
	if _, err := f.store.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	f.Importer = userio.NewImporter(f.store, func() { f.woken++ }, clock, slog.New(slog.DiscardHandler))
	return f
}

// groups returns the groups of the store.
func (f *fixture) groups() *directory.Groups {
	return directory.NewGroups(f.store, func() time.Time { return f.now })
}

func (f *fixture) upload(text string) userio.Import {
	f.t.Helper()
	i, err := f.Upload(f.t.Context(), `C:\people.csv`, strings.NewReader(text), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return i
}

// count returns the result of a query for a number.
func (f *fixture) count(query string) int {
	f.t.Helper()
	var n int
	if err := f.store.Reader().QueryRowContext(f.t.Context(), query).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

func (f *fixture) add(address string) {
	f.t.Helper()
	a, err := directory.UserInput{Email: address}.Validate(event.Origin{}, false, f.now)
	if err == nil {
		err = f.store.CreateUser(f.t.Context(), directory.NewUser{User: a.User, Event: a.Event})
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// table returns a file of n users, an invalid one and a repeated one.
func table(n int) string {
	var b strings.Builder
	b.WriteString("email,name\nnobody,\n")
	for i := range n {
		fmt.Fprintf(&b, "p%d@example.com,Person %d\n", i, i)
	}
	b.WriteString("P0@EXAMPLE.com,\n")
	return b.String()
}

func TestUpload_ReportsWithoutAdding(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		f := newFixture(t, databaseURL)
		f.add("grace@example.com")
		i := f.upload("email,name,role,plan\nada@example.com,Ada,admin,gold\nGRACE@example.com,,,\nno address,\x07,boss,\n\"Ada@example.com\",,,\nbo@example.com,Bo,,,,x\nmax@example.com,,Member\n")
		want := userio.Import{
			ID: i.ID, File: "people.csv", State: userio.Ready, Lines: 6, People: 3, Admins: 1, Listed: 1, Problems: 3,
			UnknownColumns: []string{"plan"}, Parts: 1, CreatedAt: noon, UpdatedAt: noon,
		}
		if diff := cmp.Diff(want, i); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		problems, err := f.Notes(t.Context(), i.ID, userio.Problems, 2)
		if diff := cmp.Diff([]userio.Note{
			{4, "no address", "Address: Enter one email address, like ada@example.com. Name: Use letters, digits and punctuation only. Role: Choose admin or member."},
			{5, "Ada@example.com", "This address is already on line 2."},
		}, problems); diff != "" || err != nil {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
		listed, err := f.Notes(t.Context(), i.ID, userio.Listed, 9)
		if diff := cmp.Diff([]userio.Note{{3, "GRACE@example.com", "Already on the list, and not changed."}}, listed); diff != "" || err != nil {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
		var b strings.Builder
		if err := f.WriteNotes(t.Context(), i.ID, &b, func() error { return nil }); err != nil || strings.Count(b.String(), "\r\n") != 5 {
			t.Errorf("%v: %s", err, b.String())
		}
		if n := f.count("SELECT COUNT(*) FROM users"); n != 1 {
			t.Errorf("%d users exist", n)
		}
	})
}

func TestUpload_ExcludedAddresses(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		f := newFixture(t, databaseURL)
		f.add("joan@example.com")
		i := f.upload("email,role,status\n" +
			"ada@example.com,admin,active\n" + // 2, excluded by line 6
			"grace@example.com,,suspended\n" +
			"Grace@example.com,,active\n" +
			"joan@example.com,,active\n" + // exists
			"ADA@example.com,,Deactivated\n" +
			"ada@example.com,,archived\n" +
			"joan@example.com,,blocked\n" +
			"max@example.com,,active\n" +
			"max@example.com,owner,blocked\n") // 10, with another problem
		if i.Lines != 9 || i.People != 0 || i.Admins != 0 || i.Listed != 0 || i.Problems != 9 {
			t.Errorf("%+v", i)
		}
		problems, err := f.Notes(t.Context(), i.ID, userio.Problems, 20)
		got := map[int]string{}
		for _, n := range problems {
			got[n.Line] = n.Text
		}
		skipped := func(word string) string {
			return "Skipped: status is “" + word + "”. Only people that the file marks as active are imported."
		}
		want := map[int]string{
			2: "Skipped, because line 6 excludes this address.", 3: skipped("suspended"), 4: "Line 3 excludes this address.",
			5: "Skipped, because line 8 excludes this address.", 6: skipped("Deactivated"), 7: skipped("archived"), 8: skipped("blocked"),
			9: "Skipped, because line 10 excludes this address.", 10: skipped("blocked"),
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
		if err := f.Start(t.Context(), directory.Actor{}, i.ID, "", false); err != nil {
			t.Fatal(err)
		}
		done, err := f.Follow(t.Context(), i.ID, func(userio.Import) {})
		if err != nil || done.State != userio.Done || done.Added != 0 || f.count("SELECT COUNT(*) FROM users") != 1 {
			t.Errorf("%+v, %v", done, err)
		}
	})
}

func TestWriteNotes_EscapesFormulas(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testdb.SQLite(t))
	i := f.upload("email,status\nada@example.com,x;=1+1\n=1+1,active\n")
	var b strings.Builder
	if err := f.WriteNotes(t.Context(), i.ID, &b, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	want := "line,email,problem\r\n" +
		"2,ada@example.com,Skipped: status is “x;'=1+1”. Only people that the file marks as active are imported.\r\n" +
		"3,'=1+1,\"Address: Enter one email address, like ada@example.com.\"\r\n"
	if b.String() != want {
		t.Errorf("%s\nwant %s", b.String(), want)
	}
}

func TestUpload_FailureStoresNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testdb.SQLite(t))
	broken := errors.New("broken")
	for text, want := range map[string]error{"name\nAda\n": nil, table(500) + "\"\n\n": nil, table(500): broken} {
		file := io.Reader(strings.NewReader(text))
		if want != nil {
			file = io.MultiReader(file, failingReader{want})
		}
		_, err := f.Upload(t.Context(), "people.csv", file, nil)
		var fileError *userio.FileError
		if want != nil && !errors.Is(err, want) || want == nil && !errors.As(err, &fileError) {
			t.Errorf("%.20s: %v", text, err)
		}
	}
	for _, table := range []string{"imports", "import_parts", "users"} {
		if n := f.count("SELECT COUNT(*) FROM " + table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
}

// failingReader always fails.
type failingReader struct{ err error }

func (c failingReader) Read([]byte) (int, error) { return 0, c.err }

// TestRun_KilledRepeatedly kills the importer at random moments, also during statements.
func TestRun_KilledRepeatedly(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		const people = 3000
		f := newFixture(t, databaseURL)
		f.add("p17@example.com")
		i := f.upload(table(people))
		if err := f.Start(t.Context(), directory.Actor{}, i.ID, "", false); err != nil {
			t.Fatal(err)
		}
		for kills := 0; ; kills++ {
			ctx, kill := context.WithCancel(t.Context())
			parts, moment := rand.IntN(3), rand.N(20*time.Millisecond)
			done, err := f.Follow(ctx, i.ID, func(userio.Import) {
				if parts--; parts < 0 {
					time.AfterFunc(moment, kill)
				}
			})
			kill()
			if err == nil {
				if done.State != userio.Done || done.Added != people-1 || done.Skipped != 1 {
					t.Errorf("at the end: %+v", done)
				}
				t.Logf("killed %d times", kills)
				break
			}
			f.now = f.now.Add(time.Minute) // the lease of the killed importer has ended
		}
		for query, want := range map[string]int{
			"SELECT COUNT(*) FROM users":                                   people,
			"SELECT COUNT(DISTINCT email_key) FROM users":                  people,
			"SELECT COUNT(*) FROM events WHERE kind = 'user_added'":        people,
			"SELECT COUNT(DISTINCT subject_id) FROM events":                people + 1, // and events without a subject
			"SELECT COUNT(*) FROM events WHERE kind = 'import_done'":       1,
			"SELECT COUNT(DISTINCT user_id) FROM user_words":               people,
			"SELECT COUNT(*) FROM outbox":                                  0,
			"SELECT COUNT(*) FROM users WHERE name = '' OR invited_by<>''": 1, // the user from before
		} {
			if n := f.count(query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
		// The same file again has no new users.
		again := f.upload(table(people))
		if again.New() != 0 || again.Listed != people {
			t.Errorf("again, %d are new and %d listed", again.New(), again.Listed)
		}
	})
}

func TestRun_WaitsForOutbox(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testdb.SQLite(t))
	ada := event.Origin{Actor: "ada", RequestID: "r"}
	i := f.upload(table(1000))
	if err := f.Start(t.Context(), directory.Actor{Origin: ada}, i.ID, "admin", true); err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithCancel(t.Context())
	rounds := 0
	_, err := f.Follow(ctx, i.ID, func(at userio.Import) {
		n := f.count("SELECT COUNT(*) FROM outbox")
		if n > 250 {
			t.Errorf("%d jobs are pending", n)
		}
		if rounds++; rounds == 3 {
			kill()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("no job was done, but the import ended with %v", err)
	}
	f.now = f.now.Add(time.Minute)
	done, err := f.Follow(t.Context(), i.ID, func(userio.Import) {
		err := f.store.Transact(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec("DELETE FROM outbox") // as if all were done
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	if err != nil || done.State != userio.Done || done.Added != 1000 || f.woken < 5 {
		t.Errorf("%+v, %v; the outbox was woken %d times", done, err, f.woken)
	}
	if n := f.count("SELECT COUNT(*) FROM events WHERE kind = 'user_invited' AND actor = 'ada' AND request_id = 'r' AND reason = 'from people.csv'"); n != 1000 {
		t.Errorf("%d events", n)
	}
	if n := f.count("SELECT COUNT(*) FROM users WHERE role = 'admin'"); n != 1000 {
		t.Errorf("%d administrators", n)
	}
}

func TestStop_AndResume(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testdb.SQLite(t))
	i := f.upload(table(1000))
	if err := f.Resume(t.Context(), directory.Actor{}, i.ID); !errors.Is(err, userio.ErrInvalidState) {
		t.Errorf("resumed before it was started: %v", err)
	}
	var invalid *directory.ValidationError
	if err := f.Start(t.Context(), directory.Actor{}, i.ID, "boss", false); !errors.As(err, &invalid) {
		t.Errorf("with an unknown role: %v", err)
	}
	if err := f.Start(t.Context(), directory.Actor{}, i.ID, "member", false); err != nil {
		t.Fatal(err)
	}
	stopped, err := f.Follow(t.Context(), i.ID, func(at userio.Import) {
		if at.Part == 2 && at.State == userio.Running {
			if err := f.Stop(t.Context(), event.Origin{}, i.ID); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil || stopped.State != userio.Stopped || stopped.Added != 400 || f.count("SELECT COUNT(*) FROM users") != 400 {
		t.Errorf("stopped: %+v, %v", stopped, err)
	}
	if err := f.Stop(t.Context(), event.Origin{}, i.ID); !errors.Is(err, userio.ErrInvalidState) {
		t.Errorf("stopped twice: %v", err)
	}
	if err := f.Resume(t.Context(), directory.Actor{}, i.ID); err != nil {
		t.Fatal(err)
	}
	if done, err := f.Follow(t.Context(), i.ID, func(userio.Import) {}); err != nil || done.Added != 1000 {
		t.Errorf("at the end: %+v, %v", done, err)
	}
	if err := f.Start(t.Context(), directory.Actor{}, i.ID, "", false); !errors.Is(err, userio.ErrInvalidState) {
		t.Errorf("started again: %v", err)
	}
}

func TestRun_ContinuesImportsOfOtherInstances(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testdb.SQLite(t))
	left, gone := f.upload(table(300)), f.upload(table(300))
	removed := event.Origin{ActorID: "gone"}
	if err := errors.Join(f.Start(t.Context(), directory.Actor{Origin: removed}, gone.ID, "", false), f.Start(t.Context(), directory.Actor{}, left.ID, "", false)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	for _, want := range []struct {
		id     string
		state  userio.State
		reason string
	}{{gone.ID, userio.Stopped, "The person who started this import is no longer an administrator."}, {left.ID, userio.Done, ""}} {
		i, err := f.Get(t.Context(), want.id)
		for ; err == nil && i.State == userio.Running; i, err = f.Get(t.Context(), want.id) {
		}
		if err != nil || i.State != want.state || i.Reason != want.reason {
			t.Errorf("%+v, %v", i, err)
		}
	}
	stop()
	<-done
}

func TestExport_Filters(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testdb.SQLite(t))
	i := f.upload(table(450))
	if err := f.Start(t.Context(), directory.Actor{}, i.ID, "", false); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Follow(t.Context(), i.ID, func(userio.Import) {}); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		query directory.Query
		want  int
	}{
		{directory.Query{Sort: directory.ByName}, 450},
		{directory.Query{Sort: "-email", Role: directory.Member, Status: directory.Invited}, 450},
		{directory.Query{Sort: directory.ByName, Terms: []string{"p44"}}, 11},
		{directory.Query{Sort: directory.ByName, Role: directory.Admin}, 0},
	} {
		var b strings.Builder
		pages := 0
		n, err := userio.Export(t.Context(), f.store, f.groups(), row.query, &b, "csv", func() error { pages++; return nil })
		if err != nil || n != row.want || strings.Count(b.String(), "\r\n") != row.want+1 || pages != max(1, (row.want+199)/200) {
			t.Errorf("%+v: %d people on %d pages, %v", row.query, n, pages, err)
		}
	}
	late := errors.New("too late")
	if _, err := userio.Export(t.Context(), f.store, f.groups(), directory.Query{Sort: directory.ByName}, io.Discard, "json", func() error { return late }); err != late {
		t.Errorf("after an error of before: %v", err)
	}
}

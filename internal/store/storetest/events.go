package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

var eventRows = []row{
	{"an event is read as it was written, including its origin", single(testEventRoundTrip)},
	{"a change and its event are written together or not at all", single(testEventWithChange)},
	{"every ended session is recorded with its reason", single(testSessionEvents)},
	{"a session that is ended several times concurrently is recorded once", testEndedConcurrently},
	{"adding a user cancels parked jobs of the address's previous user", single(testParkedJobsGivenUp)},
	{"events are listed page by page, newest first, with each filter", single(testEventPages)},
	{"changed settings are recorded once", single(testRecordSettings)},
	{"secret settings are recorded without their values", single(testRecordSecrets)},
	{"hashes of secrets are removed from events", single(testRemoveSecretHashes)},
	{"events older than a time, and no others, are deleted", single(testDeleteEvents)},
}

func testEventRoundTrip(t *testing.T, s Store) {
	origin := event.Origin{ActorID: newID(), Actor: "bo@example.com", Address: "192.0.2.7", UserAgent: "Browser/1", RequestID: "R1", Token: "backup"}
	want := origin.NewEvent(event.UserEdited, Now(), newID(), "ada@example.com", "by hand")
	want.Changes = []event.Change{{Field: "name", Old: "Ada", New: "Zoë \"Z\""}}
	if err := s.AddEvents(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]event.Event{want}, events(t, s, event.Query{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func testEventWithChange(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	if err := s.CreateUser(t.Context(), directory.NewUser{User: member("Eve", "ADA@example.com"), Event: event.New(event.UserAdded, Now(), "x", "eve", "")}); !errors.Is(err, directory.ErrEmailTaken) {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	for _, outcome := range []error{refused, nil} {
		_, err := s.ChangeUser(t.Context(), ada.ID, func(state directory.RuleState) (directory.Change, error) {
			e := event.New(event.UserEdited, Now(), ada.ID, ada.Email.Normalized, fmt.Sprint(outcome))
			return directory.Change{User: state.User, Events: []event.Event{e}}, outcome
		})
		if (err == nil) != (outcome == nil) {
			t.Fatal(err)
		}
	}
	job := outbox.New(outbox.Invite, ada.Email.Normalized, ada.ID, "", "", Now())
	if err := s.AddJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if err := s.FinishInvite(t.Context(), job.Sent("user-test-1", Now())); err != nil {
		t.Fatal(err)
	}
	if err := s.AddJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, it is already parked
		if err := s.ParkJob(t.Context(), job.Park(Now(), "No.")); err != nil {
			t.Fatal(err)
		}
	}
	wantEvents(t, s, event.Query{}, "job_parked invite: No.", "job_parked invite: No.", "invite_sent", "user_edited <nil>", "user_added")
}

func testSessionEvents(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	one := mustSignIn(t, s, signInRequest(ada, "one"))
	again := signInRequest(ada, "two")
	replace(&again, one.TokenHash)
	mustSignIn(t, s, again)
	mustSignIn(t, s, signInRequest(ada, "three"))
	if _, err := s.EndSessions(t.Context(), ada.ID, ending("signed out", func(v session.Session) bool { return v.StytchSessionID == "session-test-two" })); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeUser(t.Context(), ada.ID, func(state directory.RuleState) (directory.Change, error) {
		return directory.Change{User: state.User, Remove: true, EndSession: endAll(state.User, "removed")}, nil
	}); err != nil {
		t.Fatal(err)
	}
	wantEvents(t, s, event.Query{About: "ada@example.com"}, "session_ended removed", "session_ended signed out",
		"signed_in", "session_ended signed in anew", "signed_in", "signed_in", "user_added")
}

func testEndedConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	ada := member("Ada", "ada@example.com")
	create(t, stores[0], ada)
	for round := range 5 {
		v := mustSignIn(t, stores[0], signInRequest(ada, fmt.Sprint(round)))
		for _, err := range concurrently(4, func(i int) error {
			_, err := stores[i%2].EndSessions(t.Context(), ada.ID, ending("signed out", func(o session.Session) bool { return o.TokenHash == v.TokenHash }))
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		if n := len(events(t, stores[0], event.Query{Kind: event.SessionEnded})); n != round+1 {
			t.Fatalf("after %d sessions, %d ends are on record", round+1, n)
		}
	}
	jobs, err := stores[0].ListJobs(t.Context(), ada.Email)
	if err != nil || len(jobs) != 5 {
		t.Errorf("%d calls to Stytch for five sessions, %v", len(jobs), err)
	}
}

func testParkedJobsGivenUp(t *testing.T, s Store) {
	parked := outbox.New(outbox.DeleteUser, "ada@example.com", "before", "user-test-before", "", Now())
	waiting := outbox.New(outbox.RevokeSession, "ada@example.com", "before", "session-test-before", "", Now())
	for _, job := range []outbox.Job{parked, waiting} {
		if err := s.AddJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ParkJob(t.Context(), parked.Park(Now(), "No.")); err != nil {
		t.Fatal(err)
	}
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	jobs, err := s.ListJobs(t.Context(), ada.Email)
	if err != nil || len(jobs) != 1 || jobs[0].ID != waiting.ID {
		t.Errorf("left: %+v, %v", jobs, err)
	}
}

func testEventPages(t *testing.T, s Store) {
	bo := event.Origin{ActorID: newID(), Actor: "bo@example.com"}
	for i := range 9 {
		by, kind, about := bo, event.UserEdited, "ada@example.com"
		if i%2 == 1 {
			by, kind = event.Origin{}, event.SignedIn
		}
		if i%3 == 0 {
			about = "eve@example.com"
		}
		if err := s.AddEvents(t.Context(), by.NewEvent(kind, Now(), "id of "+about, about, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []struct {
		query event.Query
		want  string
	}{
		{event.Query{}, "876543210"},
		{event.Query{Kind: event.SignedIn}, "7531"},
		{event.Query{About: "eve@example.com"}, "630"},
		{event.Query{About: "eve@example.com", Kind: event.SignedIn}, "3"},
		{event.Query{Person: "id of eve@example.com"}, "630"},
		{event.Query{Person: "id of eve@example.com", Kind: event.UserEdited}, "60"},
		{event.Query{By: "bo@example.com"}, "86420"},
		{event.Query{By: "bo@example.com", Kind: event.UserEdited}, "86420"},
		{event.Query{By: "nobody@example.com"}, ""},
	} {
		for _, limit := range []int{1, 2, 3, 9, 10} {
			got, query := "", r.query
			query.Limit = limit
			for pages := 0; ; pages++ {
				page, next, err := s.ListEvents(t.Context(), query)
				if err != nil || pages > 10 {
					t.Fatal(pages, err)
				}
				for _, e := range page {
					got += e.Reason
				}
				if query.Before = next; next == "" {
					break
				}
			}
			if got != r.want {
				t.Errorf("%+v: %q, want %q", query, got, r.want)
			}
		}
	}
}

func testRecordSettings(t *testing.T, s Store) {
	for _, settings := range []map[string]string{
		{"GUESTLIST_ACCESS": "invite", "COLOUR": "red"},
		{"GUESTLIST_ACCESS": "invite", "COLOUR": "red"},
		{"GUESTLIST_ACCESS": "open", "COLOUR": "red"},
		{"GUESTLIST_ACCESS": "open", "COLOUR": "red"},
		{"GUESTLIST_ACCESS": "open", "COLOUR": "red", "NEW": "in this release"},
	} {
		if err := s.RecordSettings(t.Context(), settings, nil, settingsChanged()); err != nil {
			t.Fatal(err)
		}
	}
	got := events(t, s, event.Query{Kind: event.SettingChanged})
	want := []event.Change{{Field: "GUESTLIST_ACCESS", Old: "invite", New: "open"}}
	if len(got) != 1 {
		t.Fatalf("recorded: %+v", got)
	}
	if diff := cmp.Diff(want, got[0].Changes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func testRecordSecrets(t *testing.T, s Store) {
	for _, secret := range []map[string]string{
		{"SMTP_URL": "", "STYTCH_SECRET": "hush"},
		{"SMTP_URL": "smtp://u:hush@h", "STYTCH_SECRET": "hush"},
		{"SMTP_URL": "smtp://u:hush@h", "STYTCH_SECRET": "hush"},
		{"SMTP_URL": "smtp://u:other@h", "STYTCH_SECRET": "hush"},
		{"SMTP_URL": "", "STYTCH_SECRET": "hush"},
	} {
		if err := s.RecordSettings(t.Context(), map[string]string{"GUESTLIST_ACCESS": "invite"}, secret, settingsChanged()); err != nil {
			t.Fatal(err)
		}
	}
	var got []event.Change
	for _, e := range events(t, s, event.Query{Kind: event.SettingChanged}) {
		got = append(got, e.Changes...)
	}
	want := []event.Change{ // newest first
		{Field: "SMTP_URL", Old: "set", New: "(unset)"},
		{Field: "SMTP_URL", Old: "set", New: "changed"},
		{Field: "SMTP_URL", Old: "(unset)", New: "set"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func testRemoveSecretHashes(t *testing.T, s Store) {
	changed := func(changes ...event.Change) event.Event {
		e := event.New(event.SettingChanged, Now(), "", "", "")
		e.Changes = changes
		return e
	}
	const many = 230 // more than two batches
	var added []event.Event
	for range many {
		added = append(added, changed(
			event.Change{Field: "SMTP_URL", Old: "secret 0a1b2c3d", New: "secret ffffffff"},
			event.Change{Field: "GUESTLIST_NAME", Old: "secret garden", New: "secret 0a1b2c3d4e"},
		))
	}
	added = append(added, changed(event.Change{Field: "SMTP_URL", Old: "(unset)", New: "secret 0a1b2c3d"}), changed())
	if err := s.AddEvents(t.Context(), added...); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{many + 1, 0} { // the second call finds none
		if n, err := s.RemoveSecretHashes(t.Context()); n != want || err != nil {
			t.Errorf("%d events changed, %v; want %d", n, err, want)
		}
	}
	got := map[event.Change]int{}
	for query := (event.Query{Kind: event.SettingChanged, Limit: event.MaxLimit}); ; {
		page, next, err := s.ListEvents(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			for _, c := range e.Changes {
				got[c]++
			}
		}
		if query.Before = next; next == "" {
			break
		}
	}
	want := map[event.Change]int{
		{Field: "SMTP_URL", Old: "set", New: "changed"}:                           many,
		{Field: "GUESTLIST_NAME", Old: "secret garden", New: "secret 0a1b2c3d4e"}: many,
		{Field: "SMTP_URL", Old: "(unset)", New: "set"}:                           1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func testDeleteEvents(t *testing.T, s Store) {
	for _, age := range []time.Duration{2 * time.Hour, time.Hour, 0} {
		if err := s.AddEvents(t.Context(), event.New(event.SignedIn, ago(age), "", "", age.String())); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := s.DeleteEvents(t.Context(), ago(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	wantEvents(t, s, event.Query{}, "signed_in 0s", "signed_in 1h0m0s")
}

// events returns the events of a query that fit on one page.
func events(t *testing.T, s Store, q event.Query) []event.Event {
	t.Helper()
	q.Limit = event.MaxLimit
	page, next, err := s.ListEvents(t.Context(), q)
	if err != nil || next != "" {
		t.Fatal(next, err)
	}
	return page
}

// wantEvents checks kinds and reasons, newest first.
func wantEvents(t *testing.T, s Store, q event.Query, want ...string) {
	t.Helper()
	var got []string
	for _, e := range events(t, s, q) {
		line := string(e.Kind)
		if e.Reason != "" {
			line += " " + e.Reason
		}
		got = append(got, line)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

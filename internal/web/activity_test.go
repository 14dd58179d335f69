package web

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

func TestActivity_RecordsRefusedActions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com")
	for _, r := range f.server.routes {
		if r.access != admin {
			continue
		}
		method, path := r.address(ada.user.ID)
		grace.send(method, path, "")
		line := ada.get("/api/events?limit=1&by=grace@example.com").events(t)[0]
		if line["kind"] != "action_refused" || line["reason"] != r.pattern+": for administrators" {
			t.Errorf("%s: on record is %v", r.pattern, line)
		}
	}
}

func TestActivity_ShowsActorAndOrigin(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	a := ada.send("PATCH", "/api/users/"+grace.ID, `{"name":"Grace Hopper","role":"admin"}`, "Content-Type", "application/json", "User-Agent", "Browser/1")
	got := ada.get("/api/events?limit=1").events(t)[0]
	delete(got, "id")
	want := map[string]any{
		"at": f.clock.now().Format("2006-01-02T15:04:05.999999Z07:00"), "kind": "user_edited", "reason": "",
		"actor":   map[string]any{"id": ada.user.ID, "email": "ada@example.com"},
		"subject": map[string]any{"id": grace.ID, "email": "grace@example.com"},
		"changes": []any{
			map[string]any{"field": "name", "old": "Grace", "new": "Grace Hopper"},
			map[string]any{"field": "role", "old": "member", "new": "admin"},
		},
		"address": "192.0.2.1", "user_agent": "Browser/1", "request_id": a.header.Get("X-Request-Id"), "token": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, path := range []string{"/activity", "/users/" + grace.ID} {
		if text := ada.get(path).Text(); !strings.Contains(text, "role: member → admin") || !strings.Contains(text, "by ada@example.com") {
			t.Errorf("%s does not tell of it: %s", path, text)
		}
	}
}

func TestActivity_NamesALargeDatabase(t *testing.T) {
	t.Parallel()
	for _, large := range []bool{false, true} {
		f := newFixture(t, func(o *Options) { o.IsLargeDatabase = func(context.Context) bool { return large } })
		text := f.signedIn(directory.Admin, "ada@example.com").get("/activity").Text()
		if strings.Contains(text, "run guestlist copy --to DATABASE_URL") != large {
			t.Errorf("large is %t: %s", large, text)
		}
	}
}

func TestActivity_RecordsRefusedChangesToTheLastAdministrator(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	ada.send("DELETE", "/api/users/"+ada.user.ID, "")
	ada.form("/users/"+ada.user.ID, "name", "", "role", "member")
	var got []string
	for _, e := range ada.get("/api/events?kind=action_refused").events(t) {
		got = append(got, fmt.Sprint(e["reason"], e["subject"].(map[string]any)["email"]))
	}
	want := []string{"edit: the last active administratorada@example.com", "remove: the last active administratorada@example.com"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestActivity_HasPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for i := range 7 {
		if err := f.store.AddEvents(t.Context(), event.New(event.SignInRefused, f.clock.now(), "", "eve@example.com", fmt.Sprint("no. ", i))); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	page := ada.get("/activity?limit=3&about=EVE@example.com")
	for {
		seen += strings.Count(page.Text(), "Sign-in refused: no. ")
		href, ok := page.Link("Older →")
		if !ok {
			break
		}
		page = ada.get("/activity" + href)
	}
	if seen != 7 {
		t.Errorf("%d of 7 events were shown", seen)
	}
	if _, ok := page.Link("← Newest"); !ok {
		t.Error("the last page does not lead back")
	}
}

func TestActivity_RefusesInvalidFilters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for _, query := range []string{
		"kind=nonsense", "about=nobody", "by=nobody", "about=a@example.com&by=b@example.com", "person=1&by=b@example.com",
		"limit=0", "limit=201", "limit=x", "cursor=" + strings.Repeat("x", 37), "person=" + strings.Repeat("x", 37),
	} {
		for _, path := range []string{"/api/events?", "/activity?"} {
			if a := ada.get(path + query); a.status != 422 {
				t.Errorf("%s: %d %s", path+query, a.status, a.body)
			}
		}
	}
}

func TestOutbox_ShowsRefusedJobs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	parked := outbox.New("a kind of the next release", grace.Email.Normalized, grace.ID, "", "", f.clock.now())
	kept := outbox.New(outbox.RevokeInvite, "gone@example.com", "", "", "", f.clock.now())
	for _, job := range []outbox.Job{parked, kept} {
		if err := f.store.AddJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if a := ada.form("/waiting/" + parked.ID + "/retry"); a.status != 303 {
		t.Fatal(a.status, a.body)
	}
	for _, path := range []string{"/waiting", "/users/" + grace.ID} {
		if text := ada.get(path).Text(); !strings.Contains(text, "Refused") || !strings.Contains(text, "tried 1 time") {
			t.Errorf("%s does not show the call: %s", path, text)
		}
	}
	if text := ada.get("/users").Text(); !strings.Contains(text, "View pending updates") {
		t.Errorf("the list does not say that calls are waiting: %s", text)
	}
	for _, want := range []int{303, 404} { // the job is gone the second time
		if a := ada.form("/waiting/" + parked.ID + "/drop"); a.status != want {
			t.Errorf("%d, want %d: %s", a.status, want, a.body)
		}
	}
	if a := ada.form("/waiting/" + kept.ID + "/retry"); a.status != 303 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if text := ada.get("/waiting").Text(); !strings.Contains(text, "Nothing pending") {
		t.Errorf("still waiting: %s", text)
	}
	var got []any
	for _, e := range ada.get("/api/events?by=ada@example.com").events(t) {
		got = append(got, e["kind"])
	}
	if diff := cmp.Diff([]any{"job_retried", "job_dropped", "job_retried"}, got); diff != "" {
		t.Errorf("on record (-want +got):\n%s", diff)
	}
}

// events parses a response of /api/events.
func (a answer) events(t *testing.T) []map[string]any {
	t.Helper()
	var events []map[string]any
	for _, e := range a.object(t)["events"].([]any) {
		events = append(events, e.(map[string]any))
	}
	return events
}

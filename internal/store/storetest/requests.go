package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/outbox"
)

var requestRows = []row{
	{"a request is saved with its event and found again", single(testSaveRequest)},
	{"asking again replaces the request", single(testAskAgain)},
	{"a rule's error about a request changes nothing", single(testRequestRuleError)},
	{"the email of an approval leads to where the app opens", single(testApprovedLink)},
	{"approving adds the membership, the events and the email to the user", single(testApproveRequest)},
	{"approving extends a membership that has ended", single(testApproveEndedMembership)},
	{"denying adds no membership and emails the reason", single(testDenyRequest)},
	{"requests are listed oldest first, in pages", single(testListRequests)},
	{"pending requests are counted up to a limit", single(testCountRequests)},
	{"requests disappear with their user and their app", single(testRequestsDisappear)},
	{"administrators are emailed at once, then at most once an hour", single(testRequestsDigest)},
	{"without a mail server, requests cause no emails", single(testRequestsWithoutMail)},
	{"of two administrators who decide at once, one does", testDecideConcurrently},
	{"a user who asks fifty times at once has one request", testAskConcurrently},
	{"a group that is removed while a request is approved keeps no member", testApproveAgainstRemoval},
}

// scene is an app that a group opens, an administrator, and a user without access.
type scene struct {
	admin, user directory.User
	group       directory.Group
	app         apps.App
}

func newScene(t *testing.T, s Store) scene {
	t.Helper()
	c := scene{admin: admin("Ada", "ada@example.com"), user: member("Grace", "grace@example.com")}
	create(t, s, c.admin, c.user)
	c.group = directory.Group{ID: newID(), Name: "Staff", CreatedAt: ago(time.Hour)}
	must(t, s.CreateGroup(t.Context(), c.group, event.New(event.GroupCreated, Now(), "", "", "Staff"), idempotency.Claim{}))
	c.app = createApp(t, s, "Wiki", c.group)
	return c
}

func createApp(t *testing.T, s Store, name string, groups ...directory.Group) apps.App {
	t.Helper()
	a := apps.App{
		ID: newID(), Name: name, Scheme: "https", Host: fmt.Sprintf("%s.example.com", newID()), Audience: apps.Groups, Groups: groups,
		AllowRequests: true, Enabled: true, CreatedAt: ago(time.Hour), UpdatedAt: ago(time.Hour),
	}
	must(t, s.CreateApp(t.Context(), a, event.New(event.AppCreated, Now(), "", "", name), idempotency.Claim{}))
	return a
}

// askFor saves a pending request that was made at a time.
func askFor(t *testing.T, s Store, c scene, u directory.User, at time.Time, note string) apps.Request {
	t.Helper()
	r := apps.Request{ID: newID(), AppID: c.app.ID, UserID: u.ID, Note: note, State: apps.RequestPending, CreatedAt: at}
	must(t, s.SaveRequest(t.Context(), c.app.ID, u.ID, func(apps.RequestFacts) (apps.Request, event.Event, error) {
		return r, event.New(event.AccessRequested, at, u.ID, u.Email.Normalized, c.app.Name), nil
	}))
	return r
}

// requests returns the service on a store.
func requests(s Store) *apps.Requests { return apps.NewRequests(s, noopOutbox{}, Now) }

func (c scene) byAdmin() event.Origin {
	return event.Origin{ActorID: c.admin.ID, Actor: c.admin.Email.Normalized}
}

// facts reads the facts about the scene's user and app.
func (c scene) facts(t *testing.T, s Store) apps.RequestFacts {
	t.Helper()
	f, err := s.RequestFacts(t.Context(), c.app.ID, c.user.ID)
	must(t, err)
	return f
}

func testSaveRequest(t *testing.T, s Store) {
	c := newScene(t, s)
	if f := c.facts(t, s); f.Request != nil || f.App.Name != "Wiki" || len(f.App.Groups) != 1 || f.User.ID != c.user.ID || len(f.Memberships) != 0 {
		t.Errorf("before: %+v", f)
	}
	want := askFor(t, s, c, c.user, Now(), "for the „Übergabe“")
	if diff := cmp.Diff(&want, c.facts(t, s).Request); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	got, err := s.GetRequest(t.Context(), want.ID)
	if err != nil || got.App.Name != "Wiki" || len(got.App.Groups) != 1 || got.User.Email != c.user.Email || got.Note != want.Note {
		t.Errorf("got %+v, %v", got, err)
	}
	if events := eventsOf(t, s, c.user); len(events) == 0 || events[0].Kind != event.AccessRequested {
		t.Errorf("events %+v", events)
	}
	for name, err := range map[string]error{
		"the facts about an unknown app":  factsError(t, s, newID(), c.user.ID),
		"the facts about an unknown user": factsError(t, s, c.app.ID, newID()),
		"an unknown request":              second(s.GetRequest(t.Context(), newID())),
	} {
		if !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func factsError(t *testing.T, s Store, appID, userID string) error {
	t.Helper()
	_, err := s.RequestFacts(t.Context(), appID, userID)
	return err
}

func second[T any](_ T, err error) error { return err }

func eventsOf(t *testing.T, s Store, u directory.User) []event.Event {
	t.Helper()
	events, _, err := s.ListEvents(t.Context(), event.Query{Person: u.ID, Limit: 50})
	must(t, err)
	return events
}

func testAskAgain(t *testing.T, s Store) {
	c := newScene(t, s)
	first := askFor(t, s, c, c.user, ago(48*time.Hour), "first")
	_, err := requests(s).Deny(t.Context(), c.byAdmin(), first.ID, "no")
	must(t, err)
	again := askFor(t, s, c, c.user, Now(), "second")
	if diff := cmp.Diff(&again, c.facts(t, s).Request); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := s.GetRequest(t.Context(), first.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the first: %v", err)
	}
	if _, err := requests(s).Approve(t.Context(), c.byAdmin(), first.ID, apps.Approval{}); !errors.Is(err, apps.ErrNoRequest) {
		t.Errorf("approving the first: %v", err)
	}
}

func testRequestRuleError(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	err := s.SaveRequest(t.Context(), c.app.ID, c.user.ID, func(apps.RequestFacts) (apps.Request, event.Event, error) {
		return apps.Request{ID: newID(), AppID: c.app.ID, UserID: c.user.ID}, event.Event{}, apps.ErrHasAccess
	})
	if !errors.Is(err, apps.ErrHasAccess) || c.facts(t, s).Request != nil {
		t.Errorf("saved despite %v: %+v", err, c.facts(t, s).Request)
	}
	wantNotices(t, s, "a refused request")
	r := askFor(t, s, c, c.user, Now(), "")
	wantNotices(t, s, "a request", "ada@example.com")
	for _, want := range []error{apps.ErrOwnRequest, &directory.ValidationError{Fields: map[string]string{"until": "No."}}, &apps.DeniedError{Until: Now()}} {
		err := s.DecideRequest(t.Context(), r.ID, func(f apps.RequestFacts) (apps.Verdict, error) {
			decided := *f.Request
			decided.State = apps.RequestApproved
			m := directory.Membership{GroupID: c.group.ID, UserID: c.user.ID, CreatedAt: Now()}
			return apps.Verdict{Request: decided, Membership: &m, Events: []event.Event{event.New(event.AccessApproved, Now(), "", "", "")}}, want
		})
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if f := c.facts(t, s); f.Request.State != apps.RequestPending || len(f.Memberships) != 0 {
		t.Errorf("decided: %+v", f)
	}
	wantNotices(t, s, "refused decisions")
}

func testApproveRequest(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	r := askFor(t, s, c, c.user, ago(time.Hour), "")
	wantNotices(t, s, "a request", "ada@example.com")
	until := Now().Add(30 * 24 * time.Hour)
	decided, err := requests(s).Approve(t.Context(), c.byAdmin(), r.ID, apps.Approval{Until: until})
	must(t, err)
	if decided.State != apps.RequestApproved || decided.User.Name != "Grace" || decided.App.Name != "Wiki" {
		t.Errorf("returned %+v", decided)
	}
	f := c.facts(t, s)
	want := []directory.Membership{{GroupID: c.group.ID, GroupName: "Staff", UserID: c.user.ID, Until: until, AddedBy: c.admin.ID, CreatedAt: Now()}}
	if diff := cmp.Diff(want, f.Memberships); diff != "" {
		t.Errorf("memberships: -want +got\n%s", diff)
	}
	if f.Request.State != apps.RequestApproved || !f.Request.DecidedAt.Equal(Now()) || f.Request.DecidedBy != c.admin.ID {
		t.Errorf("stored %+v", f.Request)
	}
	var kinds []event.Kind
	for _, e := range eventsOf(t, s, c.user)[:2] {
		kinds = append(kinds, e.Kind)
	}
	if diff := cmp.Diff([]event.Kind{event.GroupJoined, event.AccessApproved}, kinds); diff != "" {
		t.Errorf("events: -want +got\n%s", diff)
	}
	job, err := s.LeaseJob(t.Context(), "notice to grace@example.com", Now(), Now())
	must(t, err)
	notice := &outbox.Notice{
		Topic: outbox.AccessApproved, Email: "grace@example.com", Name: "Grace", By: "ada@example.com", At: Now(),
		App: "Wiki", AppURL: c.app.URL(), AppID: c.app.ID, Until: until.Truncate(time.Second),
	}
	if diff := cmp.Diff(notice, job.Notice); diff != "" || job.Gone {
		t.Errorf("gone: %v; notice (-want +got):\n%s", job.Gone, diff)
	}
}

func testApproveEndedMembership(t *testing.T, s Store) {
	c := newScene(t, s)
	must(t, s.ChangeMembership(t.Context(), c.group.ID, c.user.ID, func(g directory.Group, u directory.User, old *directory.Membership) (*directory.Membership, event.Event, error) {
		return directory.Join(event.Origin{}, g, u, old, ago(time.Hour), ago(48*time.Hour))
	}))
	r := askFor(t, s, c, c.user, Now(), "")
	_, err := requests(s).Approve(t.Context(), c.byAdmin(), r.ID, apps.Approval{Group: c.group.ID})
	must(t, err)
	if m := c.facts(t, s).Memberships; len(m) != 1 || !m[0].Until.IsZero() || !m[0].CreatedAt.Equal(ago(48*time.Hour)) {
		t.Errorf("memberships %+v", m)
	}
	if events := eventsOf(t, s, c.user); events[0].Kind != event.GroupExtended {
		t.Errorf("events %+v", events)
	}
}

func testDenyRequest(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	r := askFor(t, s, c, c.user, Now(), "")
	wantNotices(t, s, "a request", "ada@example.com")
	_, err := requests(s).Deny(t.Context(), c.byAdmin(), r.ID, "Ask your manager first.")
	must(t, err)
	f := c.facts(t, s)
	if f.Request.State != apps.RequestDenied || f.Request.Reason != "Ask your manager first." || len(f.Memberships) != 0 {
		t.Errorf("stored %+v", f)
	}
	job, err := s.LeaseJob(t.Context(), "notice to grace@example.com", Now(), Now())
	must(t, err)
	if n := job.Notice; n == nil || n.Topic != outbox.AccessDenied || n.Why != "Ask your manager first." || n.App != "Wiki" || !n.AskAgain.Equal(Now().Add(24*time.Hour)) {
		t.Errorf("notice %+v", n)
	}
	if _, err := s.ChangeUser(t.Context(), c.user.ID, set(func(u *directory.User) { u.Status = directory.Suspended })); err != nil {
		t.Fatal(err)
	}
	if job, err = s.LeaseJob(t.Context(), "notice to grace@example.com", Now().Add(time.Minute), Now()); err != nil || !job.Gone {
		t.Errorf("to a suspended user: %+v, %v", job, err)
	}
}

func testListRequests(t *testing.T, s Store) {
	c := newScene(t, s)
	var want []string
	for i, at := range []time.Duration{3, 2, 2, 1} {
		u := member(fmt.Sprint("U", i), fmt.Sprintf("u%d@example.com", i))
		create(t, s, u)
		want = append(want, askFor(t, s, c, u, ago(at*time.Hour), "").ID)
	}
	denied := askFor(t, s, c, c.user, ago(5*time.Hour), "")
	_, err := requests(s).Deny(t.Context(), c.byAdmin(), denied.ID, "")
	must(t, err)
	var got []string
	q := apps.RequestQuery{State: apps.RequestPending, Limit: 3}
	for page := range 3 {
		list, err := s.ListRequests(t.Context(), q)
		must(t, err)
		if n := []int{3, 1, 0}[page]; len(list) != n {
			t.Fatalf("page %d has %d", page, len(list))
		}
		for _, r := range list {
			got = append(got, r.ID)
			q.After, q.AfterID = r.CreatedAt, r.ID
			if r.App.Name != "Wiki" || len(r.App.Groups) != 1 || r.User.ID != r.UserID {
				t.Errorf("listed %+v", r)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	list, err := s.ListRequests(t.Context(), apps.RequestQuery{State: apps.RequestDenied, Limit: 3})
	if err != nil || len(list) != 1 || list[0].ID != denied.ID {
		t.Errorf("denied: %+v, %v", list, err)
	}
}

func testCountRequests(t *testing.T, s Store) {
	c := newScene(t, s)
	for i := range 3 {
		u := member("", fmt.Sprintf("u%d@example.com", i))
		create(t, s, u)
		askFor(t, s, c, u, Now(), "")
	}
	for limit, want := range map[int]int{2: 2, 3: 3, 100: 3} {
		if n, err := s.CountPendingRequests(t.Context(), limit); n != want || err != nil {
			t.Errorf("up to %d: %d, %v", limit, n, err)
		}
	}
}

func testRequestsDisappear(t *testing.T, s Store) {
	c := newScene(t, s)
	other := member("Joan", "joan@example.com")
	create(t, s, other)
	askFor(t, s, c, c.user, Now(), "")
	kept := askFor(t, s, c, other, Now(), "")
	_, err := s.ChangeUser(t.Context(), c.user.ID, func(state directory.RuleState) (directory.Change, error) {
		return directory.Change{User: state.User, Remove: true}, nil
	})
	must(t, err)
	if list, err := s.ListRequests(t.Context(), apps.RequestQuery{State: apps.RequestPending, Limit: 9}); err != nil || len(list) != 1 || list[0].ID != kept.ID {
		t.Errorf("without the user: %+v, %v", list, err)
	}
	must(t, s.RemoveApp(t.Context(), c.app.ID, func(a apps.App) event.Event { return event.New(event.AppRemoved, Now(), "", "", a.Name) }))
	if n, err := s.CountPendingRequests(t.Context(), 9); n != 0 || err != nil {
		t.Errorf("without the app: %d, %v", n, err)
	}
}

func testRequestsDigest(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	asker := admin("Eve", "eve@example.com")
	create(t, s, asker)
	wantNotices(t, s, "a new administrator", "ada@example.com")
	people := make([]directory.User, 8)
	for i := range people {
		people[i] = member(fmt.Sprint("U", i), fmt.Sprintf("u%d@example.com", i))
		create(t, s, people[i])
	}
	askFor(t, s, c, asker, Now(), "may I?")
	wantNotices(t, s, "an administrator's request", "ada@example.com")
	for _, u := range people {
		askFor(t, s, c, u, Now().Add(time.Minute), "")
	}
	wantNotices(t, s, "a flood")
	if wrote, err := s.WriteDigests(t.Context(), Now().Add(time.Hour-1)); wrote || err != nil {
		t.Errorf("too early: %v, %v", wrote, err)
	}
	if wrote, err := s.WriteDigests(t.Context(), Now().Add(time.Hour)); !wrote || err != nil {
		t.Errorf("after an hour: %v, %v", wrote, err)
	}
	for address, want := range map[string]int{"ada@example.com": 9, "eve@example.com": 8} {
		job, err := s.LeaseJob(t.Context(), "notice to "+address, Now(), Now())
		must(t, err)
		n := job.Notice
		if n == nil || n.Topic != outbox.AccessRequests || len(n.People)+n.More != want || len(n.People) != 5 {
			t.Fatalf("%s gets %+v", address, n)
		}
		if address == "ada@example.com" && (n.People[0].Name != "Eve" || n.People[0].Note != "may I?" || n.People[0].About != "Wiki") {
			t.Errorf("%s gets %+v", address, n)
		}
	}
	// Those that are pending are not repeated.
	askFor(t, s, c, c.user, Now().Add(2*time.Hour), "")
	wantNotices(t, s, "a pending digest", "ada@example.com", "eve@example.com")
	if wrote, err := s.WriteDigests(t.Context(), Now().Add(9*time.Hour)); wrote || err != nil {
		t.Errorf("with nothing new: %v, %v", wrote, err)
	}
}

func testRequestsWithoutMail(t *testing.T, s Store) {
	c := newScene(t, s)
	r := askFor(t, s, c, c.user, Now(), "")
	_, err := requests(s).Approve(t.Context(), c.byAdmin(), r.ID, apps.Approval{})
	must(t, err)
	if wrote, err := s.WriteDigests(t.Context(), Now().Add(time.Hour)); wrote || err != nil {
		t.Errorf("%v, %v", wrote, err)
	}
	wantNotices(t, s, "without a mail server")
}

func testDecideConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	c := newScene(t, stores[0])
	stores[0].WriteNotices()
	stores[1].WriteNotices()
	second := admin("Joan", "joan@example.com")
	create(t, stores[0], second)
	wantNotices(t, stores[0], "a new administrator", "ada@example.com")
	for round := range 5 {
		r := askFor(t, stores[0], c, c.user, Now(), "")
		done := 0
		for i, err := range concurrently(4, func(i int) error {
			service, by := requests(stores[i%2]), event.Origin{ActorID: []string{c.admin.ID, second.ID}[i%2], Actor: "admin"}
			if i < 2 {
				_, err := service.Approve(t.Context(), by, r.ID, apps.Approval{Until: Now().Add(time.Hour)})
				return err
			}
			_, err := service.Deny(t.Context(), by, r.ID, "")
			return err
		}) {
			switch {
			case err == nil:
				done++
			case !errors.Is(err, apps.ErrRequestDecided):
				t.Errorf("round %d, try %d: %v", round, i, err)
			}
		}
		f, decisions := c.facts(t, stores[0]), 0
		for _, e := range eventsOf(t, stores[0], c.user) {
			if e.Kind == event.AccessApproved || e.Kind == event.AccessDenied {
				decisions++
			}
		}
		if done != 1 || decisions != round+1 || len(f.Memberships) == 1 != (f.Request.State == apps.RequestApproved) {
			t.Errorf("round %d: %d decisions succeeded, %d events, %+v", round, done, decisions, f)
		}
		err := stores[0].ChangeMembership(t.Context(), c.group.ID, c.user.ID, func(directory.Group, directory.User, *directory.Membership) (*directory.Membership, event.Event, error) {
			return nil, event.New(event.GroupLeft, Now(), "", "", ""), nil
		})
		must(t, err)
	}
}

func testAskConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	c := newScene(t, stores[0])
	asked := 0
	for i, err := range concurrently(20, func(i int) error {
		return requests(stores[i%2]).Ask(t.Context(), event.Origin{ActorID: c.user.ID}, c.app.ID, c.user.ID, "please")
	}) {
		switch {
		case err == nil:
			asked++
		case !errors.Is(err, apps.ErrRequestPending) && !errors.Is(err, apps.ErrTooManyRequests):
			t.Errorf("try %d: %v", i, err)
		}
	}
	n, err := stores[0].CountPendingRequests(t.Context(), 100)
	if asked != 1 || n != 1 || err != nil {
		t.Errorf("%d asked, %d are pending, %v", asked, n, err)
	}
}

func testApproveAgainstRemoval(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	c := newScene(t, stores[0])
	for round := range 5 {
		group := directory.Group{ID: newID(), Name: fmt.Sprint("G", round), CreatedAt: Now()}
		must(t, stores[0].CreateGroup(t.Context(), group, event.New(event.GroupCreated, Now(), "", "", group.Name), idempotency.Claim{}))
		c.app = createApp(t, stores[0], fmt.Sprint("App ", round), group)
		r := askFor(t, stores[0], c, c.user, Now(), "")
		errs := concurrently(2, func(i int) error {
			if i == 0 {
				return stores[0].RemoveGroup(t.Context(), group.ID, func(g directory.Group) event.Event { return event.New(event.GroupRemoved, Now(), "", "", g.Name) })
			}
			_, err := requests(stores[1]).Approve(t.Context(), c.byAdmin(), r.ID, apps.Approval{Group: group.ID})
			return err
		})
		if errs[0] != nil {
			t.Errorf("round %d: removing: %v", round, errs[0])
		}
		var invalid *directory.ValidationError
		if err := errs[1]; err != nil && !errors.As(err, &invalid) && !errors.Is(err, apps.ErrNoAppGroups) {
			t.Errorf("round %d: approving: %v", round, err)
		}
		list, err := stores[0].ListMembers(t.Context(), group.ID, "", 9)
		if err != nil || len(list) != 0 {
			t.Errorf("round %d: members of the removed group: %+v, %v", round, list, err)
		}
	}
}

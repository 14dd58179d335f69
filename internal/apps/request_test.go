package apps

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

const week = directory.EndWarning

// requestFacts returns the facts about a user without access to an app that a group opens,
// changed by edit.
func requestFacts(edit func(*RequestFacts)) RequestFacts {
	f := RequestFacts{
		App:  App{ID: "wiki", Name: "Wiki", Enabled: true, Audience: Groups, AllowRequests: true, Groups: []directory.Group{{ID: "staff", Name: "Staff"}}},
		User: directory.User{ID: "grace", Status: directory.Active},
	}
	edit(&f)
	return f
}

func memberUntil(until time.Time) directory.Membership {
	return directory.Membership{GroupID: "staff", UserID: "grace", Until: until}
}

func TestRequest_MayAsk(t *testing.T) {
	t.Parallel()
	decided := func(state RequestState, ago time.Duration) func(*RequestFacts) {
		return func(f *RequestFacts) {
			f.Request = &Request{ID: "r", State: state, DecidedAt: noon.Add(-ago), Reason: "no"}
		}
	}
	in := func(until time.Time) func(*RequestFacts) {
		return func(f *RequestFacts) { f.Memberships = []directory.Membership{memberUntil(until)} }
	}
	denied := &DeniedError{}
	for name, row := range map[string]struct {
		edit func(*RequestFacts)
		want error // nil if they may
	}{
		"without access":          {func(*RequestFacts) {}, nil},
		"after access has ended":  {in(noon), nil},
		"before access ends":      {in(noon.Add(week - 1)), nil},
		"with access for longer":  {in(noon.Add(week)), ErrHasAccess},
		"with access without end": {in(time.Time{}), ErrHasAccess},
		"an app for everyone":     {func(f *RequestFacts) { f.App.Audience = Everyone }, ErrHasAccess},
		"an app without requests": {func(f *RequestFacts) { f.App.AllowRequests = false }, directory.ErrNotFound},
		"a switched-off app":      {func(f *RequestFacts) { f.App.Enabled = false }, ErrSwitchedOff},
		"a switched-off app without requests": {func(f *RequestFacts) {
			f.App.Enabled, f.App.AllowRequests = false, false
		}, directory.ErrNotFound},
		"suspended":                {func(f *RequestFacts) { f.User.Status = directory.Suspended }, ErrUserSuspended},
		"while one is pending":     {decided(RequestPending, 0), ErrRequestPending},
		"a day after a denial":     {decided(RequestDenied, 24*time.Hour), nil},
		"sooner after a denial":    {decided(RequestDenied, 24*time.Hour-1), denied},
		"after access was removed": {decided(RequestApproved, time.Minute), nil},
		"an app without requests that they can open for some days": {func(f *RequestFacts) {
			f.App.AllowRequests = false
			in(noon.Add(time.Hour))(f)
		}, ErrHasAccess},
		"suspended, an app without requests": {func(f *RequestFacts) {
			f.App.AllowRequests, f.User.Status = false, directory.Suspended
		}, directory.ErrNotFound},
	} {
		_, _, err := requestFacts(row.edit).newRequest(event.Origin{}, "", noon)
		if row.want == denied {
			if got := (*DeniedError)(nil); !errors.As(err, &got) || !got.Until.Equal(noon.Add(1)) || got.Reason != "no" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
}

func TestRequest_Approve(t *testing.T) {
	t.Parallel()
	guests := directory.Group{ID: "guests", Name: "Guests"}
	two := func(f *RequestFacts) { f.App.Groups = append(f.App.Groups, guests) }
	field := func(name string) error {
		return &directory.ValidationError{Fields: map[string]string{name: ""}}
	}
	for name, row := range map[string]struct {
		edit  func(*RequestFacts)
		by    string
		given Approval
		group string // joined; empty if none is
		want  error
	}{
		"one group":                          {func(*RequestFacts) {}, "ada", Approval{}, "staff", nil},
		"on the command line":                {func(*RequestFacts) {}, "", Approval{}, "staff", nil},
		"a group by name, in another case":   {two, "ada", Approval{Group: "GUESTS"}, "guests", nil},
		"several groups, none chosen":        {two, "ada", Approval{}, "", field("group")},
		"a group of another app":             {two, "ada", Approval{Group: "press"}, "", field("group")},
		"an end that has passed":             {func(*RequestFacts) {}, "ada", Approval{Until: noon}, "", field("until")},
		"their own":                          {func(*RequestFacts) {}, "grace", Approval{}, "", ErrOwnRequest},
		"decided":                            {func(f *RequestFacts) { f.Request.State = RequestDenied }, "ada", Approval{}, "", ErrRequestDecided},
		"gone":                               {func(f *RequestFacts) { f.Request = nil }, "ada", Approval{}, "", ErrNoRequest},
		"suspended":                          {func(f *RequestFacts) { f.User.Status = directory.Suspended }, "ada", Approval{}, "", ErrUserSuspended},
		"no groups":                          {func(f *RequestFacts) { f.App.Groups = nil }, "ada", Approval{}, "", ErrNoAppGroups},
		"everyone has access":                {func(f *RequestFacts) { f.App.Audience = Everyone }, "ada", Approval{}, "", nil},
		"they have access":                   {func(f *RequestFacts) { f.Memberships = []directory.Membership{memberUntil(time.Time{})} }, "ada", Approval{}, "", nil},
		"access that ends soon, for longer":  {func(f *RequestFacts) { f.Memberships = []directory.Membership{memberUntil(noon.Add(time.Hour))} }, "ada", Approval{}, "staff", nil},
		"access that ends soon, for shorter": {func(f *RequestFacts) { f.Memberships = []directory.Membership{memberUntil(noon.Add(time.Hour))} }, "ada", Approval{Until: noon.Add(time.Minute)}, "", field("until")},
		"access that ends soon, no longer":   {func(f *RequestFacts) { f.Memberships = []directory.Membership{memberUntil(noon.Add(time.Hour))} }, "ada", Approval{Until: noon.Add(time.Hour)}, "", field("until")},
	} {
		f := requestFacts(func(f *RequestFacts) {
			f.Request = &Request{ID: "r", AppID: "wiki", UserID: "grace", State: RequestPending, CreatedAt: noon.Add(-time.Hour)}
			row.edit(f)
		})
		v, err := f.approve(event.Origin{ActorID: row.by}, row.given, noon)
		var invalid, want *directory.ValidationError
		if errors.As(row.want, &want) {
			if !errors.As(err, &invalid) || !cmp.Equal(keys(want.Fields), keys(invalid.Fields)) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
			continue
		}
		joined := ""
		if v.Membership != nil {
			joined = v.Membership.GroupID
		}
		if joined != row.group || err == nil && (v.Request.State != RequestApproved || v.Request.DecidedBy != row.by || v.Events[0].Kind != event.AccessApproved) {
			t.Errorf("%s: joins %q, want %q; %+v", name, joined, row.group, v)
		}
	}
}

func keys(m map[string]string) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	return list
}

func TestAccessEnd(t *testing.T) {
	t.Parallel()
	later := noon.Add(time.Hour)
	app := App{Audience: Groups, Groups: []directory.Group{{ID: "staff"}, {ID: "guests"}}}
	in := func(group string, until time.Time) directory.Membership {
		return directory.Membership{GroupID: group, Until: until}
	}
	for name, row := range map[string]struct {
		app         App
		memberships []directory.Membership
		want        time.Time
	}{
		"none":                   {app, nil, time.Time{}},
		"one":                    {app, []directory.Membership{in("staff", later)}, later},
		"the later of two":       {app, []directory.Membership{in("staff", later), in("guests", later.Add(time.Hour))}, later.Add(time.Hour)},
		"one without an end":     {app, []directory.Membership{in("staff", later), in("guests", time.Time{})}, time.Time{}},
		"one that has ended":     {app, []directory.Membership{in("staff", noon)}, time.Time{}},
		"one of another app":     {app, []directory.Membership{in("press", later)}, time.Time{}},
		"an app for everyone":    {App{Audience: Everyone}, []directory.Membership{in("staff", later)}, time.Time{}},
		"without an end, others": {app, []directory.Membership{in("press", time.Time{}), in("staff", later)}, later},
	} {
		if got := AccessEnd(row.app, row.memberships, noon); !got.Equal(row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}

func TestParseNote(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"":                       "",
		" for\r\n\tthe  wiki ":   "for the wiki",
		"Zoë \u202e\u200b李":      "Zoë 李",
		"a\x00b\xff":             "ab",
		strings.Repeat("ä", 400): strings.Repeat("ä", 400),
	} {
		if got, err := parseNote("note", typed); got != want || err != nil {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
	}
	var invalid *directory.ValidationError
	if _, err := parseNote("reason", strings.Repeat("ä", 401)); !errors.As(err, &invalid) || invalid.Fields["reason"] == "" {
		t.Errorf("too long: %v", err)
	}
}

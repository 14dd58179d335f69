package directory

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	then = noon.Add(-time.Hour)
)

// ada is a person as the rows of these tests begin.
func ada(role Role, status Status) User {
	u := User{
		ID: "1", Name: "Ada", Email: Email{"Ada@example.com", "ada@example.com"}, Role: role, Status: status,
		StytchUserID: "stytch-1", InviteSentAt: then, CreatedAt: then, UpdatedAt: then,
	}
	if status != Invited {
		u.LastSeenAt = then
	}
	return u
}

func with(u User, change func(*User)) User {
	change(&u)
	return u
}

// change is a Change that can be compared: reasons stand for functions. Events are
// left out.
type change struct {
	User          User
	Remove        bool
	CancelInvites bool
	Jobs          []outbox.Job
	EndSessions   string
	RevokeTokens  string
}

func describe(c Change) change {
	d := change{User: c.User, Remove: c.Remove, CancelInvites: c.CancelInvites, Jobs: c.Jobs}
	if c.EndSession != nil {
		end, _ := c.EndSession("token", "session")
		d.EndSessions = end.Event.Reason
	}
	if c.RevokeToken != nil {
		d.RevokeTokens = strings.TrimPrefix(c.RevokeToken("name").Reason, "name: ")
	}
	return d
}

func TestEditApply(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	neverIn := with(ada(Member, Suspended), func(u *User) { u.LastSeenAt, u.InviteSentAt = time.Time{}, time.Time{} })
	// noLinks is a change by which links from before are refused.
	noLinks := func(u *User) { u.UpdatedAt, u.LinksAfter, u.CancelledInviteAt = noon, noon, then }
	noInvitation := func(u *User) { noLinks(u); u.InviteSentAt = time.Time{} }
	ends := func(u User) change { return change{User: u, EndSessions: "suspended", CancelInvites: true} }
	another := outbox.Job{Kind: outbox.Invite, Subject: "ada@example.com", UserID: "1", Name: "Ada", CreatedAt: noon}
	revoke := outbox.Job{Kind: outbox.RevokeInvite, Subject: "ada@example.com", UserID: "1", CreatedAt: noon}
	tests := []struct {
		name   string
		user   User
		others int // active administrators
		edit   Edit
		want   change
		err    error
	}{
		{"changes nothing if nothing is given", ada(Admin, Active), 0, Edit{}, change{User: ada(Admin, Active)}, nil},
		{
			"leaves the time of the last change if nothing changes", ada(Member, Active), 1,
			Edit{Name: text("Ada"), Role: text("member"), Status: text("active")}, change{User: ada(Member, Active)}, nil,
		},
		{
			"renames", ada(Member, Active), 1, Edit{Name: text(" Ada King ")},
			change{User: with(ada(Member, Active), func(u *User) { u.Name, u.UpdatedAt = "Ada King", noon })}, nil,
		},
		{
			"takes a name away", ada(Member, Active), 1, Edit{Name: text("")},
			change{User: with(ada(Member, Active), func(u *User) { u.Name, u.UpdatedAt = "", noon })}, nil,
		},
		{
			"promotes", ada(Member, Active), 1, Edit{Role: text("admin")},
			change{User: with(ada(Admin, Active), noLinks)}, nil,
		},
		{
			"promotes who was invited, and invites them anew", ada(Member, Invited), 1, Edit{Role: text("admin")},
			change{User: with(ada(Admin, Invited), noInvitation), CancelInvites: true, Jobs: []outbox.Job{revoke, another}}, nil,
		},
		{
			"promotes who was added and not invited", with(ada(Member, Invited), func(u *User) { u.InviteSentAt = time.Time{} }), 1, Edit{Role: text("admin")},
			change{User: with(ada(Admin, Invited), func(u *User) { u.UpdatedAt, u.LinksAfter, u.InviteSentAt = noon, noon, time.Time{} })}, nil,
		},
		{
			"demotes one of two administrators", ada(Admin, Active), 1, Edit{Role: text("member")},
			change{User: with(ada(Member, Active), noLinks), RevokeTokens: "no longer an active administrator"}, nil,
		},
		{
			"suspends one of two administrators", ada(Admin, Active), 1, Edit{Status: text("suspended")},
			change{
				User:        with(ada(Admin, Suspended), noLinks),
				EndSessions: "suspended", CancelInvites: true, RevokeTokens: "no longer an active administrator",
			}, nil,
		},
		{"keeps the last administrator's role", ada(Admin, Active), 0, Edit{Role: text("member")}, change{}, ErrLastAdmin},
		{"keeps the last administrator active", ada(Admin, Active), 0, Edit{Status: text("suspended")}, change{}, ErrLastAdmin},
		{
			"lets the last administrator be renamed", ada(Admin, Active), 0, Edit{Name: text("Zoe"), Role: text("admin")},
			change{User: with(ada(Admin, Active), func(u *User) { u.Name, u.UpdatedAt = "Zoe", noon })}, nil,
		},
		{
			"lets an administrator who never came be demoted, though no other is active", ada(Admin, Invited), 0, Edit{Role: text("member")},
			change{User: with(ada(Member, Invited), func(u *User) { u.UpdatedAt = noon })}, nil,
		},
		{
			"ends all sessions of who is suspended", ada(Member, Active), 1, Edit{Status: text("suspended")},
			ends(with(ada(Member, Suspended), noLinks)), nil,
		},
		{
			"makes the invitation of who is suspended worthless, and says so", ada(Member, Invited), 1, Edit{Status: text("suspended")},
			change{
				User:        with(ada(Member, Invited), func(u *User) { noInvitation(u); u.Status = Suspended }),
				EndSessions: "suspended", CancelInvites: true, Jobs: []outbox.Job{revoke},
			}, nil,
		},
		{
			"does nothing more to who is suspended already", ada(Member, Suspended), 1, Edit{Status: text("suspended")},
			change{User: ada(Member, Suspended)}, nil,
		},
		{
			"lets somebody in again", ada(Member, Suspended), 1, Edit{Status: text("active")},
			change{User: with(ada(Member, Active), noLinks)}, nil,
		},
		{
			"takes who was never in for invited again", neverIn, 1, Edit{Status: text("active")},
			change{User: with(neverIn, func(u *User) { u.Status, u.UpdatedAt, u.LinksAfter = Invited, noon, noon })}, nil,
		},
		{
			"makes nobody active who never came", ada(Member, Invited), 1, Edit{Status: text("active")},
			change{}, &ValidationError{map[string]string{"status": "A person becomes active by signing in."}},
		},
		{
			"makes nobody invited who was in", ada(Member, Active), 1, Edit{Status: text("invited")},
			change{}, &ValidationError{map[string]string{"status": "A person becomes active by signing in."}},
		},
		{
			"refuses other words, all at once", ada(Admin, Active), 0, Edit{Name: text("\x00"), Role: text("owner"), Status: text("Active")},
			change{}, &ValidationError{map[string]string{
				"name": "Use letters, digits and punctuation only.", "role": "Choose admin or member.", "status": "Choose active or suspended.",
			}},
		},
		{
			"refuses empty words", ada(Admin, Active), 1, Edit{Role: text(""), Status: text("")},
			change{}, &ValidationError{map[string]string{"role": "Choose admin or member.", "status": "Choose active or suspended."}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.edit.apply(Actor{}, RuleState{User: test.user, OtherAdmins: test.others}, noon)
			var wantFields, fields *ValidationError
			if errors.As(test.err, &wantFields) {
				if !errors.As(err, &fields) {
					t.Fatalf("got %v, want %v", err, wantFields.Fields)
				}
				if diff := cmp.Diff(wantFields.Fields, fields.Fields); diff != "" {
					t.Errorf("fields (-want +got):\n%s", diff)
				}
			} else if !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.want, describe(got), cmpopts.IgnoreFields(outbox.Job{}, "ID")); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}
}

// The invariants hold for every edit of every user.
func TestEditApply_KeepsInvariants(t *testing.T) {
	t.Parallel()
	choices := []*string{nil}
	for _, word := range []string{"", "admin", "member", "active", "invited", "suspended", "x"} {
		choices = append(choices, &word)
	}
	for _, role := range []Role{Admin, Member} {
		for _, status := range []Status{Invited, Active, Suspended} {
			for others := range 2 {
				for _, wantRole := range choices {
					for _, wantStatus := range choices {
						s := RuleState{User: ada(role, status), OtherAdmins: others}
						c, err := Edit{Role: wantRole, Status: wantStatus}.apply(Actor{}, s, noon)
						u := c.User
						switch {
						case err != nil:
						case s.User.IsActiveAdmin() && others == 0 && !u.IsActiveAdmin():
							t.Errorf("%+v: the last administrator became %s and %s", s, u.Role, u.Status)
						case u.Status == Active && u.LastSeenAt.IsZero():
							t.Errorf("%+v: active without ever having come", s)
						case u.Status == Suspended && status != Suspended && c.EndSession == nil:
							t.Errorf("%+v: suspended with live sessions", s)
						case u.Email != s.User.Email || u.ID != s.User.ID || u.StytchUserID != s.User.StytchUserID || c.Remove:
							t.Errorf("%+v: became somebody else: %+v", s, c)
						}
					}
				}
			}
		}
	}
}

func TestDisplayName(t *testing.T) {
	t.Parallel()
	u := ada(Member, Active)
	if got := u.DisplayName(); got != "Ada" {
		t.Errorf("got %q, want the name", got)
	}
	u.Name = ""
	if got := u.DisplayName(); got != "Ada@example.com" {
		t.Errorf("got %q, want the address as typed", got)
	}
}

func TestEditApply_Events(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	for _, test := range []struct {
		name string
		was  User
		edit Edit
		want []event.Event // kind and changes
	}{
		{"nothing, if nothing changes", ada(Member, Active), Edit{Name: text("Ada"), Role: text("member")}, nil},
		{
			"old and new value of each field", ada(Member, Active), Edit{Name: text("Zoe"), Role: text("admin")},
			[]event.Event{{Kind: event.UserEdited, Changes: []event.Change{
				{Field: "name", Old: "Ada", New: "Zoe"}, {Field: "role", Old: "member", New: "admin"},
			}}},
		},
		{
			"that somebody was suspended", ada(Member, Active), Edit{Status: text("suspended")},
			[]event.Event{{Kind: event.UserSuspended, Changes: []event.Change{{Field: "status", Old: "active", New: "suspended"}}}},
		},
		{
			"that they were let in again, and renamed with it", ada(Member, Suspended), Edit{Name: text("Zoe"), Status: text("active")},
			[]event.Event{{Kind: event.UserReinstated, Changes: []event.Change{
				{Field: "name", Old: "Ada", New: "Zoe"}, {Field: "status", Old: "suspended", New: "active"},
			}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := test.edit.apply(Actor{}, RuleState{User: test.was, OtherAdmins: 1}, noon)
			if err != nil {
				t.Fatal(err)
			}
			for i := range test.want {
				test.want[i].At, test.want[i].SubjectID, test.want[i].Subject = noon, test.was.ID, test.was.Email.Normalized
			}
			if diff := cmp.Diff(test.want, c.Events, cmpopts.IgnoreFields(event.Event{}, "ID")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

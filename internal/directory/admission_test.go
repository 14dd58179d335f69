package directory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/guestlist/guestlist/internal/directory"
)

var (
	invited = directory.AdmissionPolicy{}
	company = directory.AdmissionPolicy{Domains: []string{"example.org", "example.com"}}
	anyone  = directory.AdmissionPolicy{Open: true}
	first   = directory.AdmissionPolicy{FirstAdmin: true}
)

func TestDecide(t *testing.T) {
	t.Parallel()
	person := func(role directory.Role, status directory.Status) *directory.User {
		return &directory.User{Role: role, Status: status}
	}
	const ada = "ada@example.com"
	both := directory.AdmissionPolicy{Open: true, FirstAdmin: true}
	tests := []struct {
		name      string
		admission directory.AdmissionPolicy
		found     *directory.User
		admins    int
		address   string
		want      directory.Decision
		err       error
	}{
		{"lets in who is active", invited, person("member", "active"), 1, ada, directory.Decision{Listed: true, Role: "member"}, nil},
		{"lets in who is invited", invited, person("admin", "invited"), 0, ada, directory.Decision{Listed: true, Role: "admin"}, nil},
		{"keeps out who is suspended", invited, person("member", "suspended"), 1, ada, directory.Decision{}, directory.ErrSuspended},
		{"keeps out who is suspended, where anyone may join", anyone, person("member", "suspended"), 1, ada, directory.Decision{}, directory.ErrSuspended},
		{"keeps out who is suspended, where there is no administrator", first, person("admin", "suspended"), 0, ada, directory.Decision{}, directory.ErrSuspended},
		{"keeps out who is not listed", invited, nil, 1, ada, directory.Decision{}, directory.ErrNotListed},
		{"keeps out who is not listed, where there is no administrator", invited, nil, 0, ada, directory.Decision{}, directory.ErrNotListed},

		{"lets anyone join", anyone, nil, 1, ada, directory.Decision{Role: "member"}, nil},
		{"makes nobody administrator unasked", anyone, nil, 0, ada, directory.Decision{Role: "member"}, nil},
		{"gives nobody listed another role", anyone, person("admin", "active"), 1, ada, directory.Decision{Listed: true, Role: "admin"}, nil},

		{"lets the company join", company, nil, 1, ada, directory.Decision{Role: "member"}, nil},
		{"lets the company join, however it is written", company, nil, 1, "Ada@EXAMPLE.Com", directory.Decision{Role: "member"}, nil},
		{"keeps out a part of the company's name", company, nil, 1, "ada@le.com", directory.Decision{}, directory.ErrNotListed},
		{"keeps out a host below the company's", company, nil, 1, "ada@mail.example.com", directory.Decision{}, directory.ErrNotListed},
		{"keeps out a longer name than the company's", company, nil, 1, "ada@notexample.com", directory.Decision{}, directory.ErrNotListed},
		{"keeps out a name that begins with the company's", company, nil, 1, "ada@example.com.evil.example", directory.Decision{}, directory.ErrNotListed},
		{"keeps out the company's name in a local part", company, nil, 1, "example.com@evil.example", directory.Decision{}, directory.ErrNotListed},

		{"makes the first to come administrator", first, nil, 0, ada, directory.Decision{Role: "admin"}, nil},
		{"keeps out the second", first, nil, 1, ada, directory.Decision{}, directory.ErrNotListed},
		{"lets somebody listed in as they are, also as the first", first, person("member", "invited"), 0, ada, directory.Decision{Listed: true, Role: "member"}, nil},
		{"makes the first to come administrator, where anyone may join", both, nil, 0, ada, directory.Decision{Role: "admin"}, nil},
		{"makes the second a member there", both, nil, 1, ada, directory.Decision{Role: "member"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			email := mustParse(t, test.address)
			from := directory.Applicant{Email: email, User: test.found, Admins: test.admins}
			got, err := test.admission.Decide(from)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("got %+v and %v, want %+v and %v", got, err, test.want, test.err)
			}
			// Admit and Decide agree.
			if _, err := test.admission.Admit(from, "stytch-1", noon); !errors.Is(err, test.err) {
				t.Errorf("Admit returns %v, want %v", err, test.err)
			}
		})
	}
}

// The ways of joining by oneself, each with an applicant whom it lets in.
var joining = map[string]struct {
	admission directory.AdmissionPolicy
	admins    int
}{"anyone": {anyone, 1}, "company": {company, 1}, "first": {first, 0}}

func TestDecide_JoiningIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		from directory.Applicant
		want error
	}{
		{"removed", directory.Applicant{Email: mustParse(t, "ada@example.com"), RemovedAt: noon}, directory.ErrRemoved},
		{"another address of a listed mailbox", directory.Applicant{Email: mustParse(t, "ada+2@example.com"), Alias: "ada@example.com"}, directory.ErrAlias},
		{"percent sign", directory.Applicant{Email: mustParse(t, "ada%evil.example@example.com")}, directory.ErrSourceRoute},
		{"exclamation mark", directory.Applicant{Email: mustParse(t, "evil.example!ada@example.com")}, directory.ErrSourceRoute},
	} {
		for mode, join := range joining {
			t.Run(test.name+", "+mode, func(t *testing.T) {
				from := test.from
				from.Admins = join.admins
				if got, err := join.admission.Decide(from); err != test.want || !errors.Is(err, directory.ErrNotListed) {
					t.Errorf("got %+v and %v, want %v", got, err, test.want)
				}
				if _, err := join.admission.Admit(from, "stytch-1", noon); err != test.want {
					t.Errorf("Admit returns %v, want %v", err, test.want)
				}
				from.User = &directory.User{Email: from.Email, Role: directory.Member, Status: directory.Invited}
				if got, err := join.admission.Decide(from); err != nil || !got.Listed {
					t.Errorf("on the list: got %+v and %v", got, err)
				}
			})
		}
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"ada@example.com":      "ada@example.com",
		"Ada+2@Example.com":    "ada@example.com",
		"ada+a+b@example.com":  "ada@example.com",
		"ada+@example.com":     "ada@example.com",
		"+ada@example.com":     "+ada@example.com",
		"a.d.a+x@example.com":  "a.d.a@example.com",
		"ada-2@example.com":    "ada-2@example.com",
		"ada+2@bücher.example": "ada@xn--bcher-kva.example",
	} {
		if got := mustParse(t, address).Mailbox(); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
	for _, address := range []string{"ada@example.com.", "ada+2@example.com."} {
		if email, err := directory.ParseEmail(address); err == nil {
			t.Errorf("%s is taken for %s", address, email.Normalized)
		}
	}
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	email := mustParse(t, "Ada@Example.com")
	before := noon.Add(-time.Hour)
	known := directory.User{
		ID: "1", Name: "Ada", Email: mustParse(t, "ada@example.com"), Role: "admin", Status: "active", StytchUserID: "stytch-1",
		InvitedBy: "2", InviteSentAt: before, CreatedAt: before, UpdatedAt: before, LastSeenAt: before,
	}
	with := func(change func(*directory.User)) directory.User {
		u := known
		change(&u)
		return u
	}
	tests := []struct {
		name  string
		found *directory.User
		want  directory.User
	}{
		{"notes that somebody active was seen, and nothing else", &known, with(func(u *directory.User) { u.LastSeenAt = noon })},
		{
			"makes who was invited active",
			ptr(with(func(u *directory.User) { u.Status, u.StytchUserID, u.LastSeenAt = "invited", "", time.Time{} })),
			with(func(u *directory.User) { u.LastSeenAt, u.UpdatedAt, u.LinksAfter = noon, noon, noon }),
		},
		{
			"follows who has a new account at Stytch",
			ptr(with(func(u *directory.User) { u.StytchUserID = "stytch-0" })),
			with(func(u *directory.User) { u.LastSeenAt, u.UpdatedAt = noon, noon }),
		},
		{
			"makes somebody new", nil,
			directory.User{Email: email, Role: "member", Status: "active", StytchUserID: "stytch-1", CreatedAt: noon, UpdatedAt: noon, LastSeenAt: noon},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := anyone.Admit(directory.Applicant{Email: email, User: test.found, Admins: 1}, "stytch-1", noon)
			if err != nil {
				t.Fatal(err)
			}
			ignore := cmpopts.IgnoreFields(directory.User{}, "ID")
			if test.found != nil {
				ignore = nil
			}
			if diff := cmp.Diff(test.want, got, ignore); diff != "" || got.ID == "" {
				t.Errorf("id %q (-want +got):\n%s", got.ID, diff)
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

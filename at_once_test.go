package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
)

const fifty = 50

func TestFiftyPeopleRedeemFiftyLinksAtOnceAndEachGetsExactlyOneSession(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon))
		ada := s.person("ada@example.com")
		ada.signsIn()
		people := make([]*person, fifty)
		presses := make([]*http.Request, fifty)
		for i := range people {
			people[i] = s.person(fmt.Sprintf("person%d@example.com", i))
			ada.invites(people[i].email)
			presses[i] = people[i].press(people[i].newMail())
		}

		answers := make([]outcome, fifty)
		atOnce(fifty, func(i int) { answers[i] = people[i].tries(presses[i]) })
		for i, p := range people {
			if answers[i] != (outcome{http.StatusSeeOther, "/profile"}) {
				t.Errorf("%s got %v", p.email, answers[i])
			}
			var who struct{ User struct{ Email string } }
			if err := json.Unmarshal([]byte(p.get("/api/session").body), &who); err != nil || who.User.Email != p.email {
				t.Errorf("%s is signed in as %q, %v", p.email, who.User.Email, err)
			}
			if n := s.count("SELECT COUNT(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email_key = ?", p.email); n != 1 {
				t.Errorf("%s has %d sessions", p.email, n)
			}
		}
		if n := s.count("SELECT COUNT(*) FROM stytch_sessions"); n != fifty+1 {
			t.Errorf("there are %d sessions at Stytch, want %d", n, fifty+1)
		}
	})
}

func TestFiftyRequestsRedeemOneLinkAtOnceAndExactlyOneSucceeds(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon), "--guestlist-local-stytch-limits=off")
		ada := s.person("ada@example.com")
		ada.asks()
		link := ada.newMail()
		browsers := make([]*person, fifty)
		presses := make([]*http.Request, fifty)
		for i := range browsers {
			browsers[i] = ada.elsewhere()
			presses[i] = browsers[i].press(link)
		}

		answers := make([]outcome, fifty)
		atOnce(fifty, func(i int) { answers[i] = browsers[i].tries(presses[i]) })
		want := map[outcome]int{{http.StatusSeeOther, "/users"}: 1, {http.StatusGone, ""}: fifty - 1}
		if diff := cmp.Diff(want, tally(answers)); diff != "" {
			t.Error(diff)
		}
		if here, there := s.count("SELECT COUNT(*) FROM sessions"), s.count("SELECT COUNT(*) FROM stytch_sessions"); here != 1 || there != 1 {
			t.Errorf("there are %d sessions here and %d at Stytch", here, there)
		}
	})
}

func TestFiftyInvitationsOfOneAddressAtOnceMakeOneRow(t *testing.T) {
	t.Parallel()
	doors := []struct {
		name, path, contentType, body string
		want                          map[outcome]int
	}{
		{
			name: "by the page", path: "/users", contentType: "application/x-www-form-urlencoded", body: "email=%s",
			want: map[outcome]int{{http.StatusSeeOther, "/users"}: fifty}, // one administrator who presses the button again
		},
		{
			name: "by adding", path: "/api/users", contentType: "application/json", body: `{"email":"%s"}`,
			want: map[outcome]int{{http.StatusCreated, "/api/users/"}: 1, {http.StatusConflict, ""}: fifty - 1},
		},
		{
			name: "by inviting, which may be repeated", path: "/api/invite_user", contentType: "application/json", body: `{"email":"%s"}`,
			want: map[outcome]int{{http.StatusOK, ""}: fifty},
		},
	}
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon), "--guestlist-local-stytch-limits=off")
		ada := s.person("ada@example.com")
		ada.signsIn()
		for i, door := range doors {
			t.Run(door.name, func(t *testing.T) {
				address := fmt.Sprintf("grace%d@example.com", i)
				spellings := []string{address, strings.ToUpper(address), "Grace" + strings.TrimPrefix(address, "grace")}
				answers := make([]outcome, fifty)
				atOnce(fifty, func(i int) {
					spelling := url.QueryEscape(spellings[i%3])
					if door.contentType == "application/json" {
						spelling = spellings[i%3]
					}
					r := ada.request("POST", s.url+door.path, strings.NewReader(fmt.Sprintf(door.body, spelling)))
					r.Header.Set("Content-Type", door.contentType)
					answers[i] = ada.tries(r)
					switch {
					case strings.HasPrefix(answers[i].location, "/api/users/"):
						answers[i].location = "/api/users/"
					case answers[i].status == http.StatusAccepted: // the mail of a later request is still waiting
						answers[i].status = http.StatusOK
					}
				})
				if diff := cmp.Diff(door.want, tally(answers)); diff != "" {
					t.Error(diff)
				}
				if n := s.count("SELECT COUNT(*) FROM users WHERE email_key = ?", address); n != 1 {
					t.Errorf("%d rows have the address", n)
				}
			})
		}
		eventually(t, "everything handed over", func() bool { return s.count("SELECT COUNT(*) FROM outbox") == 0 })
		if n := s.count("SELECT COUNT(*) FROM users WHERE invite_sent_at > 0"); n != 2 {
			t.Errorf("%d of the two people invited are shown as invited", n)
		}
	})
}

// outcome is what became of a request sent at the same time as others.
type outcome struct {
	status   int // 0: no answer
	location string
}

func tally(all []outcome) map[outcome]int {
	n := map[outcome]int{}
	for _, o := range all {
		n[o]++
	}
	return n
}

// tries sends a request, follows nothing and fails nothing.
func (p *person) tries(r *http.Request) outcome {
	v, err := p.try(r, followNothing)
	if err != nil {
		return outcome{location: err.Error()}
	}
	return outcome{v.status, v.header.Get("Location")}
}

// form is the request of a form.
func (p *person) form(path, body string) *http.Request {
	p.t.Helper()
	r := p.request("POST", p.site.url+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// json is the request of a script.
func (p *person) json(method, path, body string) *http.Request {
	p.t.Helper()
	r := p.request(method, p.site.url+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// press is the request of the Continue button behind a mailed link.
func (p *person) press(link string) *http.Request {
	p.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		p.t.Fatal(err)
	}
	form := url.Values{"token": {u.Query().Get("token")}}
	return p.form(app.CallbackPath, form.Encode())
}

// invites puts somebody on the list and has them mailed.
func (p *person) invites(email string, more ...string) {
	p.t.Helper()
	entry := map[string]string{"email": email}
	for i := 0; i < len(more); i += 2 {
		entry[more[i]] = more[i+1]
	}
	body, _ := json.Marshal(entry) // strings: cannot fail
	if v := p.calls("POST", "/api/invite_user", string(body)); v.status != http.StatusOK {
		p.t.Fatalf("%s is not invited: %d %s", email, v.status, v.body)
	}
}

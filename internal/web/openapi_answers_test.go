package web

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid"
)

// unprovoked are described responses that this test doesn't cause, and why.
var unprovoked = map[string]string{
	"POST /api/invite_user 404":             "somebody removed in the middle of it",
	"POST /api/invite_user 409":             "TestIdempotency_AnswersAfterACrash has it",
	"POST /api/authenticate_magic_link 303": "the journeys have it",
	"POST /api/authenticate_magic_link 410": "the journeys have it",
	"POST /api/authenticate_magic_link 429": "limits are off here",
	"POST /api/authenticate_magic_link 503": "Stytch answers here",
	"GET /api/authenticate_magic_link 503":  "it needs no database",
	"GET /api/openapi.yaml 503":             "it needs no database",
}

// The fixture checks that each response is as described.
func TestOpenAPI_EveryDescribedResponseOccurs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	gone := f.add(directory.User{Email: directory.Email{Display: "gone@example.com"}})
	f.add(directory.User{Email: directory.Email{Display: "eve@example.com"}, Status: directory.Suspended})
	given := map[string]bool{}
	asks := func(c *caller, pattern, id, query, body string, headers ...string) {
		t.Helper()
		method, path := route{pattern: pattern}.address(id)
		if len(headers) == 0 && body != "" {
			headers = []string{"Content-Type", "application/json"}
		}
		path = strings.NewReplacer("{user}", "x", "{token}", "x", "{secret}", "x").Replace(path)
		given[fmt.Sprintf("%s %d", pattern, c.send(method, path+query, body, headers...).status)] = true
	}
	var patterns []string
	describing().operations(func(pattern string, _ *v3.Operation) { patterns = append(patterns, pattern) })

	otherSite, form := []string{"Sec-Fetch-Site", "cross-site"}, []string{"Content-Type", "application/x-www-form-urlencoded"}
	large := `{"email":"` + strings.Repeat("x", 65<<10) + `"}`
	for _, p := range patterns {
		ada := f.signedIn(directory.Admin, "ada@example.com") // one of the requests signs out
		asks(f.visitor(), p, "x", "", "")
		asks(ada, p, "x", "", "", otherSite...)
		asks(ada, p, "x", "", `{"name":"x"}`)
		asks(ada, p, "x", "", `{`)
		asks(ada, p, "x", "", large)
		asks(ada, p, "x", "", "x", "Content-Type", "text/plain")
		asks(ada, p, "x", "?role=x&kind=x&email=x", `{"role":"x"}`)
		asks(ada, p, ada.user.ID, "?email=ada%40example.com", `{"role":"member"}`)
		asks(f.visitor(), p, "x", "?token=x", "token=x", form...)
		asks(f.visitor(), p, "x", "", "%", form...)
		asks(f.visitor(), p, "x", "", large, form...)
	}
	asks(f.visitor(), "POST /api/logout", "", "", "", "Cookie", "guestlist=made-up")
	asks(ada, "GET /api/session", "", "", "")
	asks(f.halfSignedIn(directory.Member, "half@example.com"), "GET /api/session", "", "", "")
	asks(ada, "GET /api/authenticate_magic_link", "", "", "")
	asks(f.visitor(), "GET /api/authenticate_magic_link", "", "?error=server_error", "")
	asks(f.visitor(), "GET /api/authenticate_magic_link", "", "?stytch_token_type=oauth&token=x", "")
	began := f.visitor()
	began.form("/signin/with/google")
	asks(began, "GET /api/authenticate_magic_link", "", "?stytch_token_type=oauth", "")
	for _, email := range []string{"joan@example.com", "joan@example.com", "eve@example.com"} {
		asks(ada, "POST /api/users", "", "", `{"email":"`+email+`"}`)
		asks(ada, "POST /api/invite_user", "", "", `{"email":"`+email+`"}`)
	}
	asks(ada, "PATCH /api/users/{id}", gone.ID, "", `{"name":"Gone"}`)
	asks(ada, "PATCH /api/users/{id}", gone.ID, "", `{"role":"owner"}`)
	asks(ada, "DELETE /api/users/{id}/factors", gone.ID, "", "")
	asks(ada, "DELETE /api/users/{id}", ada.user.ID, "", "")
	asks(ada, "DELETE /api/users/{id}", gone.ID, "", "")
	askAboutGroups(f, ada, given)
	askAboutApps(f, ada, given)
	askAboutClients(f, ada, given)
	own := f.signedIn(directory.Admin, "own@example.com")
	staff := f.addGroup("Askers")
	for _, decision := range []string{"approve", "deny"} {
		p := "POST /api/requests/{id}/" + decision
		app := f.addApp("To "+decision, "https://"+decision+".example.com", staff)
		grace := f.signedIn(directory.Member, decision+"@example.com")
		request, mine := grace.requestAccess(app.ID, ""), own.requestAccess(app.ID, "")
		asks(own, p, mine, "", "{}")
		asks(ada, p, request, "", `{"until":"yesterday"}`)
		asks(ada, p, request, "", `{"reason":"`+strings.Repeat("x", 401)+`"}`)
		asks(ada, p, request, "", "{}")
		asks(ada, p, request, "", "{}")
		asks(ada, p, "gone", "", "{}")
	}
	asks(ada, "GET /api/requests", "", "?state=approved", "")
	asks(ada, "GET /api/requests", "", "?state=x", "")
	for _, p := range patterns {
		asks(f.signedIn(directory.Member, "grace@example.com"), p, "x", "", "")
	}
	f.exec("CREATE TRIGGER refused AFTER INSERT ON outbox BEGIN UPDATE outbox SET parked_at = 1, last_error = 'No.' WHERE id = NEW.id; END")
	asks(ada, "POST /api/invite_user", "", "", `{"email":"joan@example.com"}`)
	f.exec("DROP TRIGGER refused")
	f.exec("CREATE TRIGGER later AFTER INSERT ON outbox BEGIN UPDATE outbox SET leased_until = 9000000000000000, last_error = 'Later.' WHERE id = NEW.id; END")
	asks(ada, "POST /api/invite_user", "", "", `{"email":"zoe@example.com"}`)
	f.store.Close()
	for _, p := range patterns {
		asks(ada, p, "x", "", `{"email":"x@example.com"}`)
	}

	described := map[string]bool{}
	describing().operations(func(pattern string, o *v3.Operation) {
		for status := range o.Responses.Codes.FromOldest() {
			if name := pattern + " " + status; status != "500" && unprovoked[name] == "" {
				described[name] = true
			}
		}
	})
	maps.DeleteFunc(given, func(name string, _ bool) bool { return unprovoked[name] != "" })
	if diff := cmp.Diff(slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(given))); diff != "" {
		t.Errorf("(-described +given):\n%s", diff)
	}
}

// fill returns a pattern with its parts in braces replaced.
func fill(pattern string, parts ...string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	for _, part := range parts {
		before, rest, found := strings.Cut(path, "{")
		if _, after, _ := strings.Cut(rest, "}"); found {
			path = before + part + after
		}
	}
	return method, path
}

// asker returns a function that sends JSON and records the response.
func asker(ada *caller, given map[string]bool) func(pattern, body string, parts ...string) answer {
	return func(pattern, body string, parts ...string) answer {
		ada.f.t.Helper()
		method, path := fill(pattern, parts...)
		a := ada.json(method, path, body)
		pattern, _, _ = strings.Cut(pattern, "?")
		given[fmt.Sprintf("%s %d", pattern, a.status)] = true
		return a
	}
}

// askInvalid sends bodies that every route refuses that takes JSON: with 400, 413 and 415.
func askInvalid(ada *caller, given map[string]bool, pattern string, parts ...string) {
	ada.f.t.Helper()
	send := asker(ada, given)
	send(pattern, `{"made_up":1}`, parts...)
	send(pattern, `{"name":"`+strings.Repeat("x", 65<<10)+`"}`, parts...)
	method, path := fill(pattern, parts...)
	given[fmt.Sprintf("%s %d", pattern, ada.send(method, path, "x", "Content-Type", "text/plain").status)] = true
}

func askAboutGroups(f *fixture, ada *caller, given map[string]bool) {
	send := asker(ada, given)
	grace := f.add(directory.User{Email: directory.Email{Display: "grace.of.the.groups@example.com"}})
	staff, board := f.addGroup("Askers"), f.addGroup("Board")
	send("GET /api/groups?limit=0", "")
	send("POST /api/groups", `{"name":"Other"}`)
	send("POST /api/groups", `{"name":"oTHER"}`)
	send("POST /api/groups", `{"name":""}`)
	send("GET /api/groups/{id}", "", staff.ID)
	send("PATCH /api/groups/{id}", `{"name":"Team"}`, staff.ID)
	send("PATCH /api/groups/{id}", `{"name":"Board"}`, staff.ID)
	send("PATCH /api/groups/{id}", `{"name":""}`, staff.ID)
	send("GET /api/groups/{id}/members", "", staff.ID)
	send("GET /api/groups/{id}/members?limit=0", "", staff.ID)
	send("POST /api/groups/{id}/members", `{"user":"`+grace.ID+`"}`, staff.ID)
	send("POST /api/groups/{id}/members", `{"user":"nobody"}`, staff.ID)
	send("PUT /api/groups/{id}/members/{user}", `{"until":"2099-01-01"}`, staff.ID, grace.ID)
	send("PUT /api/groups/{id}/members/{user}", `{"until":"1999-01-01"}`, staff.ID, grace.ID)
	for _, p := range []string{"PATCH /api/groups/{id}", "POST /api/groups/{id}/members", "PUT /api/groups/{id}/members/{user}"} {
		askInvalid(ada, given, p, staff.ID, grace.ID)
	}
	send("DELETE /api/groups/{id}/members/{user}", "", staff.ID, grace.ID)
	send("DELETE /api/groups/{id}", "", board.ID)
}

func askAboutApps(f *fixture, ada *caller, given map[string]bool) {
	send := asker(ada, given)
	wiki := f.addApp("Wiki", "https://wiki.example.com")
	send("POST /api/apps", `{"name":"Shop","url":"https://shop.example.com","audience":"everyone"}`)
	send("POST /api/apps", `{"name":"wIKI","url":"https://other.example.com","audience":"everyone"}`)
	send("GET /api/apps/{id}", "", wiki.ID)
	send("PATCH /api/apps/{id}", `{"name":"Docs"}`, wiki.ID)
	send("PATCH /api/apps/{id}", `{"name":"Shop"}`, wiki.ID)
	send("PATCH /api/apps/{id}", `{"url":"wiki"}`, wiki.ID)
	send("GET /api/apps/{id}/tokens", "", wiki.ID)
	send("POST /api/apps/{id}/tokens", `{"name":"","days":7}`, wiki.ID)
	var made struct {
		ID string `json:"id"`
	}
	for range apps.MaxTokens + 1 {
		if a := send("POST /api/apps/{id}/tokens", `{"name":"Backup","days":7}`, wiki.ID); a.status == 201 {
			a.decode(f.t, &made)
		}
	}
	send("DELETE /api/apps/{id}/tokens/{token}", "", wiki.ID, made.ID)
	for _, p := range []string{"PATCH /api/apps/{id}", "POST /api/apps/{id}/tokens"} {
		askInvalid(ada, given, p, wiki.ID)
	}
	send("DELETE /api/apps/{id}", "", wiki.ID)
}

func askAboutClients(f *fixture, ada *caller, given map[string]bool) {
	send := asker(ada, given)
	wiki := f.addApp("Signed in", "https://signed-in.example.com")
	const client, secrets = "/api/apps/{id}/openid", "/api/apps/{id}/openid/secrets"
	send("GET "+client, "", wiki.ID)
	for range 2 {
		send("PUT "+client, `{"redirect_uris":["https://signed-in.example.com/callback"]}`, wiki.ID)
	}
	send("PUT "+client, `{"redirect_uris":["wiki"]}`, wiki.ID)
	send("GET "+client, "", wiki.ID)
	send("POST "+secrets, `{"days":31}`, wiki.ID)
	var made struct {
		ID string `json:"id"`
	}
	for range openid.MaxSecrets + 1 {
		if a := send("POST "+secrets, `{"days":null}`, wiki.ID); a.status == 201 {
			a.decode(f.t, &made)
		}
	}
	send("GET "+secrets, "", wiki.ID)
	send("DELETE "+secrets+"/{secret}", "", wiki.ID, made.ID)
	for _, p := range []string{"PUT " + client, "POST " + secrets} {
		askInvalid(ada, given, p, wiki.ID)
	}
	send("DELETE "+client, "", wiki.ID)
}

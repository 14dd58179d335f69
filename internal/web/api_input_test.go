package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestAPI_RefusesBodiesThatAreNotOneJSONObject(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	const asJSON = "application/json"
	badJSON := object{"error": "body must be one JSON object with known fields, each once, in UTF-8"}
	badType := object{"error": "content type must be application/json"}
	// Each body would be a good one of its door but for the one thing named.
	doors := []struct{ method, path, good string }{
		{"POST", "/api/users", `"email":"joan@example.com","name":"Joan"`},
		{"POST", "/api/invite_user", `"email":"joan@example.com","name":"Joan"`},
		{"PATCH", "/api/users/" + grace.ID, `"name":"Joan","role":"admin"`},
	}
	for _, door := range doors {
		before := f.rows()
		for _, row := range []struct {
			name, contentType, body string
			status                  int
			want                    object
		}{
			{"nothing", asJSON, "", 400, badJSON},
			{"null", asJSON, "null", 400, badJSON},
			{"an array", asJSON, "[{" + door.good + "}]", 400, badJSON},
			{"a string", asJSON, `"email"`, 400, badJSON},
			{"a number", asJSON, "1", 400, badJSON},
			{"an object cut short", asJSON, "{" + door.good, 400, badJSON},
			{"something behind it", asJSON, "{" + door.good + "} x", 400, badJSON},
			{"another object behind it", asJSON, "{" + door.good + "}{" + door.good + "}", 400, badJSON},
			{"an unknown field", asJSON, "{" + door.good + `,"admin":true}`, 400, badJSON},
			{"the id", asJSON, "{" + door.good + `,"id":"x"}`, 400, badJSON},
			{"the Stytch id", asJSON, "{" + door.good + `,"stytch_user_id":"x"}`, 400, badJSON},
			{"a field twice", asJSON, "{" + door.good + `,"name":"Eve"}`, 400, badJSON},
			{"a field twice, escaped", asJSON, "{" + door.good + `,"n\u0061me":"Eve"}`, 400, badJSON},
			{"a field in capitals", asJSON, "{" + door.good + `,"ROLE":"admin"}`, 400, badJSON},
			{"bytes that are no UTF-8", asJSON, "{" + strings.Replace(door.good, "Joan", "Jo\xffan", 1) + "}", 400, badJSON},
			{"half a surrogate", asJSON, "{" + strings.Replace(door.good, "Joan", `Jo\ud800an`, 1) + "}", 400, badJSON},
			{"a number for text", asJSON, "{" + strings.Replace(door.good, `"Joan"`, "1", 1) + "}", 400, badJSON},
			{"an object for text", asJSON, "{" + strings.Replace(door.good, `"Joan"`, "{}", 1) + "}", 400, badJSON},
			{"single quotes", asJSON, "{" + strings.ReplaceAll(door.good, `"`, "'") + "}", 400, badJSON},
			{"a comma too many", asJSON, "{" + door.good + ",}", 400, badJSON},
			{"a comment", asJSON, "{" + door.good + "/* x */}", 400, badJSON},
			{"a byte order mark", asJSON, "\ufeff{" + door.good + "}", 400, badJSON},
			{"ten thousand brackets", asJSON, "{" + strings.Replace(door.good, `"Joan"`, strings.Repeat("[", 10000), 1) + "}", 400, badJSON},
			{"65 KiB", asJSON, "{" + strings.Replace(door.good, "Joan", strings.Repeat("x", 65<<10), 1) + "}", 413, object{"error": "request is larger than 64 KiB"}},
			{"65 KiB of space", asJSON, strings.Repeat(" ", 65<<10) + "{" + door.good + "}", 413, object{"error": "request is larger than 64 KiB"}},
			{"no content type", "", "{" + door.good + "}", 415, badType},
			{"text", "text/plain", "{" + door.good + "}", 415, badType},
			{"a form", "application/x-www-form-urlencoded", "email=joan%40example.com&name=Joan", 415, badType},
			{"a content type that begins as JSON's", "application/jsonp", "{" + door.good + "}", 415, badType},
			{"two content types", "application/json, text/plain", "{" + door.good + "}", 415, badType},
		} {
			a := ada.send(door.method, door.path, row.body, "Content-Type", row.contentType)
			if a.status != row.status || !cmp.Equal(a.object(t), row.want) {
				t.Errorf("%s %s with %s: %d %s", door.method, door.path, row.name, a.status, a.body)
			}
		}
		if diff := cmp.Diff(before, f.rows()); diff != "" {
			t.Errorf("%s %s: the database has changed:\n%s", door.method, door.path, diff)
		}
		// The good one is good, with a charset too; else the rows above show nothing.
		if a := ada.send(door.method, door.path, "{"+door.good+"}", "Content-Type", "application/json; charset=UTF-8"); a.status >= 300 {
			t.Errorf("%s %s: %d %s", door.method, door.path, a.status, a.body)
		}
	}
}

func TestAPI_ExplainsInvalidFields(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	before := f.rows()
	refused := func(method, path string, body, fields object) {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		a := ada.json(method, path, string(text))
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s %s %q: %d %s", method, path, text, a.status, a.body)
			return
		}
		if diff := cmp.Diff(object{"error": "invalid input", "fields": fields}, a.object(t)); diff != "" {
			t.Errorf("%s %s %q:\n%s", method, path, text, diff)
		}
	}
	const noAddress, noName, noText, noRole = "Enter one email address, like ada@example.com.", "Use at most 100 characters.",
		"Use letters, digits and punctuation only.", "Choose admin or member."
	for _, path := range []string{"/api/users", "/api/invite_user"} {
		for _, address := range refusedAddresses {
			refused("POST", path, object{"email": address}, object{"email": noAddress})
		}
		refused("POST", path, object{}, object{"email": noAddress})
		refused("POST", path, object{"email": nil}, object{"email": noAddress})
		refused("POST", path, object{"email": "x", "name": strings.Repeat("é", 101), "role": "owner"}, object{"email": noAddress, "name": noName, "role": noRole})
	}
	people := []struct{ method, path string }{{"POST", "/api/users"}, {"POST", "/api/invite_user"}, {"PATCH", "/api/users/" + grace.ID}}
	for _, p := range people {
		with := func(field, value string) object {
			o := object{field: value}
			if p.method == "POST" {
				o["email"] = "joan@example.com"
			}
			return o
		}
		refused(p.method, p.path, with("name", strings.Repeat("x", 101)), object{"name": noName})
		for _, name := range []string{"a\x00b", "a\nb", "a\rb", "a\tb", "a\x1bb", "a\u2028b", "a\u2029b", "a\u0085b", "a\x7fb"} {
			refused(p.method, p.path, with("name", name), object{"name": noText})
		}
		for _, role := range []string{"owner", "Admin", "admin ", "ADMIN", "admin,member"} {
			refused(p.method, p.path, with("role", role), object{"role": noRole})
		}
	}
	refused("PATCH", "/api/users/"+grace.ID, object{"role": ""}, object{"role": noRole})
	for status, want := range map[string]string{
		"active": "A person becomes active by signing in.", "dead": "Choose active or suspended.", "": "Choose active or suspended.", "Suspended": "Choose active or suspended.",
	} {
		refused("PATCH", "/api/users/"+grace.ID, object{"name": "Eve", "status": status}, object{"status": want})
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("the database has changed:\n%s", diff)
	}
}

func TestAPI_KeepsNamesAndAddressesAsTyped(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for email, name := range map[string]string{
		"a!#$%&'*+/=?^_{|}~-.b@Example.COM":      "李小龍",
		"joan@bücher.example":                    strings.Repeat("é", 100),
		"x@xn--bcher-kva.example.org":            "O'Brien & <Söhne>, \"GmbH\"",
		strings.Repeat("a", 64) + "@example.com": "👩‍💻 مرحبا",
	} {
		body, err := json.Marshal(object{"email": email, "name": name})
		if err != nil {
			t.Fatal(err)
		}
		a := ada.json("POST", "/api/users", string(body))
		u := ada.get(a.header.Get("Location")).object(t)
		if a.status != http.StatusCreated || u["email"] != email || u["name"] != name {
			t.Errorf("%s, %s: %d, kept as %v", email, name, a.status, u)
		}
	}
}

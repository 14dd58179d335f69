package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid"
)

func TestAPIClient_IsCreatedReplacedAndRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	path := "/api/apps/" + app.ID + "/openid"
	created := f.clock.now().Format("2006-01-02T15:04:05.999999Z07:00")
	if a := ada.get(path); a.status != http.StatusNotFound || a.body != `{"error":"app has no OpenID Connect client"}`+"\n" {
		t.Errorf("before: %d %s", a.status, a.body)
	}
	if a := ada.get("/api/apps/x/openid"); a.status != http.StatusNotFound || a.body != `{"error":"app not found"}`+"\n" {
		t.Errorf("of no app: %d %s", a.status, a.body)
	}
	a := ada.json("PUT", path, `{"public":true,"id_token_signed_response_alg":"ES256","redirect_uris":["app://callback","https://wiki.example.com/callback"],`+
		`"post_logout_redirect_uris":["https://wiki.example.com/bye"],"backchannel_logout_uri":"https://wiki.example.com/logout"}`)
	want := object{
		"client_id": app.ID, "issuer": "http://localhost:8080", "public": true, "id_token_signed_response_alg": "ES256",
		"redirect_uris": []any{"app://callback", "https://wiki.example.com/callback"}, "post_logout_redirect_uris": []any{"https://wiki.example.com/bye"},
		"backchannel_logout_uri": "https://wiki.example.com/logout", "created_at": created, "updated_at": created,
	}
	if diff := cmp.Diff(want, object(a.object(t))); diff != "" || a.status != http.StatusCreated {
		t.Errorf("created: %d (-want +got):\n%s", a.status, diff)
	}
	if diff := cmp.Diff(want, object(ada.get(path).object(t))); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	f.clock.advance(time.Minute)
	a = ada.json("PUT", path, `{}`)
	want = object{
		"client_id": app.ID, "issuer": "http://localhost:8080", "public": false, "id_token_signed_response_alg": "RS256",
		"redirect_uris": []any{}, "post_logout_redirect_uris": []any{}, "backchannel_logout_uri": "",
		"created_at": created, "updated_at": f.clock.now().Format("2006-01-02T15:04:05.999999Z07:00"),
	}
	if diff := cmp.Diff(want, object(a.object(t))); diff != "" || a.status != http.StatusOK {
		t.Errorf("replaced: %d (-want +got):\n%s", a.status, diff)
	}
	f.clock.advance(time.Minute)
	if diff := cmp.Diff(want, object(ada.json("PUT", path, `{"redirect_uris":[]}`).object(t))); diff != "" {
		t.Errorf("replaced by the same (-want +got):\n%s", diff)
	}
	if a := ada.send("DELETE", path, ""); a.status != http.StatusOK {
		t.Errorf("removed: %d %s", a.status, a.body)
	}
	if a := ada.send("DELETE", path, ""); a.status != http.StatusNotFound {
		t.Errorf("removed twice: %d %s", a.status, a.body)
	}
}

func TestAPIClient_RefusesInvalidInput(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	f.saveClient(app, openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	path := "/api/apps/" + app.ID + "/openid"
	before := f.rows()
	for _, row := range []struct{ method, path, body, field string }{
		{"PUT", path, `{"public":null}`, "public"},
		{"PUT", path, `{"id_token_signed_response_alg":null}`, "id_token_signed_response_alg"},
		{"PUT", path, `{"id_token_signed_response_alg":"none"}`, "id_token_signed_response_alg"},
		{"PUT", path, `{"redirect_uris":null}`, "redirect_uris"},
		{"PUT", path, `{"redirect_uris":["wiki"]}`, "redirect_uris"},
		{"PUT", path, `{"redirect_uris":["https://a.example/\nhttps://evil.example/"]}`, "redirect_uris"},
		{"PUT", path, `{"redirect_uris":["https://a.example/\r"]}`, "redirect_uris"},
		{"PUT", path, `{"redirect_uris":["app://callback"]}`, "redirect_uris"},
		{"PUT", path, `{"public":true,"redirect_uris":["javascript:alert(1)"]}`, "redirect_uris"},
		{"PUT", path, `{"redirect_uris":[` + strings.Repeat(`"https://a.example/`+strings.Repeat("a", 490)+`",`, 20) + `"https://a.example/"]}`, "redirect_uris"},
		{"PUT", path, `{"post_logout_redirect_uris":null}`, "post_logout_redirect_uris"},
		{"PUT", path, `{"post_logout_redirect_uris":["https://a.example/#x"]}`, "post_logout_redirect_uris"},
		{"PUT", path, `{"backchannel_logout_uri":"wiki"}`, "backchannel_logout_uri"},
		{"POST", path + "/secrets", `{}`, "days"},
		{"POST", path + "/secrets", `{"days":0}`, "days"},
		{"POST", path + "/secrets", `{"days":-30}`, "days"},
		{"POST", path + "/secrets", `{"days":31}`, "days"},
	} {
		a := ada.json(row.method, row.path, row.body)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `"fields":{"`+row.field+`":`) {
			t.Errorf("%s: %d %s", row.body, a.status, a.body)
		}
	}
	for _, row := range []struct{ method, path, body string }{
		{"PUT", path, `{"redirect_uris":"https://a.example/"}`}, {"PUT", path, `{"client_id":"x"}`}, {"PUT", path, `{"public":"yes"}`}, {"PUT", path, `[]`},
		{"POST", path + "/secrets", `{"days":"30"}`}, {"POST", path + "/secrets", `{"days":30,"secret":"mine"}`},
	} {
		if a := ada.json(row.method, row.path, row.body); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", row.body, a.status, a.body)
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("the database has changed:\n%s", diff)
	}
}

func TestAPIClientSecrets(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app, other := f.addApp("Wiki", "https://wiki.example.com"), f.addApp("Other", "https://other.example.com")
	f.saveClient(app, openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	path := "/api/apps/" + app.ID + "/openid/secrets"
	if a := ada.get(path); a.status != http.StatusOK || a.body != `{"secrets":[]}`+"\n" {
		t.Errorf("%d %s", a.status, a.body)
	}
	created := f.clock.now().Format("2006-01-02T15:04:05.999999Z07:00")
	var made []object
	for body, until := range map[string]any{`{"days":null}`: nil, `{"days":30}`: "2026-03-31T12:00:00.123456Z"} {
		a := ada.json("POST", path, body)
		got := object(a.object(t))
		text, _ := got["secret"].(string)
		if a.status != http.StatusCreated || secretPattern.FindString(text) != text || a.header.Get("Cache-Control") != "no-store, no-transform" {
			t.Fatalf("%d %v %s", a.status, a.header, a.body)
		}
		delete(got, "secret")
		want := object{"id": got["id"], "hint": text[len(text)-4:], "created_by": ada.user.ID, "created_at": created, "expires_at": until}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
		made = append(made, got)
	}
	slices.Reverse(made)
	list := ada.get(path)
	if diff := cmp.Diff([]any{map[string]any(made[0]), map[string]any(made[1])}, list.object(t)["secrets"]); diff != "" || secretPattern.MatchString(list.body) {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	id := made[0]["id"].(string)
	for _, row := range []struct{ path, want string }{
		{"/api/apps/" + other.ID + "/openid/secrets/" + id, "client secret not found"},
		{"/api/apps/x/openid/secrets/" + id, "app not found"},
		{path + "/x", "client secret not found"},
	} {
		if a := ada.send("DELETE", row.path, ""); a.status != http.StatusNotFound || a.body != `{"error":"`+row.want+`"}`+"\n" {
			t.Errorf("DELETE %s: %d %s", row.path, a.status, a.body)
		}
	}
	if a := ada.send("DELETE", path+"/"+id, ""); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if got := f.listSecrets(app); len(got) != 1 || got[0].ID == id {
		t.Errorf("%+v", got)
	}
	for _, method := range []string{"GET", "POST"} {
		if a := ada.json(method, "/api/apps/"+other.ID+"/openid/secrets", map[string]string{"POST": `{"days":30}`}[method]); a.status != http.StatusNotFound || a.body != `{"error":"app has no OpenID Connect client"}`+"\n" {
			t.Errorf("%s without a client: %d %s", method, a.status, a.body)
		}
	}
	f.saveClient(other, openid.ClientInput{Public: true, RedirectURIs: "app://callback"})
	if a := ada.json("POST", "/api/apps/"+other.ID+"/openid/secrets", `{"days":30}`); a.status != http.StatusConflict || a.body != `{"error":"a public client has no secrets"}`+"\n" {
		t.Errorf("of a public client: %d %s", a.status, a.body)
	}
}

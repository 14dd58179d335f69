package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

type object = map[string]any

// wantJSON checks a response's status and the fields of its body.
func wantJSON(t *testing.T, a answer, status int, want object) {
	t.Helper()
	if a.status != status || a.header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%d %q, want %d: %s", a.status, a.header.Get("Content-Type"), status, a.body)
		return
	}
	if diff := cmp.Diff(want, a.object(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const created = "2026-03-01T12:00:00.123456Z"

func TestAPI_Directory(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	adaJSON := object{
		"id": ada.user.ID, "name": "", "email": "ada@example.com", "role": "admin", "status": "active",
		"created_at": created, "last_seen_at": created,
	}

	made := ada.json("POST", "/api/users", ` {"email":"Grace@Example.com","name":"Grace Hopper","role":"member"} `)
	id, _ := made.object(t)["id"].(string)
	wantJSON(t, made, http.StatusCreated, object{"id": id})
	if made.header.Get("Location") != "/api/users/"+id || id == "" {
		t.Errorf("id is %q, Location %q", id, made.header.Get("Location"))
	}
	grace := object{
		"id": id, "name": "Grace Hopper", "email": "Grace@Example.com", "role": "member", "status": "invited",
		"created_at": created, "last_seen_at": nil,
	}
	wantJSON(t, ada.get("/api/users/"+id), http.StatusOK, grace)
	wantJSON(t, ada.get("/api/users"), http.StatusOK, object{"users": []any{adaJSON, grace}, "next_cursor": nil, "total": 2.0, "total_more": false, "by_word": false})
	wantJSON(t, ada.json("POST", "/api/users", `{"email":"grace@EXAMPLE.com"}`), http.StatusConflict, object{"error": "email already on the list"})

	grace["name"], grace["role"] = "Rear Admiral Hopper", "admin"
	wantJSON(t, ada.json("PATCH", "/api/users/"+id, `{"name":"Rear Admiral Hopper","role":"admin"}`), http.StatusOK, grace)
	grace["status"] = "suspended"
	wantJSON(t, ada.json("PATCH", "/api/users/"+id, `{"status":"suspended"}`), http.StatusOK, grace)
	wantJSON(t, ada.json("PATCH", "/api/users/"+id, `{}`), http.StatusOK, grace)
	grace["name"] = ""
	wantJSON(t, ada.json("PATCH", "/api/users/"+id, `{"name":null}`), http.StatusOK, grace)
	for _, field := range []string{"role", "status"} {
		wantJSON(t, ada.json("PATCH", "/api/users/"+id, `{"name":"Grace","`+field+`":null}`), http.StatusUnprocessableEntity, object{
			"error": "invalid input", "fields": object{field: "This field can't be null. Leave it out instead."},
		})
	}
	grace["status"] = "invited" // she has never signed in
	wantJSON(t, ada.json("PATCH", "/api/users/"+id, `{"status":"active"}`), http.StatusOK, grace)

	wantJSON(t, ada.json("DELETE", "/api/users/"+id, ""), http.StatusOK, object{"message": "success"})
	gone := object{"error": "user not found"}
	wantJSON(t, ada.get("/api/users/"+id), http.StatusNotFound, gone)
	wantJSON(t, ada.json("PATCH", "/api/users/"+id, `{"name":"x"}`), http.StatusNotFound, gone)
	wantJSON(t, ada.json("DELETE", "/api/users/"+id, ""), http.StatusNotFound, gone)
	wantJSON(t, ada.get("/api/users/%00"), http.StatusNotFound, gone)
	wantJSON(t, ada.get("/api/users/"+strings.Repeat("x", 4000)), http.StatusNotFound, gone)

	last := object{"error": directory.ErrLastAdmin.Error()}
	wantJSON(t, ada.json("DELETE", "/api/users/"+ada.user.ID, ""), http.StatusConflict, last)
	wantJSON(t, ada.json("PATCH", "/api/users/"+ada.user.ID, `{"role":"member"}`), http.StatusConflict, last)
	wantJSON(t, ada.json("PATCH", "/api/users/"+ada.user.ID, `{"status":"suspended"}`), http.StatusConflict, last)
	wantJSON(t, ada.get("/api/users"), http.StatusOK, object{"users": []any{adaJSON}, "next_cursor": nil, "total": 1.0, "total_more": false, "by_word": false})
}

func TestAPI_Invite(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	sent := object{"message": "magic link sent"}
	wantJSON(t, ada.json("POST", "/api/invite_user", `{"email":"grace@example.com","name":"Grace","role":"admin"}`), http.StatusOK, sent)
	// A listed user gets another email and is not changed.
	wantJSON(t, ada.json("POST", "/api/invite_user", `{"email":"GRACE@example.com","name":"Eve","role":"member"}`), http.StatusOK, sent)
	list, _ := ada.get("/api/users?q=grace").object(t)["users"].([]any)
	if len(list) != 1 {
		t.Fatalf("on the list are %v", list)
	}
	grace := list[0].(object)
	if grace["name"] != "Grace" || grace["role"] != "admin" || grace["status"] != "invited" {
		t.Errorf("grace is %v", grace)
	}
	ada.json("PATCH", "/api/users/"+grace["id"].(string), `{"status":"suspended"}`)
	wantJSON(t, ada.json("POST", "/api/invite_user", `{"email":"grace@example.com"}`), http.StatusForbidden, object{"error": "suspended"})
}

func TestAPI_Session(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.signedIn(directory.Admin, "ada@example.com")
	grace := f.signedIn(directory.Member, "grace@example.com")
	a := grace.get("/api/session")
	session, _ := a.object(t)["session"].(object)
	wantJSON(t, a, http.StatusOK, object{
		"user": object{
			"id": grace.user.ID, "name": "", "email": "grace@example.com", "role": "member", "status": "active",
			"created_at": created, "last_seen_at": created,
		},
		"session": object{"id": session["id"], "created_at": created, "expires_at": "2026-03-08T12:00:00.123456Z", "factors": []any{object{"kind": "email_link", "at": "2026-03-01T12:00:00Z"}}},
	})
	wantJSON(t, grace.get("/api/users"), http.StatusForbidden, object{"error": "administrators only"})

	wantJSON(t, grace.send("POST", "/api/logout", ""), http.StatusOK, object{"message": "logged out"})
	if _, held := grace.cookies["guestlist"]; held {
		t.Error("the cookie is not cleared")
	}
	unauthenticated := object{"error": "user unauthenticated"}
	wantJSON(t, grace.get("/api/session"), http.StatusUnauthorized, unauthenticated)
	wantJSON(t, f.visitor().get("/api/users"), http.StatusUnauthorized, unauthenticated)
	wantJSON(t, f.visitor().send("POST", "/api/logout", ""), http.StatusOK, object{"message": "logged out"})
}

func TestAPI_Health(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wantJSON(t, f.visitor().get("/healthz"), http.StatusOK, object{"status": "ok"})
	wantJSON(t, f.visitor().get("/readyz"), http.StatusOK, object{"status": "ready", "database": "ok", "stytch": "ok"})
}

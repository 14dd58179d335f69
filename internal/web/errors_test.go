package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

func TestProblems_HavePageAndJSON(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, p := range append(problems, internalProblem) {
		t.Run(p.err.Error(), func(t *testing.T) {
			cause := fmt.Errorf("store: get user 42 at db.internal: %w", p.err)
			for _, path := range []string{"/users", "/api/users"} {
				w := httptest.NewRecorder()
				f.server.writeError(w, httptest.NewRequest("GET", path, nil), cause)
				if w.Code != p.status {
					t.Errorf("%s: %d, want %d", path, w.Code, p.status)
				}
				if strings.Contains(w.Body.String(), "db.internal") {
					t.Errorf("%s tells what went wrong inside: %s", path, w.Body)
				}
				if wait := p.status == 429 || p.status == 503; wait != (w.Header().Get("Retry-After") != "") {
					t.Errorf("%s: Retry-After is %q", path, w.Header().Get("Retry-After"))
				}
				isJSON := strings.HasPrefix(w.Header().Get("Content-Type"), "application/json")
				if isJSON != (strings.HasPrefix(path, "/api") || p.title == "") {
					t.Errorf("%s: answered as %s", path, w.Header().Get("Content-Type"))
				}
				if !isJSON && (!strings.Contains(w.Body.String(), `class="button primary" href="/`) || p.text == "") {
					t.Errorf("the page has no next step: %s", w.Body)
				}
			}
		})
	}
}

func TestErrors_UnknownOnesRevealNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := problemOf(errors.New("dial tcp 10.0.0.1: password is hunter2"))
	if p.status != http.StatusInternalServerError || strings.Contains(p.text+p.json, "hunter2") {
		t.Errorf("got %+v", p)
	}
	if problemOf(fmt.Errorf("%w: %w", session.ErrUnavailable, context.DeadlineExceeded)).status != http.StatusServiceUnavailable {
		t.Error("a call that took too long is no 503")
	}
	// Where even the page of the problem can't be made, there is still an answer.
	delete(f.server.templates, "problem")
	f.server.templates["problem"] = f.server.templates["signin"]
	w := httptest.NewRecorder()
	f.server.writeError(w, httptest.NewRequest("GET", "/users", nil), errPageNotFound)
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "Page not found") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestErrors_PageOrJSONByPathBelowTheBaseURL(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.BaseURL.Path = "/api" })
	for path, want := range map[string]struct {
		status int
		kind   string
	}{
		"/api/users":       {303, "text/html; charset=utf-8"},
		"/api/nothing":     {404, "text/html; charset=utf-8"},
		"/api/api/users":   {401, "application/json; charset=utf-8"},
		"/api/api/nothing": {404, "application/json; charset=utf-8"},
		"/users":           {404, "text/html; charset=utf-8"}, // outside the base path
		"/healthz":         {404, "application/json; charset=utf-8"},
	} {
		if a := f.visitor().get(path); a.status != want.status || a.header.Get("Content-Type") != want.kind {
			t.Errorf("%s: %d %s, want %v", path, a.status, a.header.Get("Content-Type"), want)
		}
	}
}

func TestPanic_IsA500WithARequestID(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/users", "/api/users"} {
		f := newFixture(t)
		f.server.routes = []route{{"GET " + path, public, func(http.ResponseWriter, *http.Request) error { panic("the secret cause") }}}
		f.Handler = f.server.handler()
		a := f.visitor().get(path)
		id := a.header.Get("X-Request-Id")
		if a.status != http.StatusInternalServerError || strings.Contains(a.body, "the secret cause") || strings.Contains(a.body, "goroutine") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		if path == "/users" && (a.Heading() != "Something went wrong" || !strings.Contains(a.Text(), "Reference: "+id)) {
			t.Errorf("the page does not name %s: %s", id, a.Text())
		}
		if path == "/api/users" && a.body != `{"error":"internal error"}`+"\n" {
			t.Errorf("%s", a.body)
		}
		log := f.log.String()
		if !strings.Contains(log, "the secret cause") || !strings.Contains(log, id) {
			t.Errorf("the log has no word of it: %s", log)
		}
		for name, value := range commonHeaders {
			if a.header.Get(name) != value {
				t.Errorf("%s is %q", name, a.header.Get(name))
			}
		}
	}
}

func TestPanic_AbortsAStartedResponse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.server.routes = []route{{"GET /half", public, func(w http.ResponseWriter, r *http.Request) error {
		w.Write([]byte("half of"))
		panic("too late")
	}}}
	f.Handler = f.server.handler()
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("ended with %v", cause)
		}
	}()
	f.visitor().get("/half")
	t.Error("the answer looks whole")
}

func TestDatabaseOutage_KeepsTheCookie(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	f.store.Close()
	for _, path := range []string{"/users", "/profile", "/api/users", "/api/session", "/readyz"} {
		a := ada.get(path)
		if a.status != http.StatusServiceUnavailable || a.header.Get("Set-Cookie") != "" || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", path, a.status, a.header, a.body)
		}
	}
	wantJSON(t, ada.get("/readyz"), http.StatusServiceUnavailable, object{"status": "not ready", "database": "out of reach", "stytch": "ok"})
	if a := ada.get("/healthz"); a.status != http.StatusOK {
		t.Errorf("/healthz: %d", a.status)
	}
	for _, path := range []string{"/signout", "/api/logout"} {
		if a := ada.send("POST", path, ""); a.status != http.StatusServiceUnavailable || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	if a := f.visitor().form("/signin", "email", "ada@example.com"); a.status != http.StatusServiceUnavailable {
		t.Errorf("/signin: %d %s", a.status, a.Text())
	}
}

func TestErrors_ShowTheNavigationWhenSignedIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com")
	for name, a := range map[string]answer{"an administrator": ada.get("/users/nobody"), "a member": grace.get("/users")} {
		if text := a.Text(); a.status < 400 || !strings.Contains(text, "Profile") || !strings.Contains(text, "Sign out") {
			t.Errorf("%s: %d %s", name, a.status, text)
		}
	}
	if text := f.visitor().get("/nowhere").Text(); strings.Contains(text, "Sign out") {
		t.Errorf("a stranger: %s", text)
	}
}

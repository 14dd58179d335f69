package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testpage"
	"github.com/guestlist/guestlist/internal/web/loadshed"
)

func TestBusy_IsAPageOrJSON(t *testing.T) {
	t.Parallel()
	busy := newFixture(t).server.busyHandler()
	for _, r := range []struct{ path, kind, says string }{
		{"/", "text/html; charset=utf-8", "We’re too busy right now"},
		{"/users", "text/html; charset=utf-8", "Nothing was changed. Try again in a moment."},
		{"/api/session", "application/json; charset=utf-8", `{"error":"too busy"}`},
		{"/static/css/app.css", "application/json; charset=utf-8", `{"error":"too busy"}`},
	} {
		w := httptest.NewRecorder()
		busy.ServeHTTP(w, httptest.NewRequest("GET", r.path, nil))
		page, err := testpage.Parse(strings.NewReader(w.Body.String()))
		if w.Code != http.StatusServiceUnavailable || err != nil || w.Header().Get("Content-Type") != r.kind || !strings.Contains(page.Text(), r.says) {
			t.Errorf("%s: %d %s %s", r.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: no X-Request-Id", r.path)
		}
	}
}

func TestLoadShedding_KnowsHealthChecksUploadsAndSmallForms(t *testing.T) {
	t.Parallel()
	s := newFixture(t, func(o *Options) { o.BaseURL.Path = "/people" }).server
	for _, r := range []struct {
		method, path       string
		isHealth, isUpload bool
		most               int64
	}{
		{"GET", "/people/healthz", true, false, maxBody},
		{"GET", "/people/readyz", true, false, maxBody},
		{"GET", "/people/users", false, false, maxBody},
		{"POST", "/people/users/import", false, true, maxUpload},
		{"GET", "/people/users/import", false, false, maxBody},
		{"POST", "/people/signin", false, false, maxForm},
		{"POST", "/people/api/authenticate_magic_link", false, false, maxForm},
		{"POST", "/people/signout", false, false, maxForm},
		{"POST", "/people/api/logout", false, false, maxForm},
	} {
		request := httptest.NewRequest(r.method, r.path, nil)
		if s.isHealthCheck(request) != r.isHealth || s.isUpload(request) != r.isUpload || s.maxBody(request) != r.most {
			t.Errorf("%s %s: health check %t, upload %t, at most %d bytes", r.method, r.path, s.isHealthCheck(request), s.isUpload(request), s.maxBody(request))
		}
	}
}

// hangingEvents is an audit trail whose database doesn't answer until it is released.
type hangingEvents struct{ came, let chan bool }

func (h hangingEvents) ListEvents(context.Context, event.Query) ([]event.Event, string, error) {
	h.came <- true
	<-h.let
	return nil, "", nil
}

func TestLoadShedding_BoundsRequestsThatHang(t *testing.T) {
	t.Parallel()
	const most, more = loadshed.MaxConcurrent + loadshed.MaxBlocked, 50
	hanging := hangingEvents{came: make(chan bool, most+more), let: make(chan bool)}
	f := newFixture(t, func(o *Options) { o.Events = hanging })
	ada := f.signedIn(directory.Admin, "ada@example.com")
	answers := make(chan int, most+more)
	ask := func(path string) {
		r := httptest.NewRequest("GET", "http://localhost:8080"+path, nil)
		for _, c := range ada.cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		answers <- w.Code
	}
	for range most {
		go ask("/api/events") // retried if refused before others count as blocked
	}
	for hung := 0; hung < most; {
		select {
		case <-hanging.came:
			hung++
		case <-answers:
			go ask("/api/events")
		}
	}
	for range more {
		go ask("/")
	}
	for range more {
		if got := <-answers; got != http.StatusServiceUnavailable {
			t.Errorf("one more is answered %d", got)
		}
	}
	close(hanging.let)
	for range most {
		if got := <-answers; got != http.StatusOK {
			t.Errorf("what hung is answered %d", got)
		}
	}
	if got := ada.get("/api/session"); got.status != http.StatusOK {
		t.Errorf("afterwards: %d", got.status)
	}
}

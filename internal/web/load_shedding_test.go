package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testpage"
)

// underLoad is a server with two places, behind which every request to /hang waits
// until it is let go.
type underLoad struct {
	*httptest.Server
	t      *testing.T
	places *limiter
	came   chan string // the path of each request at work
	let    chan bool
}

func newUnderLoad(t *testing.T) *underLoad {
	f := newFixture(t)
	c := &underLoad{t: t, places: newPlaces(func(int) {}), came: make(chan string, 100), let: make(chan bool)}
	c.places.atWork, c.places.lentOut, c.places.patience = 2, 0, time.Minute
	c.Server = httptest.NewServer(f.server.limitConcurrency(c.places, newBodyBudget(), f.server.recoverPanic(http.HandlerFunc(c.work))))
	t.Cleanup(c.Close)
	return c
}

func (c *underLoad) work(w http.ResponseWriter, r *http.Request) {
	c.came <- r.URL.Path
	switch r.URL.Path {
	case "/hang":
		<-c.let
	case "/panic":
		panic("on purpose")
	case "/gone":
		<-r.Context().Done()
	case "/slow-reader":
		w.Write(make([]byte, 64<<20))
	}
}

// get returns the answer, read, or nil if there was none.
func (c *underLoad) get(path string) (*http.Response, string) {
	res, err := c.Client().Get(c.URL + path)
	if err != nil {
		c.t.Error(err)
		return nil, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Error(err)
	}
	return res, string(body)
}

// hang takes both places; the answers come when they are let go.
func (c *underLoad) hang() chan int {
	answers := make(chan int, 2)
	for range 2 {
		go func() {
			res, _ := c.get("/hang")
			answers <- res.StatusCode
		}()
		<-c.came
	}
	return answers
}

// wantEmpty checks that all places are free in the end.
func (c *underLoad) wantEmpty() {
	c.t.Helper()
	for range 2 {
		answers := c.hang()
		c.let <- true
		c.let <- true
		for range 2 {
			if got := <-answers; got != http.StatusOK {
				c.t.Errorf("a place that must be free: %d", got)
			}
		}
	}
}

func TestUnderPressureTheExcessIsRefusedAndTheRestServed(t *testing.T) {
	t.Parallel()
	c := newUnderLoad(t)
	hanging := c.hang()
	c.places.mu.Lock()
	c.places.patience = 50 * time.Millisecond
	c.places.mu.Unlock()
	for _, r := range []struct{ path, kind, says string }{
		{"/", "text/html; charset=utf-8", "Too many people at once"},
		{"/users", "text/html; charset=utf-8", "Nothing was changed: try again in a moment."},
		{"/api/session", "application/json; charset=utf-8", `{"error":"too busy"}`},
		{"/static/css/app.css", "application/json; charset=utf-8", `{"error":"too busy"}`},
	} {
		res, body := c.get(r.path)
		after, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if res.StatusCode != http.StatusServiceUnavailable || err != nil || after < 1 || after > 3 {
			t.Errorf("%s: %d, Retry-After %q", r.path, res.StatusCode, res.Header.Get("Retry-After"))
		}
		page, err := testpage.Parse(strings.NewReader(body))
		if err != nil || res.Header.Get("Content-Type") != r.kind || !strings.Contains(page.Text(), r.says) {
			t.Errorf("%s: %s %s", r.path, res.Header.Get("Content-Type"), body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if res, _ := c.get(path); res.StatusCode != http.StatusOK || <-c.came != path {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	c.places.mu.Lock()
	c.places.patience = time.Minute
	c.places.mu.Unlock()
	c.let <- true // one place is free again
	if res, _ := c.get("/"); res.StatusCode != http.StatusOK || <-c.came != "/" {
		t.Errorf("with a free place: %d", res.StatusCode)
	}
	c.let <- true
	for range 2 {
		if got := <-hanging; got != http.StatusOK {
			t.Errorf("who had a place got %d", got)
		}
	}
}

func TestAPlaceIsFreeAgainAfterAPanicAndWhenTheClientHasGone(t *testing.T) {
	t.Parallel()
	c := newUnderLoad(t)
	for range 3 {
		if res, _ := c.get("/panic"); res.StatusCode != http.StatusInternalServerError || <-c.came != "/panic" {
			t.Errorf("a panic is answered %d", res.StatusCode)
		}
	}
	for range 3 {
		conn := c.sends("GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n")
		<-c.came
		conn.Close()
	}
	c.wantEmpty()
}

func TestAClientThatIsSlowHoldsNoPlace(t *testing.T) {
	t.Parallel()
	c := newUnderLoad(t)
	for range 5 {
		c.sends("POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nemail=")
	}
	for range 5 {
		c.sends("GET /slow-reader HTTP/1.1\r\nHost: localhost\r\n\r\n")
		<-c.came
	}
	c.wantEmpty()
}

// sends opens a connection, writes to it and reads nothing.
func (c *underLoad) sends(text string) net.Conn {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.Listener.Addr().String())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		c.t.Fatal(err)
	}
	return conn
}

func TestABodyThatWasReadAheadArrivesWholeOrWithItsError(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var got string
	var failed error
	h := f.server.limitConcurrency(newPlaces(func(int) {}), newBodyBudget(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		got, failed = string(b), err
	}))
	for _, n := range []int{0, 1, maxBody, maxBody + 1} {
		sent := strings.Repeat("a", n)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/users", io.NopCloser(strings.NewReader(sent))))
		if tooLarge := bodyError(failed, nil) == errTooLarge; tooLarge != (n > maxBody) || !tooLarge && (got != sent || failed != nil) {
			t.Errorf("of %d bytes came %d, %v", n, len(got), failed)
		}
	}
}

// hangingEvents is an audit trail whose database says nothing until it is let go.
type hangingEvents struct{ came, let chan bool }

func (h hangingEvents) ListEvents(context.Context, event.Query) ([]event.Event, string, error) {
	h.came <- true
	<-h.let
	return nil, "", nil
}

func TestWhateverHangsTheWorkUnderWayIsBounded(t *testing.T) {
	t.Parallel()
	const most, more = maxConcurrent + maxBlocked, 50
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
		go ask("/api/events") // it may be refused while places are not lent yet, and asks again
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

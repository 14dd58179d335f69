package loadshed

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// testServer is a server with two slots. Every request to /hang waits until it is released.
type testServer struct {
	*httptest.Server
	t       *testing.T
	limiter *limiter
	came    chan string // the path of each request that got a slot
	let     chan bool   // releases a request to /hang
}

// testOptions serve /healthz without a slot and allow bodies of 64 KiB, or SmallBody on /small.
func testOptions() Options {
	return Options{
		IsExempt:   func(r *http.Request) bool { return r.URL.Path == "/healthz" },
		IsStreamed: func(r *http.Request) bool { return r.URL.Path == "/upload" },
		MaxBody: func(r *http.Request) int64 {
			if r.URL.Path == "/small" {
				return SmallBody
			}
			return maxBody
		},
		Busy:      http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }),
		OnRefused: func(int) {},
	}
}

const maxBody = 64 << 10

func newTestServer(t *testing.T, queueTimeout time.Duration) *testServer {
	c := &testServer{t: t, limiter: newLimiter(Limits{2, 0, queueTimeout}, func(int) {}), came: make(chan string, 100), let: make(chan bool)}
	c.Server = httptest.NewServer(newShedder(testOptions(), c.limiter).wrap(http.HandlerFunc(c.work)))
	t.Cleanup(c.Close)
	return c
}

func (c *testServer) work(w http.ResponseWriter, r *http.Request) {
	c.came <- r.URL.Path
	switch r.URL.Path {
	case "/hang":
		<-c.let
	case "/panic":
		panic(http.ErrAbortHandler)
	case "/gone":
		<-r.Context().Done()
	case "/slow-reader":
		w.Write(make([]byte, 64<<20))
	}
}

// get returns the response and its body, or nil if there was none.
func (c *testServer) get(path string) (*http.Response, string) {
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

// hang takes both slots. The statuses arrive when the requests are released.
func (c *testServer) hang() chan int {
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

// wantEmpty checks that both slots are free.
func (c *testServer) wantEmpty() {
	c.t.Helper()
	for range 2 {
		answers := c.hang()
		c.let <- true
		c.let <- true
		for range 2 {
			if got := <-answers; got != http.StatusOK {
				c.t.Errorf("with free slots: %d", got)
			}
		}
	}
}

func TestShedder_RefusesTheExcessAndServesTheRest(t *testing.T) {
	t.Parallel()
	c := newTestServer(t, 50*time.Millisecond)
	hanging := c.hang()
	for range 3 {
		res, _ := c.get("/")
		after, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if res.StatusCode != http.StatusServiceUnavailable || err != nil || after < 1 || after > 3 {
			t.Errorf("%d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
		}
	}
	if res, _ := c.get("/healthz"); res.StatusCode != http.StatusOK || <-c.came != "/healthz" {
		t.Errorf("health check: %d", res.StatusCode)
	}
	c.let <- true
	if got := <-hanging; got != http.StatusOK {
		t.Errorf("a request with a slot got %d", got)
	}
	if res, _ := c.get("/"); res.StatusCode != http.StatusOK || <-c.came != "/" {
		t.Errorf("with a free slot: %d", res.StatusCode)
	}
	c.let <- true
	if got := <-hanging; got != http.StatusOK {
		t.Errorf("a request with a slot got %d", got)
	}
}

func TestShedder_ReleasesTheSlotAfterAPanicAndWhenTheClientIsGone(t *testing.T) {
	t.Parallel()
	c := newTestServer(t, time.Minute)
	for range 3 {
		if res, err := c.Client().Get(c.URL + "/panic"); err == nil || <-c.came != "/panic" {
			t.Errorf("a panic is answered %v", res)
		}
	}
	for range 3 {
		conn := c.sends("GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n")
		<-c.came
		conn.Close()
	}
	c.wantEmpty()
}

func TestShedder_GivesNoSlotToSlowClients(t *testing.T) {
	t.Parallel()
	c := newTestServer(t, time.Minute)
	for range 5 {
		c.sends("POST /signin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nemail=")
	}
	for range 5 {
		c.sends("GET /slow-reader HTTP/1.1\r\nHost: localhost\r\n\r\n")
		<-c.came
	}
	c.wantEmpty()
}

// sends opens a connection, writes a request and reads nothing.
func (c *testServer) sends(text string) net.Conn {
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

func TestShedder_PassesBodiesOnWholeOrWithTheirError(t *testing.T) {
	t.Parallel()
	var got string
	var failed error
	h := New(testOptions())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		got, failed = string(b), err
	}))
	for _, n := range []int{0, 1, maxBody, maxBody + 1} {
		sent := strings.Repeat("a", n)
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/users", io.NopCloser(strings.NewReader(sent))))
		if tooLarge := isTooLarge(failed); tooLarge != (n > maxBody) || !tooLarge && (got != sent || failed != nil) {
			t.Errorf("of %d bytes came %d, %v", n, len(got), failed)
		}
	}
}

// isTooLarge reports whether a body was longer than allowed.
func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}

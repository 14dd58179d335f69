package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// longerThanLimits is longer than the limits of the listener in these tests.
const longerThanLimits = 300 * time.Millisecond

func TestServe_EventsArriveOneByOne(t *testing.T) {
	t.Parallel()
	next := make(chan string)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for event := range next {
			fmt.Fprintf(w, "data: %s\n\n", event)
			w.(http.Flusher).Flush()
		}
	})
	r, _ := http.NewRequestWithContext(t.Context(), "GET", s.url, nil)
	res, err := s.client().Do(r) // the header arrives before the first event
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for i := range 3 {
		time.Sleep(longerThanLimits) // the listener's limits would end the response
		next <- fmt.Sprint(i)
		if !lines.Scan() || lines.Text() != fmt.Sprint("data: ", i) || !lines.Scan() {
			t.Fatalf("event %d: %q, %v", i, lines.Text(), lines.Err())
		}
	}
	close(next)
	if lines.Scan() {
		t.Errorf("more came: %q", lines.Text())
	}
}

// pattern is an endless text that shows whether a part is missing.
type pattern struct{ at int }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.at>>12 ^ p.at)
		p.at++
	}
	return len(b), nil
}

const largeBody = 200 << 20

func hashOf(r io.Reader) string {
	h := sha256.New()
	_, _ = io.CopyBuffer(struct{ io.Writer }{h}, r, make([]byte, 64<<10))
	return hex.EncodeToString(h.Sum(nil))
}

// heapWatch records the largest heap while a body passes.
type heapWatch struct {
	io.Reader
	read, most uint64
}

func (w *heapWatch) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	before := w.read >> 24
	w.read += uint64(n)
	if w.read>>24 != before { // every 16 MB
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.most = max(w.most, m.HeapAlloc)
	}
	return n, err
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestServe_LargeBodiesAreStreamed isn't parallel, because it measures the heap.
func TestServe_LargeBodiesAreStreamed(t *testing.T) {
	want := hashOf(io.LimitReader(&pattern{}, largeBody))
	var got string
	watch := &heapWatch{}
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/upload":
			watch.Reader = r.Body
			got = hashOf(watch)
		case "/download":
			w.Header().Set("Content-Length", fmt.Sprint(largeBody))
			_, _ = io.Copy(w, io.LimitReader(&pattern{}, largeBody))
		}
	})
	for _, row := range []struct {
		name   string
		length int64
	}{{"with a length", largeBody}, {"chunked", -1}} {
		before := heap()
		watch.most, watch.read = 0, 0
		r, _ := http.NewRequestWithContext(t.Context(), "POST", s.url+"/upload", io.LimitReader(&pattern{}, largeBody))
		r.ContentLength = row.length
		res, err := s.client().Do(r)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		res.Body.Close()
		if got != want || watch.most > before+16<<20 {
			t.Errorf("upload %s: %d, the same: %t, heap %d -> %d MB", row.name, res.StatusCode, got == want, before>>20, watch.most>>20)
		}
	}
	before := heap()
	r, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+"/download", nil)
	res, err := s.client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	watch = &heapWatch{Reader: res.Body}
	if got := hashOf(watch); got != want || res.ContentLength != largeBody || watch.most > before+16<<20 {
		t.Errorf("download: length %d, the same: %t, heap %d -> %d MB", res.ContentLength, got == want, before>>20, watch.most>>20)
	}
}

// slowReader reads a part after each pause.
type slowReader struct {
	parts []string
	pause time.Duration
}

func (s *slowReader) Read(b []byte) (int, error) {
	if len(s.parts) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.pause)
	n := copy(b, s.parts[0])
	s.parts = s.parts[1:]
	return n, nil
}

func TestServe_SlowBodiesOutliveTheListenersLimits(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		time.Sleep(longerThanLimits) // before the header
		for _, part := range strings.SplitAfter(string(body), " ") {
			_, _ = io.WriteString(w, part)
			w.(http.Flusher).Flush()
			time.Sleep(longerThanLimits)
		}
	})
	if a := s.do("POST", "/", nil, &slowReader{[]string{"one ", "two ", "three"}, longerThanLimits}); a.body != "one two three" {
		t.Errorf("%d %q", a.StatusCode, a.body)
	}
}

func TestServe_PartsOfAKnownLengthDontWait(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	s := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "hello")
		w.(http.Flusher).Flush()
		<-next
		_, _ = io.WriteString(w, "there")
	})
	r, _ := http.NewRequestWithContext(t.Context(), "GET", s.url, nil)
	res, err := s.client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	part := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, part); err != nil || string(part) != "hello" {
		t.Fatalf("%q, %v", part, err)
	}
	close(next)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != "there" {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestServe_SlowAnswersOutliveTheLimits(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(3 * longerThanLimits):
			fmt.Fprint(w, "at last")
		}
	}, func(o *options) { o.Timeouts.Idle = longerThanLimits })
	for method, body := range map[string]io.Reader{"GET": nil, "POST": strings.NewReader("body"), "PUT": &slowReader{[]string{"chunk"}, 0}} {
		if a := s.do(method, "/", nil, body); a.body != "at last" {
			t.Errorf("%s: %d %q", method, a.StatusCode, a.body)
		}
	}
}

func TestServe_StalledUploadEnds(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	}, func(o *options) { o.Timeouts.Idle = 200 * time.Millisecond })
	res, err := s.raw("POST / HTTP/1.1\nHost: wiki.example.com\nContent-Length: 10\nAccept: text/html\n\nfive!")
	if err != nil || res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%v, %v", res, err)
	}
	if err := <-ended; err == nil {
		t.Error("the app thinks it has the whole body")
	}
}

func TestServe_StalledDownloadEnds(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		_, _ = io.Copy(w, io.LimitReader(&pattern{}, 1<<30))
	}, func(o *options) { o.Timeouts.Idle = 200 * time.Millisecond })
	conn, _ := s.dial()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: wiki.example.com\r\n\r\n") // and reads nothing
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the app still sends")
	}
}

func TestServe_TrailersOfResponses(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", "42")
		w.Header().Set(http.TrailerPrefix+"X-Late", "yes")
	})
	a := s.do("GET", "/", nil, nil)
	if a.body != "body" || a.Trailer.Get("X-Sum") != "42" || a.Trailer.Get("X-Late") != "yes" {
		t.Errorf("%q %v", a.body, a.Trailer)
	}
}

func TestServe_TrailersOfRequestsAreDropped(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got http.Header
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = r.Trailer
		_, _ = w.Write(body)
	})
	res, err := s.raw("POST / HTTP/1.1\nHost: wiki.example.com\nTransfer-Encoding: chunked\nTrailer: Remote-User, X-Sum\n\n4\nbody\n0\nRemote-User: root\nX-Sum: 1\n\n")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	mu.Lock()
	defer mu.Unlock()
	if string(body) != "body" || len(got) > 0 {
		t.Errorf("%q, trailers %v", body, got)
	}
}

func TestServe_HeadAndStatusesWithoutBody(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/304":
			w.Header().Set("Etag", `"a"`)
			w.WriteHeader(http.StatusNotModified)
		case "/302":
			http.Redirect(w, r, "https://elsewhere.example/?a=b", http.StatusFound)
		case "/teapot":
			w.WriteHeader(http.StatusTeapot)
		default:
			w.Header().Set("Content-Length", "1234")
		}
	})
	for _, row := range []struct {
		method, path string
		status       int
		header       string
		value        string
	}{
		{"HEAD", "/", 200, "Content-Length", "1234"},
		{"GET", "/204", 204, "Content-Length", ""},
		{"GET", "/304", 304, "Etag", `"a"`},
		{"GET", "/302", 302, "Location", "https://elsewhere.example/?a=b"},
		{"DELETE", "/teapot", 418, "Content-Length", "0"},
		{"OPTIONS", "/204", 204, "", ""},
		{"PROPFIND", "/teapot", 418, "", ""},
	} {
		a := s.do(row.method, row.path, nil, nil)
		if a.StatusCode != row.status || a.Header.Get(row.header) != row.value {
			t.Errorf("%s %s: %d %v", row.method, row.path, a.StatusCode, a.Header)
		}
	}
}

func TestServe_InformationalResponsesArePassedOn(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</app.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, _ = io.WriteString(w, "body")
	})
	var hints []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(code, " ", header.Get("Link")))
		return nil
	}}
	r, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", s.url, nil)
	res, err := s.client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if diff := cmp.Diff([]string{"103 </app.css>; rel=preload"}, hints); diff != "" || res.Header.Get("Link") != "" {
		t.Errorf("%v %s", res.Header, diff)
	}
}

func TestServe_ExpectContinue(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	const head = " HTTP/1.1\r\nHost: wiki.example.com\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
	conn, reader := s.dial()
	fmt.Fprint(conn, "POST /"+head)
	if line, err := reader.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = reader.ReadString('\n')
	fmt.Fprint(conn, "body")
	res, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(res.Body); string(body) != "body" {
		t.Errorf("%d %q", res.StatusCode, body)
	}

	conn, reader = s.dial()
	fmt.Fprint(conn, "POST /refuse"+head) // and the body is never sent
	if res, err := http.ReadResponse(reader, nil); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%v, %v", res, err)
	}
}

func TestServe_ConnectionsAreKept(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.RemoteAddr, " ", len(body))
	})
	conn, reader := s.dial()
	var first string
	for i := range 4 {
		if i > 0 {
			time.Sleep(longerThanLimits)
		}
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: wiki.example.com\r\nContent-Length: %d\r\n\r\n%s", i, strings.Repeat("x", i))
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		body, _ := io.ReadAll(res.Body)
		from, length, _ := strings.Cut(string(body), " ")
		if i == 0 {
			first = from
		}
		if from != first || length != fmt.Sprint(i) {
			t.Errorf("request %d: %s, the first came from %s", i, body, first)
		}
	}
}

func TestServe_AppThatStopsInTheMiddle(t *testing.T) {
	t.Parallel()
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<16))
		panic(http.ErrAbortHandler)
	})
	r, _ := http.NewRequestWithContext(t.Context(), "GET", s.url, nil)
	res, err := s.client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("the visitor thinks %d bytes are all", n)
	}
}

func TestServe_VisitorWhoLeavesEndsTheRequestWithoutNoise(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
	s := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begun" {
			_, _ = io.WriteString(w, "begun")
			w.(http.Flusher).Flush()
		}
		began <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	})
	for _, path := range []string{"/waiting", "/begun"} {
		ctx, leave := context.WithCancel(t.Context())
		r, _ := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
		go func() {
			if res, err := s.client().Do(r); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		}()
		<-began
		leave()
		<-ended
	}
	s.proxy.Close()
	if text := s.log.String(); text != "" {
		t.Errorf("the log says: %s", text)
	}
}

package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// How large bodies are, in bytes. A body is read before its request asks for a
// place, so that a slow client holds none; what is read is held until the request
// is answered.
const (
	maxBody  = 64 << 10 // the most that a request may send
	maxForm  = 4 << 10  // the most that a form which needs no session may send
	smallest = 512      // what a body's buffer begins with

	maxSmallHeld = 24 << 20 // of all bodies read ahead together, their first maxForm bytes
	maxLargeHeld = 8 << 20  // and what is beyond these
)

// errNoBudget is the end of a body that there is no memory for.
var errNoBudget = errors.New("too many bodies are held")

// budget bounds how many bytes are held together.
type budget struct {
	mu         sync.Mutex
	max        int
	held, peak int
}

// take adds n bytes to what is held and reports whether there was room for them.
func (b *budget) take(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held+n > b.max {
		return false
	}
	b.held += n
	b.peak = max(b.peak, b.held)
	return true
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
}

// bodyBudget bounds all bodies that are read ahead. Their beginnings have a budget
// of their own, so that large bodies, of which few are enough to use theirs up,
// keep no small form out.
type bodyBudget struct{ small, large budget }

func newBodyBudget() *bodyBudget {
	return &bodyBudget{small: budget{max: maxSmallHeld}, large: budget{max: maxLargeHeld}}
}

// heldBody is a body that was read ahead. Its buffer grows with what has arrived,
// whatever the client has announced.
type heldBody struct {
	of           *bodyBudget
	small, large int // bytes held of each budget
	content      []byte
}

// grow makes room for more bytes and reports whether the budget has them.
func (h *heldBody) grow() bool {
	size := max(smallest, 2*cap(h.content))
	small := min(size, maxForm) - h.small
	large := max(size-maxForm, 0) - h.large
	if !h.of.small.take(small) {
		return false
	}
	if !h.of.large.take(large) {
		h.of.small.give(small)
		return false
	}
	h.small += small
	h.large += large
	content := make([]byte, len(h.content), size)
	copy(content, h.content)
	h.content = content
	return true
}

// release gives the memory back. The content must not be used afterwards.
func (h *heldBody) release() {
	h.of.small.give(h.small)
	h.of.large.give(h.large)
	*h = heldBody{of: h.of}
}

// readAhead replaces a request's body by what can be read of it, up to limit
// bytes, with the error that reading it ended with. It returns errNoBudget where
// there is no memory for it. The result must be released, whatever the error.
func (b *bodyBudget) readAhead(w http.ResponseWriter, r *http.Request, limit int64) (*heldBody, error) {
	h := &heldBody{of: b}
	body := http.MaxBytesReader(w, r.Body, limit)
	var err error
	for err == nil {
		var one [1]byte // a full buffer grows only if there is more to come
		into := h.content[len(h.content):cap(h.content)]
		if len(into) == 0 {
			into = one[:]
		}
		var n int
		n, err = body.Read(into)
		if n > 0 && len(h.content) == cap(h.content) && !h.grow() {
			return h, errNoBudget
		}
		h.content = append(h.content, into[:n]...) // within the capacity
	}
	r.Body = readBody{io.MultiReader(bytes.NewReader(h.content), errReader{err}), body}
	return h, nil
}

type readBody struct {
	io.Reader
	io.Closer
}

type errReader struct{ err error }

func (f errReader) Read([]byte) (int, error) { return 0, f.err }

// bodyLimit returns the most bytes that a request may send.
func (s *server) bodyLimit(r *http.Request) int64 {
	switch s.trimBasePath(r.URL.Path) {
	case "/signin", "/api/authenticate_magic_link", "/signout", "/api/logout":
		return maxForm
	}
	return maxBody
}

package loadshed

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"golang.org/x/sync/semaphore"
)

// Sizes of request bodies, in bytes. A body is read before its request asks for a slot, so that a
// slow client holds none. It stays in memory until the request is answered.
const (
	SmallBody     = 4 << 10 // what counts as small, and the first part of a larger one
	minBuffer     = 512     // the first buffer of a body
	maxSmallBytes = 24 << 20
	maxLargeBytes = 8 << 20
)

// errNoMemory means that too many bodies are held to read another.
var errNoMemory = errors.New("too many request bodies in memory")

// bodyBudget bounds the memory of all bodies together. The first SmallBody bytes of each count
// against a budget of their own, so that a few large bodies can't keep out small forms.
type bodyBudget struct{ small, large *semaphore.Weighted }

func newBodyBudget() *bodyBudget {
	return &bodyBudget{small: semaphore.NewWeighted(maxSmallBytes), large: semaphore.NewWeighted(maxLargeBytes)}
}

// heldBody is a body in memory. Its buffer grows with what has arrived, whatever the client has
// announced.
type heldBody struct {
	budget       *bodyBudget
	small, large int64 // bytes counted against each budget
	content      []byte
}

// grow makes room for more bytes. It reports false if the budget has no room.
func (h *heldBody) grow() bool {
	size := max(minBuffer, 2*int64(cap(h.content)))
	small := min(size, SmallBody) - h.small
	large := max(size-SmallBody, 0) - h.large
	if !h.budget.small.TryAcquire(small) {
		return false
	}
	if !h.budget.large.TryAcquire(large) {
		h.budget.small.Release(small)
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
	h.budget.small.Release(h.small)
	h.budget.large.Release(h.large)
	*h = heldBody{budget: h.budget}
}

// read replaces a request's body by what can be read of it, up to limit bytes, followed by the
// error that ended the reading. The result must be released, also after errNoMemory.
func (b *bodyBudget) read(w http.ResponseWriter, r *http.Request, limit int64) (*heldBody, error) {
	h := &heldBody{budget: b}
	body := http.MaxBytesReader(w, r.Body, limit)
	var err error
	for err == nil {
		var next [1]byte // a full buffer grows only if there is more to come
		into := h.content[len(h.content):cap(h.content)]
		if len(into) == 0 {
			into = next[:]
		}
		var n int
		n, err = body.Read(into)
		if n > 0 && len(h.content) == cap(h.content) && !h.grow() {
			return h, errNoMemory
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

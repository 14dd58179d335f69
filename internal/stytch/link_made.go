package stytch

import (
	"net/http"
	"time"
)

// linkMadeHeader is what the local Stytch says of a good link beside its answer:
// when it was made, as RFC 3339 has it. The real one sends no such header.
const linkMadeHeader = "Guestlist-Link-Made-At"

// linkMade receives what an answer's header says; the time is zero without one.
type linkMade struct{ at time.Time }

type linkMadeKey struct{}

// readLinkMade notes the header of an answer where the call asked for it.
func readLinkMade(r *http.Request, res *http.Response) {
	made, asked := r.Context().Value(linkMadeKey{}).(*linkMade)
	if !asked {
		return
	}
	if at, err := time.Parse(time.RFC3339Nano, res.Header.Get(linkMadeHeader)); err == nil {
		made.at = at.UTC()
	}
}

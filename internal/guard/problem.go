package guard

import (
	"net/http"

	"github.com/guestlist/guestlist/internal/session"
)

// Problem is why a request to an app wasn't answered by it, apart from access.
type Problem struct {
	Status      int
	Title, Text string // for people
	Message     string // for programs
	Label, Href string // of a button; an empty Label is none
}

// WriteProblem answers a visitor with a page, or with JSON if the visitor isn't a browser that
// shows one.
func (g *Guard) WriteProblem(w http.ResponseWriter, r *http.Request, p Problem) {
	a := refuse(p.Status, p.Message)
	described := FromRequest(r, "", session.Browser{})
	described.Method = http.MethodGet // the answer to a form is a page, too
	if described.isPage() {
		a.page = &page{Title: p.Title, Text: p.Text, home: g.base}
		if p.Label != "" {
			a.page.Actions = []action{{p.Label, p.Href}}
		}
	}
	a.Write(w)
}

package web

import (
	"bytes"
	"net/http"
	"sync"

	"github.com/guestlist/guestlist/internal/userio"
	"github.com/guestlist/guestlist/internal/web/loadshed"
)

// The largest request bodies, in bytes.
const (
	maxForm   = loadshed.SmallBody // forms that need no session
	maxBody   = 64 << 10
	maxUpload = userio.MaxFile + maxBody // a file in a form
)

// shedLoad limits how many requests are served at once.
func (s *server) shedLoad() func(http.Handler) http.Handler {
	return loadshed.New(loadshed.Options{
		IsExempt: s.isHealthCheck, IsStreamed: s.isUpload, MaxBody: s.maxBody, Busy: s.busyHandler(),
		OnRefused: func(count int) {
			s.opts.Log.Warn("more requests than can be served: some were answered 503", "refused", count)
		},
	})
}

func (s *server) isHealthCheck(r *http.Request) bool {
	path := s.trimBasePath(r.URL.Path)
	return path == "/healthz" || path == "/readyz"
}

// isUpload reports whether the handler reads the request's body as it arrives, once it knows the sender.
func (s *server) isUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && s.trimBasePath(r.URL.Path) == "/users/import"
}

// maxBody returns the most bytes that a request may send.
func (s *server) maxBody(r *http.Request) int64 {
	switch s.trimBasePath(r.URL.Path) {
	case "/signin", "/api/authenticate_magic_link", "/signout", "/api/logout":
		return maxForm
	case "/users/import":
		if s.isUpload(r) {
			return maxUpload
		}
	}
	return maxBody
}

// busyHandler answers requests that there is no room for. The page is rendered once.
func (s *server) busyHandler() http.Handler {
	page := sync.OnceValue(s.busyPage)
	_, message := jsonErrorOf(errBusy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		newRequestID(w)
		if s.wantsJSON(r) {
			writeJSON(w, http.StatusServiceUnavailable, message)
			return
		}
		writeResponse(w, http.StatusServiceUnavailable, htmlType, page())
	})
}

// busyPage is the page of errBusy, as a visitor without a session sees it.
func (s *server) busyPage() []byte {
	p := problemOf(errBusy)
	var b bytes.Buffer
	view := errorPage{layoutData: layoutData{Title: p.title}, Text: p.text, Action: p.action, ActionPath: p.path}
	if err := s.templates["problem"]().ExecuteTemplate(&b, "layout.html", view); err != nil {
		s.opts.Log.Error("page not rendered", "page", "problem", "error", err)
		return []byte(p.title)
	}
	return b.Bytes()
}

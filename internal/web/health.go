package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/fault"
)

// healthz says that the process lives.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) error {
	writeJSON(w, r, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// readyTimeout bounds the look at the database.
const readyTimeout = 3 * time.Second

// readyz says whether it can do its work, and which part is in the way. It can if
// the database answers, with the tables this release needs, and can be written. Without Stytch who is
// in stays in, so an instance is not taken out of service for that; it says so.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	var database, stytch error
	var both sync.WaitGroup
	both.Go(func() { database = s.Ready(ctx) })
	both.Go(func() { stytch = s.Sessions.Ready(r.Context()) }) // with a bound of its own, for a look cut short says nothing of Stytch
	both.Wait()

	answer := struct {
		Status   string `json:"status"`
		Database string `json:"database"`
		Stytch   string `json:"stytch"`
	}{"ready", reach(database), reach(stytch)}
	status := http.StatusOK
	if database != nil {
		s.Log.Error("not ready", "error", database, "request_id", requestID(r))
		comeAgain(w, retryAfter)
		status, answer.Status = http.StatusServiceUnavailable, "not ready"
	}
	writeJSON(w, r, status, answer)
	return nil
}

// reach says "ok", or in a word or two what is wrong with a part.
func reach(err error) string {
	if err != nil {
		return string(fault.ClassOf(err))
	}
	return "ok"
}

func (s *server) serveAsset(w http.ResponseWriter, r *http.Request) error {
	http.StripPrefix("/static", s.assets).ServeHTTP(w, r)
	return nil
}

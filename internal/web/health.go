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
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// readyTimeout bounds the look at the database.
const readyTimeout = 3 * time.Second

// readyLife is how long the result of a look is answered before the next look. The
// route is public and waits for nobody, so a flood of requests must not become a
// flood of queries.
const readyLife = time.Second

// readiness is the outcome of one look at what the program depends on.
type readiness struct {
	at               time.Time     // when it was begun
	done             chan struct{} // closed at the end of the look
	database, stytch error         // to be read once done is closed
}

// currentReadiness returns the last look if it is under way or fresh, else it
// begins one. There is one at a time.
func (s *server) currentReadiness() *readiness {
	s.readyMu.Lock()
	defer s.readyMu.Unlock()
	if last := s.lastReady; last != nil {
		select {
		case <-last.done:
			if age := s.opts.Now().Sub(last.at); age >= 0 && age < readyLife {
				return last
			}
		default:
			return last
		}
	}
	look := &readiness{at: s.opts.Now(), done: make(chan struct{})}
	s.lastReady = look
	go func() {
		defer close(look.done)
		s.look(look)
	}()
	return look
}

// look asks the database and the login service. It belongs to no request: the
// client that it was begun for may leave before the others.
func (s *server) look(into *readiness) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { into.database = s.opts.Ping(ctx) })
	both.Go(func() { into.stytch = s.opts.Sessions.Ready(context.Background()) }) // with a bound of its own: a look cut short says nothing of Stytch
	both.Wait()
	if into.database != nil {
		s.opts.Log.Error("not ready", "error", into.database)
	}
}

// readyz says whether it can do its work, and which part is in the way. It can if
// the database answers, with the tables this release needs, and can be written. Without Stytch who is
// in stays in, so an instance is not taken out of service for that; it says so.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	look := s.currentReadiness()
	select {
	case <-look.done:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	answer := struct {
		Status   string `json:"status"`
		Database string `json:"database"`
		Stytch   string `json:"stytch"`
	}{"ready", status(look.database), status(look.stytch)}
	status := http.StatusOK
	if look.database != nil {
		setRetryAfter(w, retryAfter)
		status, answer.Status = http.StatusServiceUnavailable, "not ready"
	}
	writeJSON(w, status, answer)
	return nil
}

// status says "ok", or in a word or two what is wrong with a part.
func status(err error) string {
	if err != nil {
		return string(fault.ClassOf(err))
	}
	return "ok"
}

func (s *server) serveAsset(w http.ResponseWriter, r *http.Request) error {
	http.StripPrefix("/static", s.assets).ServeHTTP(w, r)
	return nil
}

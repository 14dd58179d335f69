package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/fault"
)

// healthz reports that the process runs.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) error {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// readyTimeout limits the check of the database.
const readyTimeout = 3 * time.Second

// readyLife is how long the result of a check is served. The route is public and never refused, so
// a flood of requests must not become a flood of queries.
const readyLife = time.Second

// readiness is one check of the database and the login service.
type readiness struct {
	at               time.Time     // when it began
	done             chan struct{} // closed when the check is done
	database, stytch error         // valid once done is closed
}

// currentReadiness returns the last check if it is in progress or fresh, or else starts one.
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
	current := &readiness{at: s.opts.Now(), done: make(chan struct{})}
	s.lastReady = current
	go func() {
		defer close(current.done)
		s.check(current)
	}()
	return current
}

// check runs a check. It has its own context: the request that started it may end before others
// that wait for it.
func (s *server) check(into *readiness) {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { into.database = s.opts.Ping(ctx) })
	both.Go(func() { into.stytch = s.opts.Sessions.Ready(context.Background()) }) // it has its own timeout: a check cut short says nothing about the service
	both.Wait()
	if into.database != nil {
		s.opts.Log.Error("not ready", "error", into.database)
	}
}

// readyz reports whether the instance can serve, and what is wrong. It can if the database is
// reachable, migrated and writable. Without the login service existing sessions go on, so that
// alone doesn't take an instance out of service.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	current := s.currentReadiness()
	select {
	case <-current.done:
	case <-r.Context().Done():
		return r.Context().Err()
	}
	answer := struct {
		Status   string `json:"status"`
		Database string `json:"database"`
		Stytch   string `json:"stytch"`
	}{"ready", status(current.database), status(current.stytch)}
	status := http.StatusOK
	if current.database != nil {
		setRetryAfter(w, retryAfter)
		status, answer.Status = http.StatusServiceUnavailable, "not ready"
	}
	writeJSON(w, status, answer)
	return nil
}

// status returns "ok", or the class of an error.
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

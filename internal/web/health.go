package web

import "net/http"

// healthz says that the process lives.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) error {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// readyz says that it can do its work: the database answers, and with the tables
// this release needs. Stytch is not asked: who is in stays in without it.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	if err := s.Ready(r.Context()); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	return nil
}

func (s *server) serveAsset(w http.ResponseWriter, r *http.Request) error {
	http.StripPrefix("/static", s.assets).ServeHTTP(w, r)
	return nil
}

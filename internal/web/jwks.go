package web

import "net/http"

// showJWKS serves the public keys that verify the JWTs apps receive. Libraries ask again when they
// meet an unknown key, and a new key is published before it signs.
func (s *server) showJWKS(w http.ResponseWriter, r *http.Request) error {
	keys, err := s.opts.JWKS(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", discoveryAge)
	writeResponse(w, http.StatusOK, "application/jwk-set+json; charset=utf-8", keys)
	return nil
}

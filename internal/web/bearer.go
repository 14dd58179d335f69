package web

import (
	"net/http"
	"strings"

	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
)

// bearerChallenge is the WWW-Authenticate header of a refused API token
// (https://www.rfc-editor.org/rfc/rfc6750#section-3).
const bearerChallenge = `Bearer realm="Guestlist"`

// bearerToken returns the API token in the Authorization header and whether there is one. Other
// schemes are ignored, and so are other bearer tokens on pages, because some proxies pass theirs
// on.
func (s *server) bearerToken(r *http.Request) (secret string, found bool) {
	secret, found = token.ParseBearer(r.Header.Get("Authorization"))
	return secret, found && (s.wantsJSON(r) || strings.HasPrefix(secret, token.Prefix))
}

// authenticateToken returns a session with the user of an API token. A session cookie never makes
// up for a bad token. Errors: errTokenNotAllowed and those of token.Service.Check.
func (s *server) authenticateToken(secret string, r *http.Request, route route) (session.Session, *token.Token, error) {
	if route.access&tokenAllowed == 0 {
		return session.Session{}, nil, errTokenNotAllowed
	}
	t, err := s.opts.Tokens.Check(r.Context(), secret)
	return session.Session{UserID: t.UserID, User: t.User}, &t, err
}

// isReadOnly reports whether a request's method changes nothing.
func isReadOnly(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

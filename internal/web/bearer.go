package web

import (
	"net/http"
	"strings"

	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
)

// bearerChallenge is how an answer says what was wrong with an API token
// (https://www.rfc-editor.org/rfc/rfc6750#section-3).
const bearerChallenge = `Bearer realm="Guestlist"`

// bearerToken returns the API token that a request shows, and whether it shows one. A
// header of another kind, such as a proxy's for itself, is none; nor is, on a page,
// a token of another kind, which some proxies hand on to everybody behind them.
func (s *server) bearerToken(r *http.Request) (secret string, shown bool) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	secret = strings.TrimSpace(secret)
	return secret, strings.EqualFold(scheme, "Bearer") && (s.wantsJSON(r) || strings.HasPrefix(secret, token.Prefix))
}

// authenticateToken finds as whom a request with an API token acts. The token alone counts: no
// cookie makes a bad one good. Errors: errNotByToken, and those of token.Manager.
func (s *server) authenticateToken(secret string, r *http.Request, route route) (session.Session, *token.Token, error) {
	if route.access&tokenAllowed == 0 {
		return session.Session{}, nil, errTokenNotAllowed
	}
	t, err := s.opts.Tokens.Check(r.Context(), secret)
	return session.Session{UserID: t.UserID, User: t.User}, &t, err
}

// isReadOnly reports whether a request only looks.
func isReadOnly(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

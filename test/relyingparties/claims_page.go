package relyingparties

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// headerNames are the names of the headers in which a tool passes an account to the application behind it.
type headerNames struct {
	subject, email, name, username, groups, session string
	accessToken, refreshToken, idToken              string
}

// startClaimsPage starts an application that stands behind a tool and answers every path with the account
// in its request's headers, as readPage reads it. It returns its address, as host:port.
func startClaimsPage(t *testing.T, names headerNames) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(names.account(r.Header))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// account returns the account in a request's headers.
func (names headerNames) account(h http.Header) account {
	a := account{
		Claims: claims{
			Subject: h.Get(names.subject), Email: h.Get(names.email), Name: h.Get(names.name),
			Username: h.Get(names.username), Session: h.Get(names.session),
		},
		AccessToken: h.Get(names.accessToken), RefreshToken: h.Get(names.refreshToken),
		IDToken: strings.TrimPrefix(h.Get(names.idToken), "Bearer "),
	}
	if groups := h.Get(names.groups); groups != "" {
		a.Claims.Groups = strings.Split(groups, ",")
	}
	return a
}

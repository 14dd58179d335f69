package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/session"
)

// documentPaths are the paths of documents that describe the provider.
var documentPaths = []string{openid.DiscoveryPath, "/.well-known/oauth-authorization-server", openid.JWKSPath}

// clientPaths are the paths that clients of OpenID Connect ask, rather than browsers with a user: they
// read no cookies, so any site's script may ask them.
var clientPaths = append([]string{
	openid.TokenPath, openid.UserInfoPath, openid.RevokePath, openid.IntrospectPath, openid.DevicePath,
	"/.well-known/webfinger",
}, documentPaths...)

// replacedPaths are the paths to which pages of clients may post forms, which a GET replaces.
var replacedPaths = []string{openid.AuthorizePath, openid.EndSessionPath}

// acceptsOtherOrigins reports whether a request may come from a page of another site: it goes to one of
// clientPaths or replacedPaths.
func (s *server) acceptsOtherOrigins(r *http.Request) bool {
	path := s.relativePath(r)
	return slices.Contains(replacedPaths, path) || slices.Contains(clientPaths, path)
}

// forClients lets scripts of other sites read the answers of a route, and answers errors as clients
// expect them (https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
func (s *server) forClients(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		err := next(w, r)
		if err == nil {
			return nil
		}
		var e *openid.Error
		if !errors.As(err, &e) {
			e = s.clientFailure(r, err)
		}
		if challenge := challengeOf(r, e); challenge != "" {
			w.Header().Set("WWW-Authenticate", challenge)
			w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate")
		}
		if e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests {
			setRetryAfter(w, waitOf(err))
		}
		writeJSON(w, e.Status, clientError{Error: e.Code, Description: e.Description})
		return nil
	}
}

// clientError is the body of an error answer to a client.
type clientError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// clientFailure returns the answer for an error of another kind, after logging one that isn't the client's.
func (s *server) clientFailure(r *http.Request, err error) *openid.Error {
	if errors.Is(err, errBadForm) || errors.Is(err, errTooLarge) {
		return &openid.Error{Code: "invalid_request", Description: "The body can not be read.", Status: http.StatusBadRequest}
	}
	if errors.Is(err, session.ErrTooMany) {
		return &openid.Error{Code: "temporarily_unavailable", Description: "Too many requests. Try again later.", Status: http.StatusTooManyRequests}
	}
	s.opts.Log.Error("client not answered", "request_id", requestID(r), "error", err)
	if errors.Is(err, directory.ErrUnavailable) || errors.Is(err, session.ErrUnavailable) {
		return &openid.Error{Code: "temporarily_unavailable", Description: "Try again in a minute.", Status: http.StatusServiceUnavailable}
	}
	return &openid.Error{Code: "server_error", Description: "The log says more, under the X-Request-Id of this answer.", Status: http.StatusInternalServerError}
}

// challengeOf returns the WWW-Authenticate header of an error, or "".
func challengeOf(r *http.Request, e *openid.Error) string {
	switch {
	case e.Code == "invalid_client":
		return `Basic realm="Guestlist"`
	case e.Status != http.StatusUnauthorized:
		return ""
	case e.Description == "":
		return bearerChallenge // no token was sent (https://www.rfc-editor.org/rfc/rfc6750#section-3.1)
	}
	return bearerChallenge + `, error="` + e.Code + `", error_description="` + e.Description + `"`
}

// allowClients answers the question of a browser whether a script of another site may ask a route
// (https://fetch.spec.whatwg.org/#cors-preflight-fetch).
func (s *server) allowClients(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", "3600")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// withClientForm passes the form of a client's request, and how the client authenticates itself, to a
// handler; see forClients.
func (s *server) withClientForm(
	next func(w http.ResponseWriter, r *http.Request, form url.Values, credentials openid.ClientCredentials) error,
) handler {
	return s.forClients(func(w http.ResponseWriter, r *http.Request) error {
		form, credentials, err := readClientForm(r)
		if err != nil {
			return err
		}
		return next(w, r, form, credentials)
	})
}

// issueTokens answers a token request.
func (s *server) issueTokens(w http.ResponseWriter, r *http.Request, form url.Values, credentials openid.ClientCredentials) error {
	answer, err := s.opts.OpenID.Exchange(r.Context(), form, credentials, s.browser(r))
	if err != nil {
		return err
	}
	w.Header().Set("Pragma", "no-cache") // https://www.rfc-editor.org/rfc/rfc6749#section-5.1
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// introspectToken describes a token to its client.
func (s *server) introspectToken(w http.ResponseWriter, r *http.Request, form url.Values, credentials openid.ClientCredentials) error {
	answer, err := s.opts.OpenID.Introspect(r.Context(), form, credentials, s.browser(r))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// revokeGrantToken ends a token of a client.
func (s *server) revokeGrantToken(w http.ResponseWriter, r *http.Request, form url.Values, credentials openid.ClientCredentials) error {
	if err := s.opts.OpenID.Revoke(r.Context(), form, credentials, s.browser(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// showUserInfo returns the claims about the user of an access token.
func (s *server) showUserInfo(w http.ResponseWriter, r *http.Request) error {
	accessToken, err := readAccessToken(r)
	if err != nil {
		return err
	}
	claims, err := s.opts.OpenID.UserInfo(r.Context(), accessToken, s.browser(r))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, claims)
	return nil
}

func invalidClientRequest(description string) error {
	return &openid.Error{Code: "invalid_request", Description: description, Status: http.StatusBadRequest}
}

// invalidClientHeader refuses a client that can't be recognized by its Authorization header
// (https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
func invalidClientHeader(description string) error {
	return &openid.Error{Code: "invalid_client", Description: description, Status: http.StatusUnauthorized}
}

// readClientForm returns the form of a client's request, and how it authenticates itself. It ignores
// the query, which proxies log.
func readClientForm(r *http.Request) (url.Values, openid.ClientCredentials, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, openid.ClientCredentials{}, invalidClientRequest("The content type must be application/x-www-form-urlencoded.")
	}
	form, err := readForm(r)
	if err != nil {
		return nil, openid.ClientCredentials{}, err
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, openid.ClientCredentials{}, invalidClientRequest("A parameter occurs more than once: " + asciiName(name))
		}
	}
	c := openid.ClientCredentials{ID: form.Get("client_id"), Secret: form.Get("client_secret")}
	id, secret, found := r.BasicAuth()
	if !found {
		if r.Header.Get("Authorization") != "" {
			return nil, c, invalidClientHeader("The Authorization header must be of the scheme Basic.")
		}
		return form, c, nil
	}
	// Both are encoded like forms (https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1).
	id, errID := url.QueryUnescape(id)
	secret, errSecret := url.QueryUnescape(secret)
	switch {
	case errID != nil, errSecret != nil:
		return nil, c, invalidClientHeader("The Authorization header is not encoded like a form.")
	case c.Secret != "":
		return nil, c, invalidClientRequest("The client authenticates itself in two ways.")
	case c.ID != "" && c.ID != id:
		return nil, c, invalidClientRequest("The client_id is not that of the Authorization header.")
	}
	return form, openid.ClientCredentials{ID: id, Secret: secret}, nil
}

// asciiName returns a parameter's name without what a description must not contain.
func asciiName(name string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, name)
}

// readAccessToken returns the access token of a request: in its header or in its form
// (https://www.rfc-editor.org/rfc/rfc6750#section-2).
func readAccessToken(r *http.Request) (string, error) {
	scheme, header, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		header = ""
	}
	body := ""
	if r.Method == http.MethodPost {
		form, err := readForm(r)
		if err != nil {
			return "", err
		}
		if len(form["access_token"]) > 1 {
			return "", invalidClientRequest("A parameter occurs more than once: access_token")
		}
		body = form.Get("access_token")
	}
	switch {
	case header != "" && body != "":
		return "", invalidClientRequest("The access token is sent in two ways.")
	case header == "" && body == "":
		return "", &openid.Error{Code: "invalid_token", Status: http.StatusUnauthorized}
	}
	return header + body, nil
}

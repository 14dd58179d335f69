package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/web/middleware"
)

// discoveryAge is how long clients may keep what describes the provider.
const discoveryAge = "public, max-age=300"

// showDiscovery returns a handler that describes the provider. The body is made once.
func (s *server) showDiscovery() handler {
	body := encodeJSON(s.opts.OpenID.Metadata())
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", discoveryAge)
		writeResponse(w, http.StatusOK, jsonType, body)
		return nil
	}
}

// serveDocuments answers requests for the documents that describe the provider, before the middleware that
// other requests need: they take no input, no session and no time, and clients read them again and again.
// All but a plain GET is left to next.
func (s *server) serveDocuments(next http.Handler) http.Handler {
	documents := map[string]handler{}
	for _, r := range s.routes {
		if path, found := strings.CutPrefix(r.pattern, "GET "); found && slices.Contains(documentPaths, path) {
			documents[s.url(path)] = r.handle
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		write, found := documents[r.URL.Path]
		if !found || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		begin, id := time.Now(), newRequestID(w)
		answer := &middleware.StatusWriter{ResponseWriter: w}
		_ = write(answer, r) // it answers errors, too; see forClients
		middleware.SetRoute(r.Context(), "GET "+s.trimBasePath(r.URL.Path))
		s.logRequest(r, r.URL.Path, id, answer.Status, begin)
	})
}

// issuerRelation is the link relation of a resource's OpenID provider
// (https://openid.net/specs/openid-connect-discovery-1_0.html#IssuerDiscovery).
const issuerRelation = "http://openid.net/specs/connect/1.0/issuer"

// showWebFinger says that this is the provider of a resource such as acct:ada@example.com
// (https://www.rfc-editor.org/rfc/rfc7033). The answer is the same for every address.
func (s *server) showWebFinger(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	resource := q.Get("resource")
	if !strings.Contains(resource, ":") {
		return invalidClientRequest("The parameter resource must be an URI, such as acct:ada@example.com.")
	}
	answer := webFinger{Subject: resource, Links: []webFingerLink{}}
	if rels := q["rel"]; len(rels) == 0 || slices.Contains(rels, issuerRelation) {
		answer.Links = append(answer.Links, webFingerLink{Relation: issuerRelation, Target: s.opts.OpenID.Issuer()})
	}
	writeResponse(w, http.StatusOK, "application/jrd+json; charset=utf-8", encodeJSON(answer))
	return nil
}

type webFinger struct {
	Subject string          `json:"subject"`
	Links   []webFingerLink `json:"links"`
}

type webFingerLink struct {
	Relation string `json:"rel"`
	Target   string `json:"href"`
}

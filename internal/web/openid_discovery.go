package web

import (
	"net/http"
	"slices"
	"strings"
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

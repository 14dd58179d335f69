package openid

import (
	"net/url"
	"slices"
	"strings"
)

// startQuery prepares a module with the client that has a redirect URI with a query.
func (r *run) startQuery() (*Browser, *request) {
	if r.p.Query.ID == "" {
		r.skip("the test has no client with a query in a redirect URI")
	}
	r.configure(r.p.Query, "client_secret_basic")
	return r.newBrowser(), r.newRequestOf(r.p.Query, "client_secret_basic", "openid")
}

// omitRedirectURI is oidcc-ensure-redirect-uri-in-authorization-request. The client has two redirect URIs.
func omitRedirectURI(r *run) {
	b, q := r.startQuery()
	q.params.Del("redirect_uri")
	r.wantErrorPage(r.open(b, q))
}

// keepQuery is oidcc-redirect-uri-query-OK.
func keepQuery(r *run) {
	b, q := r.startQuery()
	r.signIn(b, q, mayShowPage)
}

// changeQuery is oidcc-redirect-uri-query-mismatch.
func changeQuery(r *run) {
	b, q := r.startQuery()
	path, _, _ := strings.Cut(q.client.RedirectURI, "?")
	q.params.Set("redirect_uri", path+"?dummy3=dolor")
	r.wantErrorPage(r.open(b, q))
}

// addQuery is oidcc-redirect-uri-query-added.
func addQuery(r *run) {
	b := r.start()
	q := r.newRequest("openid")
	q.params.Set("redirect_uri", q.client.RedirectURI+"?dummy1=lorem&dummy2=ipsum")
	r.wantErrorPage(r.open(b, q))
}

// rotateKeys is oidcc-server-rotate-keys.
func rotateKeys(r *run) {
	if r.p.RotateKeys == nil {
		r.skip("the test can't rotate the provider's keys")
	}
	r.fetchMetadata()
	r.fetchKeys()
	r.checkKeyIDs()
	before := r.keyIDs()
	r.must(r.p.RotateKeys())
	r.keys = nil
	r.fetchKeys()
	r.checkKeyIDs()
	after := r.keyIDs()
	if !slices.ContainsFunc(after, func(id string) bool { return !slices.Contains(before, id) }) {
		r.fail("there is no new key")
	}
	for _, id := range before {
		if !slices.Contains(after, id) {
			r.warn("the old key %q is missing", id)
		}
	}
}

// keyIDs returns the IDs of the provider's keys for signatures.
func (r *run) keyIDs() []string {
	var ids []string
	for _, k := range r.keys {
		if use := k.members.text("use"); use == "" || use == "sig" {
			ids = append(ids, k.members.text("kid"))
		}
	}
	return ids
}

// checkReturnedQuery checks that an authorization response has kept the query of the redirect URI.
func (r *run) checkReturnedQuery(redirectURI string, response url.Values) {
	_, query, _ := strings.Cut(redirectURI, "?")
	registered, err := url.ParseQuery(query)
	r.must(err)
	for name, values := range registered {
		if !slices.Equal(response[name], values) {
			r.fail("the browser has come back with the %s %q of the redirect URI, want %q", name, response[name], values)
		}
	}
}

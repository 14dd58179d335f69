package openid

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// discoveryPath is the path of the metadata below the issuer.
const discoveryPath = "/.well-known/openid-configuration"

// fetchMetadata fetches the provider's metadata.
func (r *run) fetchMetadata() answer {
	a := r.get(strings.TrimSuffix(r.p.Issuer, "/") + discoveryPath)
	metadata, err := parseObject(a.body)
	if err != nil {
		r.stop("the metadata: %v; %s", err, a)
	}
	r.metadata = metadata
	return a
}

// configure fetches the provider's metadata and keys, as every module does that signs in.
func (r *run) configure(c Client, authMethod string) {
	if c.ID == "" {
		r.stop("the test has no client that uses %s", authMethod)
	}
	r.fetchMetadata()
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "issuer", "userinfo_endpoint"} {
		if r.metadata.text(name) == "" {
			r.stop("the metadata has no %s", name)
		}
	}
	r.fetchKeys()
	r.checkKeyIDs()
	if methods, ok := r.metadata.list("token_endpoint_auth_methods_supported"); r.metadata.has("token_endpoint_auth_methods_supported") && (!ok || !slices.Contains(methods, authMethod)) {
		r.fail("token_endpoint_auth_methods_supported: %v, without %s", r.metadata["token_endpoint_auth_methods_supported"], authMethod)
	}
}

// endpoint returns an address of the metadata.
func (r *run) endpoint(name string) string {
	address := r.metadata.text(name)
	if address == "" {
		r.stop("the metadata has no %s", name)
	}
	return address
}

// key is a public key of the provider. It is unusable if go-jose can't read it.
type key struct {
	members object
	jwk     jose.JSONWebKey
	usable  bool
}

// privateMembers are the members of private and symmetric keys.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// keyMembers are the members that a public key needs, by its type.
var keyMembers = map[string][]string{"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}

// fetchKeys fetches the provider's keys and checks their form.
func (r *run) fetchKeys() {
	a := r.get(r.endpoint("jwks_uri"))
	if a.status != http.StatusOK {
		r.stop("the keys: %s", a)
	}
	set, err := parseObject(a.body)
	if err != nil {
		r.stop("the keys: %v; %s", err, a)
	}
	members, ok := set["keys"].([]any)
	if !ok {
		r.stop("the keys: no array: %s", a)
	}
	for i, member := range members {
		read, ok := member.(map[string]any)
		if !ok {
			r.fail("key %d is no object", i)
			continue
		}
		k := key{members: read}
		r.checkKey(i, &k)
		r.keys = append(r.keys, k)
	}
}

// checkKey checks the members of a key, and reads it.
func (r *run) checkKey(i int, k *key) {
	for _, name := range privateMembers {
		if k.members.has(name) {
			r.fail("key %d has the private member %s", i, name)
		}
	}
	kty := k.members.text("kty")
	if kty == "" {
		r.fail("key %d has no kty", i)
	}
	for _, name := range keyMembers[kty] {
		value := k.members.text(name)
		if value == "" {
			r.fail("key %d, of type %s, has no %s", i, kty, name)
			continue
		}
		if _, err := base64.RawURLEncoding.DecodeString(value); name != "crv" && err != nil {
			r.fail("key %d: %s is not unpadded base64url: %v", i, name, err)
		}
	}
	text, _ := json.Marshal(k.members) // it was read from JSON
	k.usable = k.jwk.UnmarshalJSON(text) == nil && k.jwk.Valid()
	if !k.usable {
		r.warn("key %d can't be used, as its type, curve or algorithm is unknown", i)
	}
}

// checkKeyIDs checks that every key has an ID of its own.
func (r *run) checkKeyIDs() {
	seen := map[string]bool{}
	for i, k := range r.keys {
		id := k.members.text("kid")
		if strings.TrimSpace(id) == "" {
			r.fail("key %d has no kid", i)
		}
		if seen[id] {
			r.fail("two keys have the kid %q", id)
		}
		seen[id] = true
	}
}

// checkHTTPS fails the module unless a member of the metadata is a URL with https.
func (r *run) checkHTTPS(name string) {
	value, ok := r.metadata[name].(string)
	if !ok {
		r.fail("%s: %v is no URL", name, r.metadata[name])
		return
	}
	if err := r.checkURL(value); err != nil {
		r.fail("%s: %v", name, err)
	}
}

// checkURL returns an error unless a URL has a host and the scheme https.
func (r *run) checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if u.Host == "" {
		return fmt.Errorf("%s has no host", address)
	}
	if u.Scheme != "https" && !(r.p.PlainHTTP && u.Scheme == "http") {
		return fmt.Errorf("%s must use https", address)
	}
	return nil
}

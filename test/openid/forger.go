package openid

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// reply is an answer of the provider that a forger may change.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// forger stands between the suite and a provider, and changes what they say to each other, to show that
// the modules notice.
type forger struct {
	provider *Provider // as the module sees it
	next     http.RoundTripper
	paths    map[string]string // the names of endpoints by path

	// before may change a request to an endpoint, or answer it. It may be nil.
	before func(endpoint string, r *http.Request, form url.Values) *reply
	// after may change the answer. It may be nil.
	after func(endpoint string, form url.Values, a *reply)
}

// RoundTrip sends a request to the provider, with the changes.
func (f *forger) RoundTrip(r *http.Request) (*http.Response, error) {
	form := r.URL.Query()
	inBody := r.Body != nil
	if inBody {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		form, err = url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
	}
	endpoint := f.paths[r.URL.Path]
	r = r.Clone(r.Context())
	var a *reply
	if f.before != nil {
		a = f.before(endpoint, r, form)
	}
	if a == nil {
		var err error
		a, err = f.forward(r, form, inBody)
		if err != nil {
			return nil, err
		}
	}
	if f.after != nil {
		f.after(endpoint, form, a)
	}
	a.header.Del("Content-Length")
	return &http.Response{
		StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}, nil
}

// forward sends a request on.
func (f *forger) forward(r *http.Request, form url.Values, inBody bool) (*reply, error) {
	if inBody {
		body := form.Encode()
		r.Body = io.NopCloser(bytes.NewReader([]byte(body)))
		r.ContentLength = int64(len(body))
	} else if f.paths[r.URL.Path] != "" {
		r.URL.RawQuery = form.Encode()
	}
	answer, err := f.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return &reply{answer.StatusCode, answer.Header, body}, err
}

// object returns the JSON object of a reply; ok is false if it has none.
func (a *reply) object() (o object, ok bool) {
	o, err := parseObject(a.body)
	return o, err == nil
}

// setObject replaces the JSON object of a reply.
func (a *reply) setObject(o object) { a.body, _ = json.Marshal(o) } // o was read from JSON

// forgedKeyID is the ID of the keys of forgers.
const forgedKeyID = "forged"

// forgedKeys returns keys of forgers by algorithm.
var forgedKeys = sync.OnceValue(func() map[jose.SignatureAlgorithm]crypto.Signer {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[jose.SignatureAlgorithm]crypto.Signer{jose.RS256: rsaKey, jose.ES256: ecKey}
})

// sign signs claims with a forged key.
func sign(claims object, algorithm jose.SignatureAlgorithm) string {
	key := jose.JSONWebKey{Key: forgedKeys()[algorithm], KeyID: forgedKeyID, Algorithm: string(algorithm)}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		panic(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		panic(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

// publishForgedKey adds a forged key to the provider's keys.
func publishForgedKey(a *reply, algorithm jose.SignatureAlgorithm) {
	set, ok := a.object()
	if !ok {
		return
	}
	text, _ := json.Marshal(jose.JSONWebKey{Key: forgedKeys()[algorithm].Public(), KeyID: forgedKeyID, Algorithm: string(algorithm), Use: "sig"})
	forged, _ := parseObject(text)
	keys, _ := set["keys"].([]any)
	set["keys"] = append(keys, forged)
	a.setObject(set)
}

package web

import (
	"errors"
	"net/http"
	"testing"
)

func TestJWKS_ServedToAnyone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.BaseURL.Path = "/people" })
	a := f.visitor().get("/people/.well-known/jwks.json")
	if a.status != http.StatusOK || a.body != `{"keys":[]}` || a.header.Get("Content-Type") != "application/jwk-set+json; charset=utf-8" {
		t.Errorf("%d %s %q", a.status, a.header.Get("Content-Type"), a.body)
	}
	if a := f.visitor().get("/.well-known/jwks.json"); a.status != http.StatusNotFound {
		t.Errorf("outside of the base path: %d", a.status)
	}
}

func TestJWKS_FaultIsNotCached(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.JWKS = func() ([]byte, error) { return nil, errors.New("no keys") } })
	if a := f.visitor().get("/.well-known/jwks.json"); a.status != http.StatusInternalServerError || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", a.status, a.header.Get("Cache-Control"))
	}
}

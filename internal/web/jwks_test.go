package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
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
	for name, row := range map[string]struct {
		err    error
		status int
	}{
		"no keys":                     {errors.New("no keys"), http.StatusInternalServerError},
		"the database is unreachable": {fmt.Errorf("store: list signing keys: %w", directory.ErrUnavailable), http.StatusServiceUnavailable},
	} {
		f := newFixture(t, func(o *Options) { o.JWKS = func(context.Context) ([]byte, error) { return nil, row.err } })
		a := f.visitor().get("/.well-known/jwks.json")
		if a.status != row.status || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", name, a.status, a.header.Get("Cache-Control"))
		}
	}
}

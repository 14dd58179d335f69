package web

import (
	_ "embed"
	"net/http"
	"strings"
)

// openAPI describes the routes below /api. It is kept beside routes.go, because both change together.
//
//go:embed openapi.yaml
var openAPI string

// apiSpec serves openAPI with the address and cookie name of this deployment.
func (s *server) apiSpec(w http.ResponseWriter, _ *http.Request) error {
	here := strings.NewReplacer("url: http://localhost:8080\n", "url: "+s.opts.BaseURL.String()+"\n", "name: guestlist\n", "name: "+s.opts.Cookies.Name()+"\n")
	writeResponse(w, http.StatusOK, "application/yaml; charset=utf-8", []byte(here.Replace(openAPI)))
	return nil
}

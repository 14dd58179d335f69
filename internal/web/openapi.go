package web

import (
	_ "embed"
	"net/http"
	"strings"
)

// openAPI describes the routes below /api. It lies beside routes.go and not in
// static, because whoever changes a route changes it, too.
//
//go:embed openapi.yaml
var openAPI string

// apiSpec is openAPI with our own address, and the name that the cookie has here.
func (s *server) apiSpec(w http.ResponseWriter, r *http.Request) error {
	b := newBuffer()
	defer buffers.Put(b)
	here := strings.NewReplacer("url: http://localhost:8080\n", "url: "+s.BaseURL.String()+"\n", "name: guestlist\n", "name: "+s.Cookies.Name()+"\n")
	_, _ = here.WriteString(b, openAPI) // into a buffer
	writeResponse(w, r, http.StatusOK, "application/yaml; charset=utf-8", b)
	return nil
}

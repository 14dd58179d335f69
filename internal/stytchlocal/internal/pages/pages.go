// Package pages writes the HTML pages of the local Stytch, and the JSON of its developer
// pages.
package pages

import (
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
)

// SetHeaders sets the headers of every page: it may load only the program's own style
// sheet, and its address stays out of caches, referrers and search engines.
func SetHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex")
}

// AllowForm lets a page with these headers submit a form to the program, which may redirect
// to these origins. Browsers leave out the Origin of a form if there is no referrer, and
// older ones send nothing else that proves where a form comes from.
func AllowForm(w http.ResponseWriter, redirects ...string) {
	h := w.Header()
	allowed := strings.Join(append([]string{"form-action 'self'"}, redirects...), " ")
	h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "form-action 'none'", allowed, 1))
	h.Set("Referrer-Policy", "same-origin")
}

// Render writes a page, or an error page if its template fails. The caller sets the
// headers.
func Render(w http.ResponseWriter, r *http.Request, log *slog.Logger, status int, t *template.Template, data any) {
	var body strings.Builder
	if err := t.Execute(&body, data); err != nil {
		log.Error("cannot render page", "page", t.Name(), "error", err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(body.String()))
	}
}

// WriteJSON writes a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	SetHeaders(w)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

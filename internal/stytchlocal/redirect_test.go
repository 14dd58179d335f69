package stytchlocal_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// open requests the page that an emailed link opens.
func (f *fixture) open(method, token string) (int, http.Header, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+"/v1/magic_links/redirect?"+url.Values{"token": {token}}.Encode(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.raw(r)
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	token, _ := f.link("ada@example.com", nil)
	link, err := url.Parse(f.mails()[0].Links[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := link.Scheme + "://" + link.Host + link.Path; got != "https://guestlist.example/people/v1/magic_links/redirect" {
		t.Errorf("the mail leads to %s", got)
	}
	if q := link.Query(); q.Get("public_token") != f.server.Credentials().PublicToken || q.Get("stytch_token_type") != "magic_links" {
		t.Errorf("the mail's address has %v", q)
	}

	for range 3 {
		if status, _, body := f.open(http.MethodHead, token); status != 200 || body != "" {
			t.Errorf("HEAD answers %d %q", status, body)
		}
		status, header, page := f.open(http.MethodGet, token)
		target := html.EscapeString(callback + "&stytch_token_type=magic_links&token=" + url.QueryEscape(token))
		for _, want := range []string{`<meta http-equiv="refresh" content="0;url=` + target + `">`, `href="` + target + `"`, ">Continue</a>"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %s:\n%s", want, page)
			}
		}
		if status != 200 || header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET answers %d with %v", status, header)
		}
	}
	for _, with := range []string{token + ".", token + ">", "<" + token + ">", token + ").", "“" + token + "”", " " + token + "\n"} { // by a mail program
		if status, _, page := f.open(http.MethodGet, with); status != 200 || !strings.Contains(page, url.QueryEscape(token)+`">`) {
			t.Errorf("%q: %d", with, status)
		}
	}
	f.ok("POST", "/v1/magic_links/authenticate", object{"token": token}) // all that opening spent nothing

	if status, _, page := f.open(http.MethodGet, token); status != 200 || !strings.Contains(page, "guestlist.example") {
		t.Errorf("a used link is not sent on: %d", status)
	}
	f.clock.advance(8 * 24 * time.Hour)
	if status, _, page := f.open(http.MethodGet, token); status != 200 || !strings.Contains(page, "guestlist.example") {
		t.Errorf("an expired link is not sent on: %d", status)
	}
}

func TestRedirect_OtherRequests(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.ok("POST", "/v1/users", object{"email": "ada@example.com", "external_id": "ada"})
	embedded := f.ok("POST", "/v1/magic_links", object{"user_id": "ada"})["token"].(string)
	for name, token := range map[string]string{"an unknown token": strings.Repeat("a", 44), "no token": "", "an embedded link": embedded} {
		status, header, page := f.open(http.MethodGet, token)
		if status != 404 || !strings.Contains(page, "We don’t recognize this link") || strings.Contains(page, "refresh") ||
			!strings.Contains(page, `href="https://guestlist.example/people/">Go to Guestlist</a>`) {
			t.Errorf("%s: %d\n%s", name, status, page)
		}
		if header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %v", name, header)
		}
	}
	if status, header, _ := f.open(http.MethodPost, embedded); status != 405 || header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST answers %d, Allow %q", status, header.Get("Allow"))
	}
}

func TestRedirect_ServesNothingElse(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	token, _ := f.link("ada@example.com", nil)
	paths := map[string]int{
		"/v1/magic_links/redirect?token=" + token:               200,
		"/v1/magic_links/redirect/":                             404,
		"//v1/magic_links/redirect":                             404,
		"/v1/users/search":                                      404,
		"/v1/sessions/jwks/" + f.server.Credentials().ProjectID: 404,
		"/dev/inbox": 404,
	}
	for path, want := range paths {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "http://guestlist.example/", nil)
		r.URL, _ = url.ParseRequestURI(path)
		f.server.Redirect().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("GET %s answers %d, want %d", path, w.Code, want)
		}
	}
}

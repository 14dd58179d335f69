package stytchlocal_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// devRoutes are the developer pages, each with a valid body.
var devRoutes = []struct{ method, path, body string }{
	{"GET", "/dev/inbox", ""}, {"GET", "/dev/inbox.json", ""}, {"GET", "/dev/faults", ""}, {"GET", "/dev/faults.json", ""},
	{"POST", "/dev/faults", "clock=5"}, {"PUT", "/dev/faults.json", `{"clock_ms":1000}`},
}

// ask sends a request to the developer pages after change has modified it.
func (f *fixture) ask(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:8080"+path, strings.NewReader(body))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	change(r)
	w := httptest.NewRecorder()
	f.server.DevPages().ServeHTTP(w, r)
	return w
}

func TestDevPages_WithoutTheKey(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	token, _ := f.link("ada@example.com", nil)
	key := f.server.DevKey()
	cookie := f.ask("GET", "/dev/inbox?key="+key, "", func(*http.Request) {}).Result().Cookies()[0]
	for name, change := range map[string]func(*http.Request){
		"nothing":                 func(*http.Request) {},
		"an empty key":            func(r *http.Request) { r.URL.RawQuery = "key=" },
		"another key":             func(r *http.Request) { r.URL.RawQuery = "key=" + strings.Repeat("a", len(key)) },
		"a part of the key":       func(r *http.Request) { r.URL.RawQuery = "key=" + key[:len(key)-1] },
		"the key and more":        func(r *http.Request) { r.URL.RawQuery = "key=" + key + "x" },
		"the key in capitals":     func(r *http.Request) { r.URL.RawQuery = "key=" + strings.ToUpper(key) },
		"the key second":          func(r *http.Request) { r.URL.RawQuery = "key=x&key=" + key },
		"the key by another name": func(r *http.Request) { r.URL.RawQuery = "token=" + key },
		"the bare key as token":   func(r *http.Request) { r.Header.Set("Authorization", key) },
		"no token":                func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") },
		"another token":           func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key+key) },
		"the key as a password":   func(r *http.Request) { r.SetBasicAuth("", key) },
		"the project's secret": func(r *http.Request) {
			c := f.server.Credentials()
			r.SetBasicAuth(c.ProjectID, c.Secret)
		},
		"an empty cookie":       func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookie.Name}) },
		"another cookie":        func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookie.Name, Value: "x"}) },
		"a cookie by no name":   func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "key", Value: key}) },
		"the key in the header": func(r *http.Request) { r.Header.Set("Key", key) },
	} {
		for _, route := range append(devRoutes, []struct{ method, path, body string }{
			{"GET", "/dev/nothing", ""}, {"GET", "/dev/oauth/google", ""}, {"POST", "/dev/oauth/google", "email=ada@example.com"},
		}...) {
			w := f.ask(route.method, route.path, route.body, change)
			body := w.Body.String()
			if w.Code != http.StatusNotFound || strings.Contains(body, token) || strings.Contains(body, key) || len(w.Result().Cookies()) > 0 {
				t.Errorf("%s, %s %s: %d, cookies %v: %s", name, route.method, route.path, w.Code, w.Result().Cookies(), body)
			}
			if !strings.Contains(body, "the inbox address that Guestlist printed") || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s, %s %s: headers %v: %s", name, route.method, route.path, w.Header(), body)
			}
		}
	}
	if words := f.server.Faults(); words != "" {
		t.Errorf("a request without the key had an effect: %s", words)
	}
}

func TestDevPages_WithTheKey(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	key := f.server.DevKey()
	w := f.ask("GET", "/dev/inbox?key="+key, "", func(*http.Request) {})
	cookies := w.Result().Cookies()
	if w.Code != http.StatusOK || len(cookies) != 1 {
		t.Fatalf("%d, cookies %v", w.Code, cookies)
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/dev/" || c.Domain != "" || c.MaxAge <= 0 {
		t.Errorf("the cookie is %s", c)
	}
	for name, change := range map[string]func(*http.Request){
		"in the address": func(r *http.Request) { r.URL.RawQuery = "key=" + key },
		"as a token":     func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) },
		"by the cookie":  func(r *http.Request) { r.AddCookie(c) },
		"by the cookie, an old key in the address": func(r *http.Request) {
			r.URL.RawQuery = "key=old"
			r.AddCookie(c)
		},
		"by the second cookie of the name": func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: "x"})
			r.AddCookie(c)
		},
	} {
		for _, route := range devRoutes {
			w := f.ask(route.method, route.path, route.body, change)
			if w.Code >= 400 || strings.Contains(w.Body.String(), key) {
				t.Errorf("%s, %s %s: %d %s", name, route.method, route.path, w.Code, w.Body)
			}
		}
	}
}

func TestDevKey(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		key := f.server.DevKey()
		if !regexp.MustCompile(`^[a-z2-7]{32}$`).MatchString(key) {
			t.Errorf("the key is %q", key)
		}
		if again := f.newServer().DevKey(); again != key {
			t.Errorf("another instance has the key %q, not %q", again, key)
		}
		other := onSQLite(t)
		if other.server.DevKey() == key {
			t.Error("another database has the same key")
		}
		name := func(f *fixture) string {
			return f.ask("GET", "/dev/inbox?key="+f.server.DevKey(), "", func(*http.Request) {}).Result().Cookies()[0].Name
		}
		if a, b := name(f), name(other); a == b {
			t.Errorf("two programs on one host both call their cookie %s", a)
		}
		credentials := f.server.Credentials()
		for _, secret := range []string{credentials.Secret, credentials.PublicToken, credentials.WebhookSecret, credentials.ProjectID} {
			if strings.Contains(secret, key) {
				t.Errorf("the key is in %s", secret)
			}
		}
	})
}

package session_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

func TestCookies_KeyRotation(t *testing.T) {
	t.Parallel()
	c := newClock()
	if _, err := session.NewCookies(options(c)); err == nil {
		t.Error("no key is enough")
	}
	old := newCookies(t, options(c, "old"))
	tests := []struct {
		name string
		keys []string
		want string
	}{
		{"opens with the same key", []string{"old"}, "token"},
		{"opens with the second key", []string{"new", "old"}, "token"},
		{"opens with the third key", []string{"newest", "new", "old"}, "token"},
		{"stays shut with another key", []string{"new"}, ""},
		{"stays shut with a key that begins the same", []string{"old "}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := browser{}
			b.visit(func(w http.ResponseWriter, r *http.Request) { old.SetToken(w, r, "token") })
			cookies := newCookies(t, options(c, test.keys...))
			if got, had := cookies.Token(b.request()); got != test.want || !had {
				t.Errorf("got %q, %t, want %q", got, had, test.want)
			}
			b.visit(func(w http.ResponseWriter, r *http.Request) { cookies.SetToken(w, r, "fresh") })
			first := newCookies(t, options(c, test.keys[0]))
			if got, _ := first.Token(b.request()); got != "fresh" {
				t.Errorf("the first key alone does not open what was written: %q", got)
			}
		})
	}
}

func TestCookies_Foreign(t *testing.T) {
	t.Parallel()
	c := newClock()
	cookies, b := newCookies(t, options(c, "key")), browser{}
	b.visit(func(w http.ResponseWriter, r *http.Request) { cookies.SetToken(w, r, "token") })
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		cookies.SetFlow(w, r, session.SignInFlow{Verifier: "v", ExpiresAt: c.now().Add(time.Hour)})
	})
	b.visit(func(w http.ResponseWriter, r *http.Request) { cookies.SetMessage(w, r, session.Message{Text: "text"}) })
	const name = "__Host-guestlist"
	good := b[name]
	tests := []struct{ name, value string }{
		{"empty", ""},
		{"made up", "x"},
		{"the token itself", "token"},
		{"cut by one", good[:len(good)-1]},
		{"cut in half", good[:len(good)/2]},
		{"with more behind it", good + "A"},
		{"twice", good + good},
		{"the flow's, under the session's name", b[name+"-signin"]},
		{"the message's, under the session's name", b[name+"-message"]},
		{"endless", strings.Repeat(good, 40)},
		{"under the name it has on http", under(t, c, "guestlist")},
		{"under the name it has below a path", under(t, c, "__Secure-guestlist")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token, had := cookies.Token(browser{name: test.value}.request())
			if token != "" || !had {
				t.Errorf("opened as %q, %t; want nothing from a cookie that is there", token, had)
			}
		})
	}
	for suffix, opened := range map[string]func(*http.Request) bool{
		"-signin": func(r *http.Request) bool { _, ok := cookies.Flow(r); return ok },
		"-message": func(r *http.Request) bool {
			return cookies.TakeMessage(httptest.NewRecorder(), r) != (session.Message{})
		},
	} {
		if opened(browser{name + suffix: good}.request()) {
			t.Errorf("the session's cookie counts as %s", suffix)
		}
	}
}

func TestCookies_SeveralOfOneName(t *testing.T) {
	t.Parallel()
	c := newClock()
	cookies, b := newCookies(t, options(c, "key")), browser{}
	b.visit(func(w http.ResponseWriter, r *http.Request) { cookies.SetToken(w, r, "token") })
	const name = "__Host-guestlist"
	for _, header := range []string{name + "=made-up; " + name + "=" + b[name], name + "=" + b[name] + "; " + name + "=made-up"} {
		r := httptest.NewRequest(http.MethodGet, "/people/", nil)
		r.Header.Set("Cookie", header)
		if token, had := cookies.Token(r); token != "token" || !had {
			t.Errorf("got %q, %t", token, had)
		}
	}
}

// under returns a session cookie made with the same key under another name, as another site of the
// domain could set it.
func under(t *testing.T, c *clock, name string) string {
	t.Helper()
	o := options(c, "key")
	o.Name = name
	b := browser{}
	b.visit(func(w http.ResponseWriter, r *http.Request) { newCookies(t, o).SetToken(w, r, "token") })
	if b[name] == "" {
		t.Fatalf("no cookie under %s: %v", name, b)
	}
	return b[name]
}

func TestCookies_Tampered(t *testing.T) {
	t.Parallel()
	cookies, b := newCookies(t, options(newClock(), "key")), browser{}
	b.visit(func(w http.ResponseWriter, r *http.Request) { cookies.SetToken(w, r, "token") })
	good := b["__Host-guestlist"]
	for i := range good {
		for _, by := range []byte{1, 2, 4} {
			edited := []byte(good)
			edited[i] ^= by
			b["__Host-guestlist"] = string(edited)
			// The last character holds bits that stand for nothing.
			if token, _ := cookies.Token(b.request()); token != "" && decoded(string(edited)) != decoded(good) {
				t.Errorf("character %d changed to %q opens as %q", i, edited[i], token)
			}
		}
	}
}

func decoded(s string) string {
	b, _ := base64.URLEncoding.DecodeString(s)
	return string(b)
}

// FuzzCookie sends anything for each of the five cookies: nothing may come of it
// but what was put in with the key, for the same cookie.
func FuzzCookie(f *testing.F) {
	c := newClock()
	theirs := newCookies(f, options(c, "theirs"))
	b := browser{}
	b.visit(func(w http.ResponseWriter, r *http.Request) { theirs.SetToken(w, r, "token") })
	for _, value := range []string{"", "x", "a|b|c", b["__Host-guestlist"], decoded(b["__Host-guestlist"]), "token=x", strings.Repeat("A", 5000)} {
		f.Add(value)
	}
	ours := newCookies(f, options(c, "ours"))
	own := browser{}
	own.visit(func(w http.ResponseWriter, r *http.Request) { ours.SetToken(w, r, "token") })
	f.Add(own["__Host-guestlist"])
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, suffix := range []string{"", "-signin", "-message", "-known", "-draft"} {
			r.Header.Add("Cookie", "__Host-guestlist"+suffix+"="+value)
		}
		if token, _ := ours.Token(r); token != "" && token != "token" {
			t.Errorf("token %q", token)
		}
		if id := ours.KnownBrowser(r, ""); id != "" {
			t.Errorf("known as %q", id)
		}
		if flow, ok := ours.Flow(r); ok {
			t.Errorf("flow %+v", flow)
		}
		if d := ours.Draft(r); d.Page != "" || len(d.Form) > 0 {
			t.Errorf("draft %+v", d)
		}
		if last := ours.Last(r); last != "" {
			t.Errorf("last %q", last)
		}
		w := httptest.NewRecorder()
		if m := ours.TakeMessage(w, r); m != (session.Message{}) || len(w.Result().Cookies()) != 0 {
			t.Errorf("message %v", m)
		}
	})
}

// FuzzToken holds that what is put into a cookie comes out of it.
func FuzzToken(f *testing.F) {
	for _, s := range []string{"token", "a=b&c=d;e", "\x00\xff", "%zz+ "} {
		f.Add(s)
	}
	cookies := newCookies(f, options(newClock(), "key"))
	f.Fuzz(func(t *testing.T, token string) {
		b := browser{}
		var err error
		b.visit(func(w http.ResponseWriter, r *http.Request) { err = cookies.SetToken(w, r, token) })
		if err != nil {
			if len(token) < 500 {
				t.Errorf("%q: %v", token, err)
			}
			return
		}
		if got, had := cookies.Token(b.request()); got != token || !had {
			t.Errorf("put in %q, got %q, %t", token, got, had)
		}
	})
}

package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/session"
)

// options are those of a product at https://example.com/people.
func options(c *clock, keys ...string) session.CookieOptions {
	return session.CookieOptions{
		Keys: keys, Name: "__Host-guestlist", Path: "/people/", Secure: true, MaxAge: 7 * 24 * time.Hour, Now: c.now,
	}
}

func newCookies(t testing.TB, o session.CookieOptions) *session.Cookies {
	t.Helper()
	c, err := session.NewCookies(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// browser keeps cookies as a browser does, but for their age: that the server
// must see to itself.
type browser map[string]string

// visit makes a request with the browser's cookies and returns those that the
// answer sets.
func (b browser) visit(fn func(w http.ResponseWriter, r *http.Request)) []*http.Cookie {
	r := httptest.NewRequest(http.MethodGet, "/people/", nil)
	for name, value := range b {
		r.Header.Add("Cookie", name+"="+value)
	}
	w := httptest.NewRecorder()
	fn(w, r)
	set := w.Result().Cookies()
	for _, c := range set {
		if c.MaxAge < 0 {
			delete(b, c.Name)
		} else {
			b[c.Name] = c.Value
		}
	}
	return set
}

// request is what the browser sends.
func (b browser) request() *http.Request {
	var request *http.Request
	b.visit(func(_ http.ResponseWriter, r *http.Request) { request = r })
	return request
}

func TestCookies_Token(t *testing.T) {
	t.Parallel()
	cookies, b := newCookies(t, options(newClock(), "key")), browser{}
	if token, had := cookies.Token(b.request()); token != "" || had {
		t.Errorf("a new browser has %q, %t", token, had)
	}
	const token = "WJtR5BCy38Szd5AfoDpf0iqFKEt4EE5JhjlWUY7l3FtY"
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		if err := cookies.SetToken(w, r, token); err != nil {
			t.Fatal(err)
		}
	})
	if got, had := cookies.Token(b.request()); got != token || !had {
		t.Errorf("got %q, %t", got, had)
	}
	if strings.Contains(b["__Host-guestlist"], token[:8]) {
		t.Errorf("the token can be read in %q", b["__Host-guestlist"])
	}
	first := b["__Host-guestlist"]
	b.visit(func(w http.ResponseWriter, r *http.Request) { cookies.SetToken(w, r, token) })
	if b["__Host-guestlist"] == first {
		t.Error("the same token makes the same cookie twice")
	}
	b.visit(cookies.ClearToken)
	if token, had := cookies.Token(b.request()); token != "" || had {
		t.Errorf("after sign-out: %q, %t", token, had)
	}
}

func TestCookies_Attributes(t *testing.T) {
	t.Parallel()
	c := newClock()
	cookies := newCookies(t, options(c, "key"))
	tests := []struct {
		name   string
		set    func(w http.ResponseWriter, r *http.Request)
		cookie string
		maxAge int
	}{
		{"of a session", func(w http.ResponseWriter, r *http.Request) { cookies.SetToken(w, r, "token") }, "__Host-guestlist", 604800},
		{"of a session's end", cookies.ClearToken, "__Host-guestlist", -1},
		{"of a flow", func(w http.ResponseWriter, r *http.Request) {
			cookies.SetFlow(w, r, session.SignInFlow{ReturnPath: "/users", ExpiresAt: c.now().Add(10 * time.Minute)})
		}, "__Host-guestlist-signin", 600},
		{"of a message", func(w http.ResponseWriter, r *http.Request) {
			cookies.SetMessage(w, r, session.Message{Text: "Saved."})
		}, "__Host-guestlist-message", 60},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set := browser{}.visit(test.set)
			if len(set) != 1 {
				t.Fatalf("%d cookies are set", len(set))
			}
			got := *set[0]
			got.Value, got.Raw, got.Expires, got.RawExpires = "", "", time.Time{}, ""
			want := http.Cookie{
				Name: test.cookie, Path: "/people/", MaxAge: test.maxAge,
				HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	t.Run("on plain http", func(t *testing.T) {
		o := options(c, "key")
		o.Secure, o.Path, o.Name = false, "/", "guestlist"
		set := browser{}.visit(func(w http.ResponseWriter, r *http.Request) { newCookies(t, o).SetToken(w, r, "token") })
		if set[0].Secure || set[0].Path != "/" || set[0].Name != "guestlist" || !set[0].HttpOnly {
			t.Errorf("got %s", set[0])
		}
	})
}

func TestCookies_Flow(t *testing.T) {
	t.Parallel()
	c := newClock()
	cookies, b := newCookies(t, options(c, "key")), browser{}
	if f, ok := cookies.Flow(b.request()); ok {
		t.Errorf("a new browser has %+v", f)
	}
	want := session.SignInFlow{ReturnPath: "/users?q=a&sort=-name#x", Verifier: strings.Repeat("v", 43), ExpiresAt: c.now().Add(10 * time.Minute).Truncate(time.Second)}
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		if err := cookies.SetFlow(w, r, want); err != nil {
			t.Fatal(err)
		}
	})
	c.set(want.ExpiresAt.Add(-time.Microsecond))
	got, ok := cookies.Flow(b.request())
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("just before it expires: %t (-want +got):\n%s", ok, diff)
	}
	// A browser may keep a cookie after it expires.
	for name, at := range map[string]time.Time{"the moment it expires": want.ExpiresAt, "a year later": want.ExpiresAt.AddDate(1, 0, 0)} {
		c.set(at)
		if got, ok := cookies.Flow(b.request()); ok || got != (session.SignInFlow{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestCookies_FlowTooLong(t *testing.T) {
	t.Parallel()
	c := newClock()
	cookies := newCookies(t, options(c, "key"))
	set := browser{}.visit(func(w http.ResponseWriter, r *http.Request) {
		f := session.SignInFlow{ReturnPath: "/" + strings.Repeat("x", 4096), ExpiresAt: c.now().Add(time.Minute)}
		if err := cookies.SetFlow(w, r, f); err == nil {
			t.Error("no error")
		}
	})
	if len(set) != 0 {
		t.Errorf("set all the same: %v", set)
	}
}

func TestCookies_MessageIsTakenOnce(t *testing.T) {
	t.Parallel()
	cookies, b := newCookies(t, options(newClock(), "key")), browser{}
	take := func() (m session.Message, set []*http.Cookie) {
		set = b.visit(func(w http.ResponseWriter, r *http.Request) { m = cookies.TakeMessage(w, r) })
		return m, set
	}
	if m, set := take(); m != (session.Message{}) || len(set) != 0 {
		t.Errorf("a new browser is told %v, and given %v", m, set)
	}
	want := session.Message{Text: "Invited zoë@example.com & others; <b>50%</b>.", Warning: true}
	b.visit(func(w http.ResponseWriter, r *http.Request) {
		if err := cookies.SetMessage(w, r, want); err != nil {
			t.Fatal(err)
		}
	})
	if m, set := take(); m != want || len(set) != 1 {
		t.Errorf("told %v, and given %v", m, set)
	}
	if m, _ := take(); m != (session.Message{}) {
		t.Errorf("told again: %v", m)
	}
}

func TestCookies_KnownBrowser(t *testing.T) {
	t.Parallel()
	cookies, b := newCookies(t, options(newClock(), "a key of the operator's")), browser{}
	known := func(address string) string { return cookies.KnownBrowser(b.request(), address) }
	if known("") != "" || known("ada@example.com") != "" {
		t.Error("a fresh browser is known")
	}
	signIn := func(address string) {
		for _, c := range b.visit(func(w http.ResponseWriter, r *http.Request) {
			if err := cookies.SetKnown(w, r, address); err != nil {
				t.Error(err)
			}
		}) {
			if strings.Contains(c.Value, "ada@") || !c.HttpOnly || !c.Secure || c.MaxAge != 400*24*60*60 {
				t.Errorf("the cookie is %v", c)
			}
		}
	}
	signIn("ada@example.com")
	id := known("ada@example.com")
	if id == "" || known("") != id || known("grace@example.com") != "" {
		t.Errorf("known to ada as %q, to anybody as %q, to grace as %q", id, known(""), known("grace@example.com"))
	}
	for i := range 7 {
		signIn(fmt.Sprintf("p%d@example.com", i))
	}
	signIn("ada@example.com") // is the newest again
	signIn("p7@example.com")
	if known("ada@example.com") != id || known("p7@example.com") != id || known("p0@example.com") != "" {
		t.Errorf("after nine people: ada %q, the newest %q, the oldest %q", known("ada@example.com"), known("p7@example.com"), known("p0@example.com"))
	}
	for name, value := range b {
		b[name] = value[:len(value)-4] + "AAAA"
	}
	if known("") != "" {
		t.Error("a forged cookie is believed")
	}
}

// TestCookies_NamesAreAll keeps the names complete: apps must not get any of these cookies.
func TestCookies_NamesAreAll(t *testing.T) {
	t.Parallel()
	cookies := newCookies(t, options(newClock(), "key"))
	b := browser{}
	set := []func(w http.ResponseWriter, r *http.Request) error{
		func(w http.ResponseWriter, r *http.Request) error { return cookies.SetToken(w, r, "token") },
		func(w http.ResponseWriter, r *http.Request) error { return cookies.SetKnown(w, r, "ada@example.com") },
		func(w http.ResponseWriter, r *http.Request) error {
			return cookies.SetMessage(w, r, session.Message{Text: "Saved."})
		},
		func(w http.ResponseWriter, r *http.Request) error { cookies.SetTicket(w, "ticket"); return nil },
		func(w http.ResponseWriter, r *http.Request) error {
			return cookies.SetDraft(w, r, session.Draft{Page: "/users/new"})
		},
		func(w http.ResponseWriter, r *http.Request) error { return cookies.SetFlow(w, r, session.SignInFlow{}) },
	}
	var names []string
	for i, fn := range set {
		for _, cookie := range b.visit(func(w http.ResponseWriter, r *http.Request) {
			if err := fn(w, r); err != nil {
				t.Errorf("setter %d: %v", i, err)
			}
		}) {
			names = append(names, cookie.Name)
		}
	}
	want := cookies.Names()
	slices.Sort(names)
	slices.Sort(want)
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-names +set): %s", diff)
	}
	setters := 0
	kind := reflect.TypeOf(cookies)
	for i := range kind.NumMethod() {
		if strings.HasPrefix(kind.Method(i).Name, "Set") {
			setters++
		}
	}
	if setters != len(set) {
		t.Errorf("%d methods set cookies, and %d are called here", setters, len(set))
	}
}

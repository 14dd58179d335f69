package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// FuzzReadJSON checks that an accepted body is one small object in UTF-8 that has only known fields,
// each once.
func FuzzReadJSON(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"email":"ada@example.com","name":"Ada","role":"admin"}`, `{"name":null}`, ` {"name":"\ud83d\ude00"} `, `{"name":"a","name":"b"}`,
		`{"n\u0061me":"a"}`, `{"NAME":"a"}`, `{"id":"x"}`, `[]`, `null`, `{"name":"\ud800"}`, "{\"name\":\"\xff\"}", `{"name":1}`, `{}{}`, `{"name":{"name":"a"}}`,
	} {
		f.Add("application/json", []byte(body))
	}
	f.Add("text/json", []byte(`{}`))
	f.Add("application/json; charset=utf-8", bytes.Repeat([]byte(" "), maxBody))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r := httptest.NewRequest("POST", "/api/users", bytes.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, maxBody)
		var entry createUserRequest
		err := readJSON(r, &entry)
		if err != nil {
			if p := problemOf(err); p.status != 400 && p.status != 413 && p.status != 415 {
				t.Errorf("%q is answered with %d: %v", body, p.status, err)
			}
			return
		}
		if len(body) > maxBody || !utf8.Valid(body) {
			t.Errorf("%d bytes are taken", len(body))
		}
		var fields map[string]*string // another parser must see the same
		if err := json.Unmarshal(body, &fields); err != nil {
			t.Fatalf("%q is taken: %v", body, err)
		}
		for name, got := range map[string]optional{"email": entry.Email, "name": entry.Name, "role": entry.Role} {
			want, given := fields[name]
			if want != nil && *want != got.text || want == nil && got.text != "" || given != got.given || (given && want == nil) != got.null {
				t.Errorf("%q: %s is read as %+v", body, name, got)
			}
			delete(fields, name)
		}
		if len(fields) > 0 {
			t.Errorf("%q is taken with fields that nobody knows", body)
		}
	})
}

// FuzzReturnPath follows accepted paths as a browser would.
func FuzzReturnPath(f *testing.F) {
	for _, row := range returnPaths {
		f.Add(row.next)
	}
	s := &server{opts: Options{BaseURL: &url.URL{Scheme: "https", Host: "people.example.com", Path: "/people"}}}
	f.Fuzz(func(t *testing.T, next string) {
		got := s.returnPath(next)
		if got == "" {
			return
		}
		if strings.ContainsFunc(got, func(c rune) bool { return c <= ' ' || c == '\\' || c >= 0x7f }) || len(got) > 2*maxReturnPath {
			t.Errorf("%q leads to %q", next, got)
		}
		u, err := url.Parse(got)
		if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "" {
			t.Fatalf("%q leads to %q: %+v, %v", next, got, u, err)
		}
		// At the root, and behind the path of the base URL, as redirects put it.
		for _, location := range []string{got, s.url(got)} {
			at := s.opts.BaseURL.ResolveReference(must(url.Parse(location)))
			inside := strings.TrimPrefix(at.Path, "/people")
			if at.Scheme != "https" || at.Host != "people.example.com" || inside != "/users" && inside != "/profile" && inside != "/device" && !strings.HasPrefix(inside, "/users/") && !strings.HasPrefix(inside, "/device/") {
				t.Errorf("%q leads to %s", next, at)
			}
		}
		if again := s.returnPath(got); again != got {
			t.Errorf("%q leads to %q, and that to %q", next, got, again)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzParseQuery checks that only known values reach the database.
func FuzzParseQuery(f *testing.F) {
	for _, q := range []string{
		"", "q=ada&role=admin&status=active&sort=-name&limit=200", "limit=0", "limit=201", "limit=+1", "limit=99999999999", "role=owner", "sort=name;--",
		"sort=--name", "status=dead", "role=admin&role=owner", "cursor=e30", "q=" + strings.Repeat("a+", 60), "q=%ff", "cursor=" + directory.EncodeCursor("name", &directory.Keyset{Key: "k", ID: "i"}, true),
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		v, _ := url.ParseQuery(query)
		q, err := parseQuery(v)
		var invalid *directory.ValidationError
		if err != nil {
			if !errors.As(err, &invalid) || len(invalid.Fields) == 0 {
				t.Errorf("%q: %v names no field", query, err)
			}
			return
		}
		switch {
		case q.Limit < 1 || q.Limit > directory.MaxLimit:
			t.Errorf("%q: limit %d", query, q.Limit)
		case !slices.Contains([]directory.Role{"", directory.Member, directory.Admin}, q.Role):
			t.Errorf("%q: role %q", query, q.Role)
		case !slices.Contains([]directory.Status{"", directory.Invited, directory.Active, directory.Suspended}, q.Status):
			t.Errorf("%q: status %q", query, q.Status)
		case !slices.Contains([]directory.Sort{directory.ByName, directory.ByEmail, directory.ByCreated, directory.ByLastSeen}, q.Sort.Column()):
			t.Errorf("%q: sort %q", query, q.Sort)
		case len(q.Terms) > directory.MaxTerms || !utf8.ValidString(strings.Join(q.Terms, "")):
			t.Errorf("%q: terms %q", query, q.Terms)
		case (v.Get("cursor") == "") != (q.After == nil):
			t.Errorf("%q: leads to %+v", query, q.After)
		}
	})
}

// FuzzParseEventQuery does the same for the audit log.
func FuzzParseEventQuery(f *testing.F) {
	for _, q := range []string{
		"", "kind=signed_in&about=Ada@example.com&limit=200", "kind=nothing", "about=a@b.c&by=a@b.c", "person=x&by=a@b.c", "person=" + strings.Repeat("x", 37),
		"limit=0", "limit=201", "limit=-1", "about=ada", "cursor=0198-abc", "cursor=" + strings.Repeat("x", 37), "kind=signed_in&kind=x",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		v, _ := url.ParseQuery(query)
		q, err := parseEventQuery(v)
		var invalid *directory.ValidationError
		if err != nil {
			if !errors.As(err, &invalid) || len(invalid.Fields) == 0 {
				t.Errorf("%q: %v names no field", query, err)
			}
			return
		}
		people := 0
		for _, who := range []string{q.Person, q.About, q.By} {
			if who != "" {
				people++
			}
		}
		switch {
		case q.Limit < 1 || q.Limit > event.MaxLimit:
			t.Errorf("%q: limit %d", query, q.Limit)
		case q.Kind != "" && !event.IsKind(string(q.Kind)):
			t.Errorf("%q: kind %q", query, q.Kind)
		case people > 1:
			t.Errorf("%q asks for two people: %+v", query, q)
		case len(q.Person) > 36 || len(q.Before) > 36:
			t.Errorf("%q: %+v is longer than an id", query, q)
		}
		for _, address := range []string{q.About, q.By} {
			if email, err := directory.ParseEmail(address); address != "" && (err != nil || email.Normalized != address) {
				t.Errorf("%q: %q is no address in its compared form", query, address)
			}
		}
	})
}

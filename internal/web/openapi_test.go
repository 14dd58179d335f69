package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/errors"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// description is openapi.yaml, parsed once for all tests.
type description struct {
	sync.Mutex // protects the validator's cache
	validator.Validator
	model *v3.Document
}

var describing = sync.OnceValue(func() *description {
	document, err := libopenapi.NewDocument([]byte(openAPI))
	if err != nil {
		panic(err)
	}
	model, err := document.BuildV3Model()
	if err != nil {
		panic(err)
	}
	// What is not described is refused: fields, headers but for those of all pages,
	// statuses, kinds of content. Who may do what is tested elsewhere.
	known := []string{"Allow", "Content-Encoding"}
	for name := range commonHeaders {
		known = append(known, name)
	}
	v, errs := validator.NewValidator(document,
		config.WithStrictMode(), config.WithFormatAssertions(), config.WithoutSecurityValidation(), config.WithStrictIgnoredHeadersExtra(known...))
	if len(errs) > 0 {
		panic(errs[0])
	}
	return &description{Validator: v, model: &model.Model}
})

// apiRequest returns a copy of a request to the API. It returns nil for others, and if the path is
// spelled differently from the description.
func apiRequest(f *fixture, r *http.Request) *http.Request {
	if !strings.HasPrefix(r.URL.Path, "/api/") || path.Clean(r.URL.Path) != r.URL.Path || r.URL.RawPath != "" || f.server.opts.BaseURL.Path != "" {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	return asked
}

// wantDescribed checks that a response of the API is described in openapi.yaml, and so is the body of
// an accepted request. A route that isn't described must not exist.
func wantDescribed(t *testing.T, r *http.Request, res *http.Response) {
	t.Helper()
	d := describing()
	d.Lock()
	defer d.Unlock()
	for _, p := range d.problems(r, res) {
		t.Errorf("%s %s was answered %d, not as in openapi.yaml: %s %v", r.Method, r.URL.Path, res.StatusCode, p, p.SchemaValidationErrors)
	}
}

func (d *description) problems(r *http.Request, res *http.Response) []*errors.ValidationError {
	if r.Method == http.MethodHead {
		return nil // there is no body
	}
	if res.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(res.Body)
		if err != nil {
			return []*errors.ValidationError{{Message: err.Error()}}
		}
		res.Body = plain
	}
	_, problems := d.ValidateHttpResponse(r, res)
	if len(problems) > 0 && (problems[0].IsPathMissingError() || problems[0].IsOperationMissingError()) {
		if res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed || res.StatusCode == http.StatusTemporaryRedirect || res.StatusCode == http.StatusForbidden {
			return nil
		}
		return problems
	}
	if res.StatusCode < 300 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_, more := d.GetRequestBodyValidator().ValidateRequestBody(r)
		problems = append(problems, more...)
	}
	return problems
}

func TestOpenAPI_IsValidAndNamesTheDeployment(t *testing.T) {
	t.Parallel()
	d := describing()
	d.Lock()
	_, problems := d.ValidateDocument()
	d.Unlock()
	for _, p := range problems {
		t.Error(p, p.SchemaValidationErrors)
	}
	if !strings.HasPrefix(d.model.Version, "3.1.") {
		t.Errorf("it is OpenAPI %s", d.model.Version)
	}
	cookies, err := session.NewCookies(session.CookieOptions{Keys: []string{"key"}, Name: "__Secure-guestlist", Path: "/people/", Secure: true, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) {
		o.BaseURL.Scheme, o.BaseURL.Host, o.BaseURL.Path, o.Cookies = "https", "example.com", "/people", cookies
	})
	a := f.visitor().get("/people/api/openapi.yaml")
	if a.status != 200 || a.header.Get("Content-Type") != "application/yaml; charset=utf-8" {
		t.Fatal(a.status, a.header)
	}
	document, err := libopenapi.NewDocument([]byte(a.body))
	if err != nil {
		t.Fatal(err)
	}
	served, err := document.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	cookie := served.Model.Components.SecuritySchemes.GetOrZero("cookie")
	if url := served.Model.Servers[0].URL; url != "https://example.com/people" || cookie.Name != "__Secure-guestlist" {
		t.Errorf("the server is %s, the cookie %s", url, cookie.Name)
	}
}

// operations calls fn with each described route, in the form of the route table.
func (d *description) operations(fn func(pattern string, o *v3.Operation)) {
	for path, item := range d.model.Paths.PathItems.FromOldest() {
		for method, o := range item.GetOperations().FromOldest() {
			fn(strings.ToUpper(method)+" "+path, o)
		}
	}
}

// who returns the access of an operation: admin if every alternative requires that role.
func (d *description) who(o *v3.Operation) access {
	ways := o.Security
	if ways == nil {
		ways = d.model.Security
	}
	who := admin
	for _, way := range ways {
		if way.Requirements.Len() == 0 {
			return public
		}
		for _, roles := range way.Requirements.FromOldest() {
			if !slices.Contains(roles, "admin") {
				who = who&^admin | signedIn
			}
			if slices.Contains(roles, "fresh") {
				who |= fresh
			}
		}
		if _, ok := way.Requirements.Get("token"); ok {
			who |= tokenAllowed
		}
	}
	if len(ways) == 0 {
		return public
	}
	return who
}

func TestOpenAPI_MatchesTheRoutes(t *testing.T) {
	t.Parallel()
	d, want, got := describing(), map[string]access{}, map[string]access{}
	for _, r := range newFixture(t).server.routes {
		if _, path := r.address("x"); strings.HasPrefix(path, "/api/") {
			want[r.pattern] = r.access
		}
	}
	d.operations(func(pattern string, o *v3.Operation) { got[pattern] = d.who(o) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("openapi.yaml (-routes +description):\n%s", diff)
	}
	// What changes something needs a token that may write.
	d.operations(func(pattern string, o *v3.Operation) {
		ways, scope := o.Security, "write"
		if ways == nil {
			ways = d.model.Security
		}
		if strings.HasPrefix(pattern, "GET ") {
			scope = "read"
		}
		for _, way := range ways {
			scopes, byToken := way.Requirements.Get("token")
			if scopes = slices.DeleteFunc(slices.Clone(scopes), func(role string) bool { return role == "admin" }); byToken && !slices.Equal(scopes, []string{scope}) {
				t.Errorf("%s needs a token for %s", pattern, scopes)
			}
		}
	})
}

func TestOpenAPI_MatchesTheEnums(t *testing.T) {
	t.Parallel()
	words := func(name string) (words []string) {
		for _, node := range describing().model.Components.Schemas.GetOrZero(name).Schema().Enum {
			words = append(words, node.Value)
		}
		return words
	}
	var kinds []string
	for _, k := range event.Kinds {
		kinds = append(kinds, string(k))
	}
	for name, want := range map[string][]string{
		"EventKind": kinds, "Role": {string(directory.Admin), string(directory.Member)},
		"Status":       {string(directory.Invited), string(directory.Active), string(directory.Suspended)},
		"RequestState": {string(apps.RequestPending), string(apps.RequestApproved), string(apps.RequestDenied)},
	} {
		if diff := cmp.Diff(want, words(name)); diff != "" {
			t.Errorf("%s (-there are +described):\n%s", name, diff)
		}
	}
}

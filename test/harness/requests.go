package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/app"
)

// UserIDOf returns the ID of the user with this link text on the people page.
func UserIDOf(p *Person, name string) string {
	p.T.Helper()
	href, ok := p.Get("/users").Link(name)
	if !ok {
		p.T.Fatalf("no user is called %s", name)
	}
	return href[len(p.Site.Config.BaseURL.Path+"/users/"):]
}

// Outcome is the result of a request.
type Outcome struct {
	Status   int    // 0 if there was no response
	Location string // the header, or the error if there was no response
}

// Tally counts equal outcomes.
func Tally(all []Outcome) map[Outcome]int {
	n := map[Outcome]int{}
	for _, o := range all {
		n[o]++
	}
	return n
}

// TryOutcome sends a request without following redirects. It never fails the test.
func (p *Person) TryOutcome(r *http.Request) Outcome {
	v, err := p.Try(r, NoRedirects)
	if err != nil {
		return Outcome{Location: err.Error()}
	}
	return Outcome{v.Status, v.Header.Get("Location")}
}

// FormRequest returns the request of a form; the path is below the base URL.
func (p *Person) FormRequest(path, body string) *http.Request {
	p.T.Helper()
	r := p.NewRequest("POST", p.Site.URL+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// JSONRequest returns a request with a JSON body; the path is below the base URL.
func (p *Person) JSONRequest(method, path, body string) *http.Request {
	p.T.Helper()
	r := p.NewRequest(method, p.Site.URL+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// ContinueRequest returns the request of the Continue button on the page of a mailed link.
func (p *Person) ContinueRequest(link string) *http.Request {
	p.T.Helper()
	u, err := url.Parse(link)
	if err != nil {
		p.T.Fatal(err)
	}
	form := url.Values{"token": {u.Query().Get("token")}}
	return p.FormRequest(app.CallbackPath, form.Encode())
}

// Invite invites a person through the API. The pairs in more are further fields, such as
// "role", "admin".
func (p *Person) Invite(email string, more ...string) {
	p.T.Helper()
	entry := map[string]string{"email": email}
	for i := 0; i < len(more); i += 2 {
		entry[more[i]] = more[i+1]
	}
	body, _ := json.Marshal(entry) // strings: cannot fail
	if v := p.CallAPI("POST", "/api/invite_user", string(body)); v.Status != http.StatusOK {
		p.T.Fatalf("%s is not invited: %d %s", email, v.Status, v.Body)
	}
}

// UploadFile uploads a file on the import page.
func (p *Person) UploadFile(name, content string) View {
	p.T.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		p.T.Fatal(err)
	}
	r := p.NewRequest("POST", p.Site.URL+"/users/import", &b)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return p.Do(r)
}

// PeopleFile returns a CSV file with n people.
func PeopleFile(n int) string {
	var b strings.Builder
	b.WriteString("email,name\n")
	for i := range n {
		fmt.Fprintf(&b, "person.%d@example.com,Person Number %d\n", i, i)
	}
	return b.String()
}

// SessionInfo is the response of /api/session.
type SessionInfo struct {
	User    struct{ ID, Name, Email, Role, Status string }
	Session struct{ ID string }
}

// CurrentSession returns the session of the browser's cookie.
func CurrentSession(p *Person) SessionInfo {
	p.T.Helper()
	var h SessionInfo
	if v := p.CallAPI("GET", "/api/session", ""); json.Unmarshal([]byte(v.Body), &h) != nil || v.Status != http.StatusOK {
		p.T.Fatalf("not signed in: %d %s", v.Status, v.Body)
	}
	return h
}

// MakeToken creates an API token on the profile page and returns it.
func (p *Person) MakeToken(name, scope, days string) string {
	p.T.Helper()
	return p.MakeTokenFrom(p.Get("/profile"), name, scope, days)
}

// MakeTokenFrom creates an API token on a profile page that was loaded before.
func (p *Person) MakeTokenFrom(profile View, name, scope, days string) string {
	p.T.Helper()
	v := p.Submit(profile, "Create token", "Token name", name, "Access", scope, "Expires in", days)
	_, rest, _ := strings.Cut(v.Body, `value="guestlist_`)
	secret, _, ok := strings.Cut("guestlist_"+rest, `"`)
	if !ok || !strings.Contains(v.Text(), "Token "+name+" created") {
		p.T.Fatalf("no token is shown: %d %s", v.Status, v.Text())
	}
	p.Site.Log.AddSecret(secret)
	return secret
}

// LinkToken returns the token in a mailed link.
func LinkToken(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}

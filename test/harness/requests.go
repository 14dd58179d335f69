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

// UserIDOf returns the id of somebody on the list.
func UserIDOf(p *Person, words string) string {
	p.T.Helper()
	href, ok := p.Get("/users").Link(words)
	if !ok {
		p.T.Fatalf("nobody is called %s", words)
	}
	return href[len(p.Site.Config.BaseURL.Path+"/users/"):]
}

// Outcome is what became of a request sent at the same time as others.
type Outcome struct {
	Status   int // 0: no answer
	Location string
}

func Tally(all []Outcome) map[Outcome]int {
	n := map[Outcome]int{}
	for _, o := range all {
		n[o]++
	}
	return n
}

// TryOutcome sends a request, follows nothing and fails nothing.
func (p *Person) TryOutcome(r *http.Request) Outcome {
	v, err := p.Try(r, NoRedirects)
	if err != nil {
		return Outcome{Location: err.Error()}
	}
	return Outcome{v.Status, v.Header.Get("Location")}
}

// FormRequest is the request of a form.
func (p *Person) FormRequest(path, body string) *http.Request {
	p.T.Helper()
	r := p.NewRequest("POST", p.Site.URL+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// JSONRequest is the request of a script.
func (p *Person) JSONRequest(method, path, body string) *http.Request {
	p.T.Helper()
	r := p.NewRequest(method, p.Site.URL+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// ContinueRequest is the request of the Continue button behind a mailed link.
func (p *Person) ContinueRequest(link string) *http.Request {
	p.T.Helper()
	u, err := url.Parse(link)
	if err != nil {
		p.T.Fatal(err)
	}
	form := url.Values{"token": {u.Query().Get("token")}}
	return p.FormRequest(app.CallbackPath, form.Encode())
}

// Invite puts somebody on the list and has them mailed.
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

// UploadFile chooses a file on the page for it and sends it.
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

// PeopleFile is a file of n people.
func PeopleFile(n int) string {
	var b strings.Builder
	b.WriteString("email,name\n")
	for i := range n {
		fmt.Fprintf(&b, "person.%d@example.com,Person Number %d\n", i, i)
	}
	return b.String()
}

// SessionInfo is what /api/session says.
type SessionInfo struct {
	User    struct{ ID, Name, Email, Role, Status string }
	Session struct{ ID string }
}

// CurrentSession asks who holds the browser's cookie.
func CurrentSession(p *Person) SessionInfo {
	p.T.Helper()
	var h SessionInfo
	if v := p.CallAPI("GET", "/api/session", ""); json.Unmarshal([]byte(v.Body), &h) != nil || v.Status != http.StatusOK {
		p.T.Fatalf("nobody holds the cookie: %d %s", v.Status, v.Body)
	}
	return h
}

// MakeToken makes an API token on the profile and returns it, as it stands there.
func (p *Person) MakeToken(name, scope, days string) string {
	p.T.Helper()
	return p.MakeTokenFrom(p.Get("/profile"), name, scope, days)
}

// MakeTokenFrom does so on a profile that may have been open for a while.
func (p *Person) MakeTokenFrom(profile View, name, scope, days string) string {
	p.T.Helper()
	v := p.Submit(profile, "Create token", "Token name", name, "Access", scope, "Expires in", days)
	_, rest, _ := strings.Cut(v.Body, `value="guestlist_`)
	secret, _, ok := strings.Cut("guestlist_"+rest, `"`)
	if !ok || !strings.Contains(v.Text(), "Made the token "+name) {
		p.T.Fatalf("no token is shown: %d %s", v.Status, v.Text())
	}
	p.Site.Log.AddSecret(secret)
	return secret
}

// LinkToken is the token in a mailed link.
func LinkToken(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}

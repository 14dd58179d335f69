package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/userio"
)

// sendFile uploads a file.
func (c *caller) sendFile(name, content string) answer {
	c.f.t.Helper()
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
		c.f.t.Fatal(err)
	}
	return c.send("POST", "/users/import", b.String(), "Content-Type", form.FormDataContentType())
}

// finish runs an import as the background worker does.
func (f *fixture) finish(path string) userio.Import {
	f.t.Helper()
	i, err := f.server.opts.Importer.Follow(f.t.Context(), strings.TrimPrefix(path, "/imports/"), func(userio.Import) {})
	if err != nil {
		f.t.Fatal(err)
	}
	return i
}

func wantsWords(t *testing.T, a answer, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("%d, want %d: %s", a.status, status, a.Text())
	}
	for _, text := range texts {
		if !strings.Contains(a.Text(), text) {
			t.Errorf("the page does not say %q: %s", text, a.Text())
		}
	}
}

func TestImport_IsReviewedFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	sent := ada.sendFile("people.csv", "email,name,role,plan\nada@example.com,,,\ngrace@example.com,Grace,,\nno address,,,\nbo@example.com,Bo,admin,\n")
	path := sent.header.Get("Location")
	preview := ada.get(path)
	wantsWords(t, preview, 200, "people.csv", "2; 1 administrator in the file", "1; they won’t be changed", "1; they’ll be skipped", "plan",
		"Line 4 · no address", "Line 2 · ada@example.com", "Import 2 people")
	if n := strings.Count(f.rows(), "users ["); n != 1 {
		t.Errorf("%d people are on the list", n)
	}
	all := ada.get(path + "/problems.csv")
	if want := "line,email,problem\r\n4,no address,"; !strings.HasPrefix(all.body, want) || strings.Count(all.body, "\r\n") != 3 {
		t.Errorf("all problems: %q", all.body)
	}
	wantsWords(t, ada.form(path+"/start", "role", "boss"), 422, "Choose admin or member.")

	if a := ada.form(path+"/start", "role", "member", "invite", "yes"); a.header.Get("Location") != path {
		t.Errorf("start leads to %q", a.header.Get("Location"))
	}
	wantsWords(t, ada.get(path), 200, "Importing…", "0 added, 0 already on the list, of 3.")
	f.finish(path)
	wantsWords(t, ada.get(path), 200, "2 people were added and invited; 1 was already on the list. 1 line was skipped.")
	wantsWords(t, ada.get("/users/import"), 200, "people.csv", "Done")
	grace := ada.get("/activity?about=grace@example.com")
	wantsWords(t, grace, 200, "Invited: from people.csv", "by ada@example.com")
	wantsWords(t, ada.get("/activity?by=ada@example.com"), 200, "Import started: people.csv: 3 people, with invitations", "Import finished: people.csv: 2 added, 1 on the list already, 1 lines with problems")

	wantsWords(t, ada.get(ada.form(path+"/discard").header.Get("Location")), 200, "The file was deleted.")
	wantsWords(t, ada.get(path), 404)
	wantsWords(t, ada.get("/users"), 200, "grace@example.com")
}

func TestImport_StopAndResume(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	path := ada.sendFile("people.csv", "email\ngrace@example.com\n").header.Get("Location")
	for _, step := range []struct{ press, says string }{
		{"resume", "Import 1 person"}, // not stopped: the page shows the state
		{"stop", "Import 1 person"},
		{"start", "Importing…"},
		{"start", "Importing…"},
		{"discard", "Importing…"},
		{"stop", "Resume"},
		{"resume", "Importing…"},
		{"stop", "Resume"},
	} {
		wantsWords(t, ada.get(ada.form(path+"/"+step.press).header.Get("Location")), 200, step.says)
	}
	if _, err := f.server.opts.Directory.GetUserByEmail(t.Context(), directory.Email{Normalized: "grace@example.com"}); err == nil {
		t.Error("somebody was added who should not be yet")
	}
	for _, method := range []string{"start", "stop", "resume", "discard"} {
		wantsWords(t, ada.form("/imports/none/"+method), 404, "Page not found")
	}
}

func TestUpload_ExplainsInvalidFiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for _, row := range []struct {
		name   string
		answer answer
		status int
		says   string
	}{
		{"no header", ada.sendFile("people.csv", "ada@example.com,Ada\n"), 422, "The first line must name the columns"},
		{"nothing chosen", ada.sendFile("", ""), 422, "Choose a file."},
		{"no file in the form", ada.send("POST", "/users/import", "--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n1\r\n--x--\r\n", "Content-Type", "multipart/form-data; boundary=x"), 422, "Choose a file."},
		{"another form", ada.form("/users/import", "file", "x"), 400, "We couldn’t read that form"},
		{"broken off", ada.send("POST", "/users/import", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nemail\nada@exam", "Content-Type", "multipart/form-data; boundary=x"), 400, "We couldn’t read that form"},
	} {
		if row.answer.status != row.status || !strings.Contains(row.answer.Text(), row.says) {
			t.Errorf("%s: %d %s", row.name, row.answer.status, row.answer.Text())
		}
	}
	imports, err := f.server.opts.Importer.List(t.Context(), 9)
	if err != nil || len(imports) != 0 {
		t.Errorf("left behind: %v, %v", imports, err)
	}
}

// The first file is larger than other requests may be, the second is too large for a file.
func TestUpload_IsStreamedUpTo100MB(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	large := "email,notes\nada@example.com,x\n" + strings.Repeat(","+strings.Repeat("x", 60<<10)+"\n", 4)
	if a := ada.sendFile("people.csv", large); a.status != http.StatusSeeOther {
		t.Errorf("of 240 KB: %d %s", a.status, a.Text())
	}
	head := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nemail\nada@example.com\n"
	endless := &spaces{left: maxUpload}
	r := httptest.NewRequest("POST", "http://localhost:8080/users/import", io.MultiReader(strings.NewReader(head), endless))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	for _, cookie := range ada.cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "larger than 100 MB") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// Of a stranger's file nothing is read.
	unread := &spaces{left: maxUpload}
	f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "http://localhost:8080/users/import", unread))
	if unread.left != maxUpload {
		t.Errorf("%d bytes of a stranger's were read", maxUpload-unread.left)
	}
}

func TestImportPage_NamesSkippedPeople(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	path := ada.sendFile("people.csv", "email,name,status\na3@example.com,A Three,deactivated\nbo@example.com,Bo,Active\n").header.Get("Location")
	wantsWords(t, ada.get(path), 200, "1; they’ll be skipped", "Import 1 person", "Line 2 · a3@example.com",
		"Skipped: status is “deactivated”. Only people that the file marks as active are imported.")
	path = ada.sendFile("people.json", `[{"email":"a3@example.com","accountEnabled":false}]`).header.Get("Location")
	wantsWords(t, ada.get(path), 200, "No one in this file can be added. The reasons are below.", "Skipped: accountEnabled is “false”.")
	path = ada.sendFile("people.csv", "email,name\n").header.Get("Location")
	wantsWords(t, ada.get(path), 200, "There’s no one in this file.")
	wantsWords(t, ada.get("/users/import"), 200, "People the file doesn’t mark as active")
}

func TestUpload_MayOutlastTheRequestTimeout(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	ctx, timeIsOver := context.WithCancel(t.Context())
	body := io.MultiReader(
		strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nfirst,last\nAda,"),
		readerFunc(func([]byte) (int, error) { timeIsOver(); return 0, io.EOF }),
		strings.NewReader("Lovelace\n\r\n--x--\r\n"),
	)
	r := httptest.NewRequestWithContext(ctx, "POST", "http://localhost:8080/users/import", body)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	for _, cookie := range ada.cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "The first line must name the columns") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// spaces is a long body of empty rows.
type spaces struct{ left int }

func (s *spaces) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), s.left)
	for i := range n {
		p[i] = ','
		if s.left--; s.left%4096 == 0 {
			p[i] = '\n'
		}
	}
	return n, nil
}

func TestUpload_ExtendsDeadlines(t *testing.T) {
	t.Parallel()
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	body := &deadlineReader{ReadCloser: io.NopCloser(strings.NewReader("xx")), extend: extendDeadlines(w)}
	for range 2 {
		if _, err := body.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if w.read != 2 || w.write != 2 {
		t.Errorf("time was given %d and %d times", w.read, w.write)
	}
}

// deadlines counts how often the deadlines of a connection are extended.
type deadlines struct {
	http.ResponseWriter
	read, write int
}

func (d *deadlines) SetReadDeadline(time.Time) error  { d.read++; return nil }
func (d *deadlines) SetWriteDeadline(time.Time) error { d.write++; return nil }

func TestExport_IsFilteredAndRecorded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for n := range 250 {
		f.add(directory.User{Email: directory.Email{Display: fmt.Sprintf("p%d@example.com", n)}, Name: "=1+1"})
	}
	for _, row := range []struct {
		query string
		want  int
	}{{"", 251}, {"?role=admin", 1}, {"?q=p24&status=invited&limit=2&cursor=whatever", 11}, {"?status=suspended", 0}} {
		a := ada.get("/users/export.csv" + row.query)
		if n := strings.Count(a.body, "\r\n") - 1; a.status != 200 || n != row.want {
			t.Errorf("CSV %s: %d, %d people", row.query, a.status, n)
		}
		if strings.Contains(a.body, ",=") || a.header.Get("Content-Disposition") != `attachment; filename="people.csv"` {
			t.Errorf("CSV %s: %s %s", row.query, a.header.Get("Content-Disposition"), a.body)
		}
		var people []map[string]any
		a = ada.get("/users/export.json" + row.query)
		if err := json.Unmarshal([]byte(a.body), &people); err != nil || len(people) != row.want {
			t.Errorf("JSON %s: %d people, %v", row.query, len(people), err)
		}
		for _, person := range people {
			if diff := cmp.Diff(ada.get("/api/users/"+person["id"].(string)).object(t), person); diff != "" {
				t.Errorf("-the API's +exported\n%s", diff)
				break
			}
		}
	}
	trail, _, err := f.store.ListEvents(t.Context(), event.Query{Kind: event.ListExported, Limit: 20})
	if err != nil || len(trail) != 8 || trail[2].Reason != "json, q p24, status invited" || trail[2].Actor != "ada@example.com" {
		t.Errorf("%d, %v: %+v", len(trail), err, trail)
	}
	wantsWords(t, ada.get("/users?role=member"), 200, "Export as CSV or JSON")
	if href, _ := ada.get("/users?role=member&limit=10").Link("CSV"); href != "/users/export.csv?role=member" {
		t.Errorf("the link leads to %q", href)
	}
	if a := ada.get("/users/export.csv?role=boss"); a.header.Get("Location") != "/users?role=boss" {
		t.Errorf("with a filter that is none: %d %v", a.status, a.header)
	}
	if a := ada.send("HEAD", "/users/export.csv", ""); a.status != 200 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
}

func TestExport_AbortsTheConnectionOnFailure(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for n := range 450 {
		f.add(directory.User{Email: directory.Email{Display: fmt.Sprintf("p%d@example.com", n)}})
	}
	ada := f.signedIn(directory.Admin, "ada@example.com")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "localhost:8080"
		f.ServeHTTP(&closes{ResponseWriter: w, f: f}, r)
	}))
	defer server.Close()
	r, err := http.NewRequest("GET", server.URL+"/users/export.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range ada.cookies {
		r.AddCookie(cookie)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); err == nil || len(got) == 0 {
		t.Errorf("%d bytes came, and no error", len(got))
	}
}

// closes closes the database when a response begins.
type closes struct {
	http.ResponseWriter
	f *fixture
}

func (c *closes) Write(b []byte) (int, error) {
	c.f.store.Close()
	return c.ResponseWriter.Write(b)
}

func (c *closes) Unwrap() http.ResponseWriter { return c.ResponseWriter }

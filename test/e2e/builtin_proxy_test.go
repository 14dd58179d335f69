package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// protected is the program in front of a tool, started with one command.
type protected struct {
	*harness.Process
	tool *harness.Tool
	url  string // of the tool, for visitors
}

func launchProtected(t *testing.T, databaseURL string, flags ...string) *protected {
	t.Helper()
	tool, addr := harness.StartTool(t), harness.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	p := &protected{tool: tool, url: "http://tool.localhost:" + port}
	p.Process = harness.Launch(t, harness.BuildProgram(t), append([]string{
		"--database-url=" + databaseURL, "--guestlist-addr=" + addr, "--guestlist-local-stytch-limits=off", "--guestlist-apps=" + p.url + " -> " + tool.URL,
	}, flags...)...)
	p.Transport = harness.LocalNames(t)
	return p
}

// enter signs a person in from a page of the tool and returns the tool's answer.
func (p *protected) enter(t *testing.T, person *harness.Person, path string) harness.View {
	t.Helper()
	signIn := person.Get(p.url + path)
	harness.WantPage(t, signIn, http.StatusOK, "Sign in")
	harness.WantPage(t, person.Submit(signIn, "Email me a link", "Email address", person.Email), http.StatusOK, "Check your email")
	return person.PressContinue(person.OpenNextLink())
}

func TestBuiltInProxy_OneCommandProtectsATool(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		p := launchProtected(t, databaseURL)
		boss := p.NewPerson("boss@example.com")
		harness.WantPage(t, p.enter(t, boss, "/"), http.StatusOK, "The tool", "Hello boss@example.com")
		boss.Invite("ada@example.com")
		ada := p.NewPerson("ada@example.com")
		ada.NextLink() // the invitation
		before, _ := p.tool.Requests()

		in := p.enter(t, ada, "/deep/link?q=%2Fx&y")
		harness.WantPage(t, in, http.StatusOK, "The tool", "Hello ada@example.com, this is /deep/link?q=%2Fx&y.")
		count, header := p.tool.Requests()
		if count != before+1 {
			t.Errorf("%d requests reached the tool, want 1", count-before)
		}
		for name, want := range map[string]string{
			"Remote-Email": "ada@example.com", "X-Forwarded-Host": strings.TrimPrefix(p.url, "http://"), "X-Forwarded-Proto": "http", "X-Forwarded-For": "127.0.0.1", "Cookie": "",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("the tool gets %s %q, want %q", name, got, want)
			}
		}
		if header.Get("X-Guestlist-Jwt") == "" {
			t.Error("the tool gets no X-Guestlist-Jwt")
		}

		r := ada.NewRequest("GET", p.url+"/headers.json", nil)
		r.Header["Remote_user"], r.Header["X-Forwarded-For"] = []string{"root"}, []string{"198.51.100.1"}
		ada.Do(r)
		if _, header = p.tool.Requests(); header["Remote_user"] != nil || header.Get("X-Forwarded-For") != "127.0.0.1" || header.Get("Cookie") != "tool=kept-by-the-tool" {
			t.Errorf("the tool gets %v", header)
		}

		if v := boss.CallAPI("DELETE", "/api/users/"+p.userID(t, boss, "ada@example.com"), ""); v.Status/100 != 2 {
			t.Fatalf("not removed: %d %s", v.Status, v.Body)
		}
		before, _ = p.tool.Requests()
		refused := ada.DoOnce(ada.NewRequest("GET", p.url+"/", nil))
		if refused.Status != http.StatusSeeOther || !strings.HasPrefix(refused.Header.Get("Location"), p.URL+"/enter?t=") {
			t.Errorf("after the removal: %d to %s", refused.Status, refused.Header.Get("Location"))
		}
		if now, _ := p.tool.Requests(); now != before {
			t.Error("a request of the removed user reached the tool")
		}
		harness.WantPage(t, boss.Get(p.url+"/"), http.StatusOK, "The tool", "Hello boss@example.com")
	})
}

func (p *protected) userID(t *testing.T, boss *harness.Person, address string) string {
	t.Helper()
	v := boss.CallAPI("GET", "/api/users?q="+address, "")
	_, after, _ := strings.Cut(v.Body, `"id":"`)
	id, _, found := strings.Cut(after, `"`)
	if !found {
		t.Fatalf("%d %s", v.Status, v.Body)
	}
	return id
}

func TestBuiltInProxy_RestartKeepsTheSignInAndTheApp(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	p := launchProtected(t, databaseURL)
	ada := p.NewPerson("ada@example.com")
	p.enter(t, ada, "/")
	if v := ada.CallAPI("GET", "/api/session", ""); v.Status != http.StatusOK {
		t.Fatalf("%d", v.Status)
	}
	again := harness.Launch(t, harness.BuildProgram(t), "--database-url="+databaseURL, "--guestlist-addr="+harness.FreeAddr(t), "--guestlist-base-url="+p.URL,
		"--guestlist-apps="+p.url+" -> http://127.0.0.1:1")
	r := ada.NewRequest("GET", "http://"+again.Config.Addr+"/", nil)
	r.Host = strings.TrimPrefix(p.url, "http://")
	for _, c := range ada.Jar.Cookies(ada.NewRequest("GET", p.url+"/", nil).URL) {
		r.AddCookie(c)
	}
	v, err := harness.NewVisitor(again.Site).Try(r, harness.NoRedirects)
	if err != nil || v.Status != http.StatusOK || v.Heading() != "The tool" {
		t.Errorf("%d %s, %v: the app must be as it was created", v.Status, v.Text(), err)
	}
}

func TestBuiltInProxy_ToolThatIsDownKeepsTheSignIn(t *testing.T) {
	t.Parallel()
	addr := harness.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	down := harness.FreeAddr(t)
	p := &protected{url: "http://tool.localhost:" + port}
	p.Process = harness.Launch(t, harness.BuildProgram(t), "--guestlist-addr="+addr, "--guestlist-apps="+p.url+" -> http://"+down)
	p.Transport = harness.LocalNames(t)
	ada := p.NewPerson("ada@example.com")
	v := p.enter(t, ada, "/deep")
	harness.WantPage(t, v, http.StatusBadGateway, "Tool isn’t answering", "You’re still signed in.")
	if v.Header.Get("Retry-After") == "" || v.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("headers %v", v.Header)
	}
	if link, _ := v.Link("Try again"); link != "/deep" {
		t.Errorf("Try again leads to %q", link)
	}
	listener, err := net.Listen("tcp", down)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("<h1>Back</h1>")) })}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	harness.WantPage(t, ada.Get(p.url+"/deep"), http.StatusOK, "Back")
}

func TestBuiltInProxy_WebSocketEndsWithTheSession(t *testing.T) {
	t.Parallel()
	p := launchProtected(t, testdb.SQLite(t))
	ada := p.NewPerson("ada@example.com")
	p.enter(t, ada, "/")
	open := func() (*websocket.Conn, *http.Response, error) {
		return websocket.Dial(t.Context(), p.url+"/ws", &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: p.Transport, Jar: ada.Jar}, HTTPHeader: http.Header{"Origin": {p.url}},
		})
	}
	conn, _, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, message, err := conn.Read(t.Context()); err != nil || string(message) != "hello" {
		t.Fatalf("%q, %v", message, err)
	}
	if v := ada.CallAPI("POST", "/api/logout", ""); v.Status/100 != 2 {
		t.Fatalf("%d", v.Status)
	}
	if _, _, err := conn.Read(t.Context()); err == nil {
		t.Error("a message came")
	}
	harness.Eventually(t, "the tool's end closed", func() bool { return p.tool.Sockets() == 0 })
	if _, res, err := open(); err == nil || res == nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("opened again: %v, %v", res, err)
	}
}

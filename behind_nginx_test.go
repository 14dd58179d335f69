package main

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	netmail "net/mail"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestTheAddressOnRecordIsTheProxysWordWhereTheProxyIsTrusted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("127.0.0.2 is an address of this machine on Linux alone")
	}
	for proxies, want := range map[string]string{"127.0.0.1": "127.0.0.2", "none": "127.0.0.1", "192.0.2.1": "127.0.0.1"} {
		t.Run(proxies, func(t *testing.T) {
			t.Parallel()
			n := newNginx(t)
			s := n.start("/people", testdb.SQLite(t), newClock(noon), "--guestlist-trusted-proxies="+proxies)
			n.serve(n.location(s))
			s.by = n.from("127.0.0.2")
			ada := s.person("ada@example.com")
			ada.asks()
			press := ada.press(ada.newMail())
			press.Header.Set("X-Forwarded-For", "192.0.2.66") // made up by who comes
			if v := ada.only(press); v.status != http.StatusSeeOther || v.header.Get("Location") != "/people/users" {
				t.Fatalf("not signed in: %d, leads to %q", v.status, v.header.Get("Location"))
			}
			if s.count("SELECT COUNT(*) FROM events WHERE kind = 'signed_in' AND address = ?", want) != 1 {
				t.Errorf("the trail has no sign-in from %s: %s", want, ada.calls("GET", "/api/events", "").body)
			}
		})
	}
}

func TestAProxyThatTakesThePathOffIsToldSo(t *testing.T) {
	t.Parallel()
	n := newNginx(t)
	s := n.start("/people", testdb.SQLite(t), newClock(noon))
	n.serve(strings.Replace(n.location(s), s.cfg.Addr+";", s.cfg.Addr+"/;", 1))
	nobody := newcomer(s)
	for _, path := range []string{"/", "/users"} {
		wants(t, nobody.get(path), 404, "There is nothing here", "the proxy in front takes that path off, and has to leave it on")
	}
	if v := nobody.calls("GET", "/healthz", ""); v.status != 404 || v.body != `{"error":"not below the path of GUESTLIST_BASE_URL"}`+"\n" {
		t.Errorf("/healthz: %d %s", v.status, v.body)
	}
}

func TestAProxyThatKeepsTheHostToItselfIsServedAllTheSame(t *testing.T) {
	t.Parallel()
	n := newNginx(t)
	s := n.start("/people", testdb.SQLite(t), newClock(noon))
	location := regexp.MustCompile(`proxy_set_header Host .*`).ReplaceAllString(n.location(s), "")
	n.serve(strings.Replace(location, "/people/", "/", 1))
	wants(t, s.person("ada@example.com").signsIn(), 200, "People")
	// But it is no way from outside to what is for this machine alone.
	for _, path := range []string{"/dev/inbox", "/dev/faults", "/v1/debug/whoami"} {
		if v := newcomer(s).get(s.host + path); v.status != 404 {
			t.Errorf("%s: %d", path, v.status)
		}
	}
}

// Three of them; nginx by itself takes no more than 1 MB.
func TestAFileToImportThatIsLargeComesThroughTheProxy(t *testing.T) {
	t.Parallel()
	s := startBehindNginx(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	wants(t, ada.sendsFile("people.csv", fileOf(60_000)), 200, "people.csv", "Import 60,000 people")
}

// The program serves the public below a path, from a name that is not this machine's.
func TestStandaloneBelowAPathBehindNginx(t *testing.T) {
	t.Parallel()
	n, mails := newNginx(t), newMailServer(t)
	base := n.url("guestlist.example") + "/people"
	s := n.start("/people", testdb.SQLite(t), newClock(noon), "--guestlist-base-url="+base, "--guestlist-trusted-proxies=127.0.0.1",
		"--guestlist-local-stytch=on", "--smtp-url=smtp://"+mails.addr, "--guestlist-admins=ada@example.com")
	// All of the host, so that it is the program that refuses what is elsewhere.
	n.serve(strings.Replace(n.location(s), "/people/", "/", 1))

	invitation := <-mails.links
	if !strings.HasPrefix(invitation, base+"/v1/magic_links/redirect?") {
		t.Errorf("the invitation leads to %s", invitation)
	}
	ada := s.person("ada@example.com")
	landing := ada.opens(invitation)
	wants(t, ada.continues(landing), 200, "People")
	added := ada.calls("POST", "/api/users", `{"email":"grace@example.com"}`)
	var grace struct{ ID string }
	if err := json.Unmarshal([]byte(added.body), &grace); err != nil || added.header.Get("Location") != "/people/api/users/"+grace.ID {
		t.Errorf("grace is at %q: %d %s", added.header.Get("Location"), added.status, added.body)
	}

	nobody := newcomer(s)
	for path, want := range map[string]int{
		"/people": 307, "/people/": 200, "/people/healthz": 200, "/people/readyz": 200, "/people/users": 303, "/people/api/users": 401,
		"/": 404, "/healthz": 404, "/users": 404, "/v1/magic_links/redirect?token=x": 404, "/v1/users/search": 404,
		"/dev/inbox": 404, "/people/dev/inbox": 404, "/dev/inbox.json": 404, "/dev/faults": 404, "/people/dev/faults": 404,
	} {
		v := nobody.only(nobody.request("GET", s.host+path, nil))
		if v.status != want {
			t.Errorf("%s: %d, want %d", path, v.status, want)
		}
		if v.header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s has no Strict-Transport-Security", path)
		}
		if to := v.header.Get("Location"); to != "" && !strings.HasPrefix(to, "/people/") {
			t.Errorf("%s leads to %s", path, to)
		}
	}
}

func TestInLocalModeMailsMayLeaveAsWell(t *testing.T) {
	t.Parallel()
	mails := newMailServer(t)
	s := start(t, testdb.SQLite(t), newClock(noon), "--smtp-url=smtp://"+mails.addr, "--guestlist-admins=ada@example.com")
	<-mails.links // the invitation
	ada := s.person("ada@example.com")
	sent := ada.asks()
	wants(t, sent, 200, "Check your email")
	if _, shown := sent.Link("Open the local inbox"); shown {
		t.Error("the page leads to another inbox")
	}
	wants(t, ada.continues(ada.opens(<-mails.links)), 200, "People")
}

// mailServer takes mails by SMTP and hands out the links in them.
type mailServer struct {
	addr    string
	links   chan string
	notices chan notice                    // the other mails
	refusal atomic.Pointer[smtp.SMTPError] // what it answers to a recipient; nil: welcome
}

// notice is a mail without a link to sign in by.
type notice struct{ to, subject, text string }

// next waits for a notice.
func (m *mailServer) next(t *testing.T) notice {
	t.Helper()
	select {
	case n := <-m.notices:
		return n
	case <-time.After(20 * time.Second):
		t.Fatal("no notice is mailed")
		return notice{}
	}
}

func newMailServer(t *testing.T) *mailServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailServer{addr: listener.Addr().String(), links: make(chan string, 10), notices: make(chan notice, 100)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }))
	go server.Serve(listener) // until it is closed
	t.Cleanup(func() { server.Close() })
	return m
}

type mailSession struct{ *mailServer }

func (mailSession) Reset() {}

func (mailSession) Logout() error { return nil }

func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }

func (s mailSession) Rcpt(string, *smtp.RcptOptions) error {
	if refusal := s.refusal.Load(); refusal != nil {
		return refusal
	}
	return nil
}

func (s mailSession) Data(r io.Reader) error {
	letter, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	_, params, err := mime.ParseMediaType(letter.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	text, err := multipart.NewReader(letter.Body, params["boundary"]).NextPart()
	if err != nil {
		return err
	}
	body, err := io.ReadAll(text)
	if link := mailedLink.FindString(string(body)); link != "" {
		s.links <- link
	} else {
		s.notices <- notice{letter.Header.Get("To"), letter.Header.Get("Subject"), string(body)}
	}
	return err
}

var mailedLink = regexp.MustCompile(`https?://\S+[?]\S*token=\S+`)

package e2e

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// startWithMail runs an instance that sends mails by SMTP. ada@example.com is signed in as
// its administrator.
func startWithMail(t *testing.T, databaseURL string, flags ...string) (*harness.Site, *harness.MailServer, *harness.Person) {
	t.Helper()
	mails := harness.NewMailServer(t)
	s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), append([]string{"--guestlist-local-stytch-limits=off",
		"--smtp-url=smtp://" + mails.Addr, "--guestlist-mail-from=login@example.com", "--guestlist-admins=ada@example.com"}, flags...)...)
	ada := s.NewPerson("ada@example.com")
	harness.WantPage(t, ada.PressContinue(ada.OpenNextLink()), 200, "My apps", "People")
	<-mails.Links
	return s, mails, ada
}

// wantNotice checks the recipient and subject of a notice, and that it contains texts.
func wantNotice(n harness.MailedNotice, t *testing.T, to, subject string, texts ...string) {
	t.Helper()
	if !strings.Contains(n.To, to) || n.Subject != subject {
		t.Errorf("a notice to %s: %q, want to %s: %q", n.To, n.Subject, to, subject)
	}
	plain := strings.NewReplacer("=\r\n", "", "=3D", "=", "\r\n", "\n").Replace(n.Text)
	for _, text := range texts {
		if !strings.Contains(plain, text) {
			t.Errorf("the notice %q does not say %q:\n%s", n.Subject, text, plain)
		}
	}
}

func TestNotice_NewToken(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, mails, ada := startWithMail(t, databaseURL)
		ada.MakeToken("see www.evil.example", "write", "7")
		wantNotice(mails.Next(t), t, "ada@example.com", "A new API token at Guestlist",
			"Name: see www. evil. example\n", "Scope and expiry: write, until 2026-03-08\n", "When: 1 March 2026, 12:00 UTC\n", "By: ada@example.com\n",
			"IP address: 127.0.0.1\n", "Browser or program: ", s.URL+"/profile")
		harness.Eventually(t, "the job is done", func() bool { return s.Count("SELECT COUNT(*) FROM outbox") == 0 })
		if own := ada.Notices(); len(own) != 1 || own[0].Subject != "A new API token at Guestlist" {
			t.Errorf("the inbox has %+v", own)
		}
	})
}

func TestNotice_NewAdministrator(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, mails, ada := startWithMail(t, databaseURL)
		for _, name := range []string{"grace@example.com", "joan@example.com"} {
			ada.Invite(name)
			<-mails.Links
			p := s.NewPerson(name)
			p.PressContinue(p.OpenNextLink())
		}
		graces := s.UserID(t, "grace@example.com")
		ada.CallAPI("PATCH", "/api/users/"+graces, `{"role":"admin"}`)
		wantNotice(mails.Next(t), t, "ada@example.com", "A new administrator at Guestlist",
			"Administrator: grace@example.com\n", "By: ada@example.com\n", s.URL+"/users/"+graces)

		// A change by an operator and an invitation notify both administrators, not joan.
		role := "admin"
		admin := directory.Edit{Role: &role}
		a, err := app.OpenAdmin(t.Context(), s.Config, s.Clock.Now, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if _, err := a.Directory.Edit(t.Context(), app.Operator(), s.UserID(t, "joan@example.com"), admin); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			wantNotice(mails.Next(t), t, "@example.com", "A new administrator at Guestlist", "Administrator: joan@example.com\n", " on the command line\n")
		}
		ada.Invite("eve@example.com", "role", "admin")
		<-mails.Links
		for range 3 {
			wantNotice(mails.Next(t), t, "@example.com", "A new administrator at Guestlist", "Administrator: eve@example.com\n", "By: ada@example.com\n")
		}
		ada.CallAPI("PATCH", "/api/users/"+graces, `{"name":"Grace","role":"admin"}`)
		ada.CallAPI("PATCH", "/api/users/"+graces, `{"role":"member"}`)
		harness.Eventually(t, "all jobs are done", func() bool { return s.Count("SELECT COUNT(*) FROM outbox") == 0 })
		if n := len(mails.Notices); n != 0 {
			t.Errorf("%d notices were sent although no one became an administrator", n)
		}
	})
}

func TestNotice_ImportOfAdministrators(t *testing.T) {
	t.Parallel()
	s, mails, ada := startWithMail(t, testdb.SQLite(t))
	v := ada.UploadFile("people.csv", "email,role\nx@example.com,admin\ny@example.com,admin\nz@example.com,member\n")
	ada.Submit(v, "Import 3 people")
	wantNotice(mails.Next(t), t, "ada@example.com", "New administrators at Guestlist", "Import: people. csv: 3 people", "By: ada@example.com\n")
	harness.Eventually(t, "all is done", func() bool {
		return s.Count("SELECT COUNT(*) FROM outbox") == 0 && s.Count("SELECT COUNT(*) FROM users") == 4
	})
	if len(mails.Notices) != 0 {
		t.Error("there is more than one notice of an import")
	}
}

// An unavailable mail server delays a notice, and nothing else.
func TestNotice_IsRetried(t *testing.T) {
	t.Parallel()
	s, mails, ada := startWithMail(t, testdb.SQLite(t))
	mails.Refusal.Store(&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "greylisted"})
	ada.MakeToken("deploy", "read", "7")
	harness.Eventually(t, "the page says that it waits", func() bool {
		text := ada.Get("/waiting").Text()
		return strings.Contains(text, "Send an email notice · ada@example.com") && strings.Contains(text, "450 4.2.0")
	})
	mails.Refusal.Store(nil)
	ada.Invite("grace@example.com") // does not wait for the notice
	<-mails.Links
	s.Clock.Advance(time.Hour)
	wantNotice(mails.Next(t), t, "ada@example.com", "A new API token at Guestlist", "Name: deploy\n")

	ada = ada.InNewBrowser() // a fresh sign-in, for another token
	ada.SignIn()
	<-mails.Links
	mails.Refusal.Store(&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "unknown"})
	ada.MakeToken("other", "read", "7")
	harness.Eventually(t, "a refused one waits for an administrator", func() bool {
		return strings.Contains(ada.Get("/waiting").Text(), "Send an email notice · ada@example.com Refused")
	})
	harness.WantPage(t, ada.Submit(ada.Get("/waiting"), "Cancel"), 200, "Pending updates", "Cancelled for ada@example.com. The notice won’t be sent.")
}

// Stytch can't send our own texts.
func TestNotice_WithStytchRequiresSMTP(t *testing.T) {
	t.Parallel()
	mails := harness.NewMailServer(t)
	for _, row := range []struct {
		name    string
		flags   []string
		notices int
	}{
		{"without one", nil, 0},
		{"with one", []string{"--smtp-url=smtp://" + mails.Addr, "--guestlist-mail-from=login@example.com"}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := harness.NewClock(harness.Noon)
			r := harness.NewRemoteStytch(t, c)
			s := harness.Start(t, testdb.SQLite(t), c, r.Flags(row.flags...)...)
			ada := r.NewPerson(s, "ada@example.com")
			ada.SignIn()
			ada.MakeToken("deploy", "read", "7")
			if row.notices == 0 {
				if n := s.Count("SELECT COUNT(*) FROM outbox WHERE kind = 'notify'"); n != 0 {
					t.Errorf("%d jobs wait for a mail server", n)
				}
				return
			}
			wantNotice(mails.Next(t), t, "ada@example.com", "A new API token at Guestlist", "Name: deploy\n", s.URL+"/profile")
			if got := ada.Notices(); len(got) != 0 {
				t.Errorf("Stytch has mailed %+v", got)
			}
		})
	}
}

// A command that imports people also runs jobs of others.
func TestNotice_SentByACommand(t *testing.T) {
	t.Parallel()
	s, mails, ada := startWithMail(t, testdb.SQLite(t))
	mails.Refusal.Store(&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "greylisted"})
	ada.MakeToken("deploy", "read", "7")
	harness.Eventually(t, "the instance has tried", func() bool { return strings.Contains(ada.Get("/waiting").Text(), "450 4.2.0") })
	mails.Refusal.Store(nil)

	a, err := app.OpenAdmin(t.Context(), s.Config, s.Clock.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	a.Worker.Deliver(t.Context(), "notice to ada@example.com")
	if n := s.Count("SELECT COUNT(*) FROM outbox"); n != 0 {
		t.Fatalf("the notice waits: %s", ada.Get("/waiting").Text())
	}
	wantNotice(mails.Next(t), t, "ada@example.com", "A new API token at Guestlist", "Name: deploy\n")
}

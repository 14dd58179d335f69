package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/testdb"
)

// startWithMail runs an instance whose mails leave by SMTP; ada has signed in as its
// administrator.
func startWithMail(t *testing.T, databaseURL string, flags ...string) (*site, *mailServer, *person) {
	t.Helper()
	mails := newMailServer(t)
	s := start(t, databaseURL, newClock(noon), append([]string{"--guestlist-local-stytch-limits=off",
		"--smtp-url=smtp://" + mails.addr, "--guestlist-mail-from=login@example.com", "--guestlist-admins=ada@example.com"}, flags...)...)
	ada := s.person("ada@example.com")
	wants(t, ada.continues(ada.opensMail()), 200, "People")
	<-mails.links
	return s, mails, ada
}

// says checks what a notice is about, and that it says each of the texts.
func (n notice) says(t *testing.T, to, subject string, texts ...string) {
	t.Helper()
	if !strings.Contains(n.to, to) || n.subject != subject {
		t.Errorf("a notice to %s: %q, want to %s: %q", n.to, n.subject, to, subject)
	}
	plain := strings.NewReplacer("=\r\n", "", "=3D", "=", "\r\n", "\n").Replace(n.text)
	for _, text := range texts {
		if !strings.Contains(plain, text) {
			t.Errorf("the notice %q does not say %q:\n%s", n.subject, text, plain)
		}
	}
}

func TestNotice_OfANewTokenGoesToItsOwner(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, mails, ada := startWithMail(t, databaseURL)
		ada.makesToken("see www.evil.example", "write", "7")
		mails.next(t).says(t, "ada@example.com", "A new API token at Guestlist",
			"Name: see www. evil. example\n", "Scope and end: write, until 2026-03-08\n", "When: 1 March 2026 at ", "By: ada@example.com\n",
			"From the network address: 127.0.0.1\n", "With the browser or program: ", s.url+"/profile")
		eventually(t, "the job is done", func() bool { return s.count("SELECT COUNT(*) FROM outbox") == 0 })
		if own := ada.notices(); len(own) != 1 || own[0].Subject != "A new API token at Guestlist" {
			t.Errorf("the inbox has %+v", own)
		}
	})
}

func TestNotice_OfANewAdministratorGoesToTheOthers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, mails, ada := startWithMail(t, databaseURL)
		for _, name := range []string{"grace@example.com", "joan@example.com"} {
			ada.invites(name)
			<-mails.links
			p := s.person(name)
			p.continues(p.opensMail())
		}
		graces := s.userID(t, "grace@example.com")
		ada.calls("PATCH", "/api/users/"+graces, `{"role":"admin"}`)
		mails.next(t).says(t, "ada@example.com", "A new administrator at Guestlist",
			"Administrator: grace@example.com\n", "By: ada@example.com\n", s.url+"/users/"+graces)

		// By an operator, and by an invitation: to both administrators, not to joan.
		role := "admin"
		admin := directory.Edit{Role: &role}
		a, err := app.OpenAdmin(t.Context(), s.cfg, s.clock.now, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if _, err := a.Directory.Edit(app.WithOperator(t.Context()), s.userID(t, "joan@example.com"), admin); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			mails.next(t).says(t, "@example.com", "A new administrator at Guestlist", "Administrator: joan@example.com\n", " on the command line\n")
		}
		ada.invites("eve@example.com", "role", "admin")
		<-mails.links
		for range 3 {
			mails.next(t).says(t, "@example.com", "A new administrator at Guestlist", "Administrator: eve@example.com\n", "By: ada@example.com\n")
		}
		ada.calls("PATCH", "/api/users/"+graces, `{"name":"Grace","role":"admin"}`)
		ada.calls("PATCH", "/api/users/"+graces, `{"role":"member"}`)
		if n := s.count("SELECT COUNT(*) FROM outbox"); n != 0 {
			t.Errorf("%d jobs are left where nobody became an administrator", n)
		}
	})
}

// userID returns the id of the user who has an address.
func (s *site) userID(t *testing.T, address string) string {
	t.Helper()
	email, err := directory.ParseEmail(address)
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.app.Store.GetUserByEmail(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	return u.ID
}

func TestNotice_OfAnImportOfAdministratorsIsOne(t *testing.T) {
	t.Parallel()
	s, mails, ada := startWithMail(t, testdb.SQLite(t))
	v := ada.sendsFile("people.csv", "email,role\nx@example.com,admin\ny@example.com,admin\nz@example.com,member\n")
	ada.submits(v, "Import 3 people")
	mails.next(t).says(t, "ada@example.com", "New administrators at Guestlist", "Import: people. csv: 3 people", "By: ada@example.com\n")
	eventually(t, "all is done", func() bool {
		return s.count("SELECT COUNT(*) FROM outbox") == 0 && s.count("SELECT COUNT(*) FROM users") == 4
	})
	if len(mails.notices) != 0 {
		t.Error("there is more than one notice of an import")
	}
}

// A mail server that is down delays a notice, and nothing else waits for it.
func TestNotice_WhileTheMailServerTakesNoneIsSentLater(t *testing.T) {
	t.Parallel()
	s, mails, ada := startWithMail(t, testdb.SQLite(t))
	mails.refusal.Store(&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "greylisted"})
	ada.makesToken("deploy", "read", "7")
	eventually(t, "the page says that it waits", func() bool {
		text := ada.get("/waiting").Text()
		return strings.Contains(text, "Mail a notice of a new token or administrator · ada@example.com") && strings.Contains(text, "450 4.2.0")
	})
	mails.refusal.Store(nil)
	ada.invites("grace@example.com") // is not behind it
	<-mails.links
	s.clock.advance(time.Hour)
	mails.next(t).says(t, "ada@example.com", "A new API token at Guestlist", "Name: deploy\n")

	mails.refusal.Store(&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "unknown"})
	ada.makesToken("other", "read", "7")
	eventually(t, "a refused one waits for an administrator", func() bool {
		return strings.Contains(ada.get("/waiting").Text(), "Mail a notice of a new token or administrator · ada@example.com Refused")
	})
	wants(t, ada.submits(ada.get("/waiting"), "Cancel"), 200, "Pending updates", "Given up for ada@example.com. They are not mailed the notice.")
}

// Stytch has no call that mails a text of ours.
func TestNotice_BesideStytchNeedsAMailServer(t *testing.T) {
	t.Parallel()
	mails := newMailServer(t)
	for _, row := range []struct {
		name    string
		flags   []string
		notices int
	}{
		{"without one", nil, 0},
		{"with one", []string{"--smtp-url=smtp://" + mails.addr, "--guestlist-mail-from=login@example.com"}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newClock(noon)
			r := newRemote(t, c)
			s := start(t, testdb.SQLite(t), c, r.flags(row.flags...)...)
			ada := r.person(s, "ada@example.com")
			ada.signsIn()
			ada.makesToken("deploy", "read", "7")
			if row.notices == 0 {
				if n := s.count("SELECT COUNT(*) FROM outbox WHERE kind = 'notify'"); n != 0 {
					t.Errorf("%d jobs wait for a mail server", n)
				}
				return
			}
			mails.next(t).says(t, "ada@example.com", "A new API token at Guestlist", "Name: deploy\n", s.url+"/profile")
			if got := ada.notices(); len(got) != 0 {
				t.Errorf("Stytch has mailed %+v", got)
			}
		})
	}
}

// A command that imports people carries jobs out as well, those of others among them.
func TestNotice_IsSentByACommand(t *testing.T) {
	t.Parallel()
	s, mails, ada := startWithMail(t, testdb.SQLite(t))
	mails.refusal.Store(&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "greylisted"})
	ada.makesToken("deploy", "read", "7")
	eventually(t, "the instance has tried", func() bool { return strings.Contains(ada.get("/waiting").Text(), "450 4.2.0") })
	mails.refusal.Store(nil)

	a, err := app.OpenAdmin(t.Context(), s.cfg, s.clock.now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	a.Worker.Deliver(t.Context(), "notice to ada@example.com")
	if n := s.count("SELECT COUNT(*) FROM outbox"); n != 0 {
		t.Fatalf("the notice waits: %s", ada.get("/waiting").Text())
	}
	mails.next(t).says(t, "ada@example.com", "A new API token at Guestlist", "Name: deploy\n")
}

package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// startConfirming runs an instance whose administrator signed in too long ago for dangerous actions.
func startConfirming(t *testing.T, databaseURL string, flags ...string) (*harness.Site, *harness.Person) {
	t.Helper()
	s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), append([]string{"--guestlist-admins=ada@example.com,bo@example.com", "--guestlist-cookie-keys=" + harness.CookieKey}, flags...)...)
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	s.Clock.Advance(factor.FreshFor)
	return s, ada
}

// addApp submits the form of a new app.
func addApp(p *harness.Person) harness.View {
	p.T.Helper()
	return p.Post("/apps/new", "name", "Wiki", "url", "https://wiki.example.com", "audience", "everyone")
}

// countApps returns the number of apps.
func countApps(s *harness.Site) int { return s.Count("SELECT COUNT(*) FROM apps") }

// wantApp checks that a page without JavaScript carries on with the form, once.
func wantApp(t *testing.T, s *harness.Site, p *harness.Person, confirmed harness.View) {
	t.Helper()
	harness.WantPage(t, confirmed, http.StatusOK, "Confirmed", "Continue to add an app.")
	if n := countApps(s); n != 0 {
		t.Fatalf("%d apps before the form was submitted again", n)
	}
	added := p.Submit(confirmed, "Continue")
	harness.WantPage(t, added, http.StatusOK, "Wiki", "Wiki was added.")
	if again := p.Get("/confirm/continue"); again.Heading() != "My apps" || countApps(s) != 1 {
		t.Errorf("the form is still kept: %s, %d apps", again.Path, countApps(s))
	}
}

func TestConfirm_ByEmailedCode(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, ada := startConfirming(t, databaseURL)
		page := addApp(ada)
		harness.WantPage(t, page, http.StatusOK, "Confirm it’s you", "You’re about to add an app.")
		if countApps(s) != 0 {
			t.Fatal("the app was added")
		}
		page = ada.Submit(page, "Email me a code")
		harness.WantPage(t, page, http.StatusOK, "Confirm it’s you", "We’ve emailed a code to ada@example.com.")
		code := ada.NextCode()
		for typed, problem := range map[string]string{
			wrongCode(code): "This code isn’t right. Check the newest email and try again.",
			"12":            "Enter the six digits of the code.",
		} {
			refused := ada.Submit(page, "Confirm", "Code from the email", typed)
			harness.WantPage(t, refused, http.StatusUnprocessableEntity, "Confirm it’s you", problem, "You’re about to add an app.")
			page = refused
		}
		wantApp(t, s, ada, ada.Submit(page, "Confirm", "Code from the email", code))
		if n := s.Count("SELECT COUNT(*) FROM events WHERE kind IN ('confirmed', 'confirm_refused')"); n != 2 {
			t.Errorf("%d events of the confirmation, want one and a refusal", n)
		}
	})
}

// wrongCode returns another code of six digits.
func wrongCode(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

func TestConfirm_ByAuthenticatorAppAndRecoveryCode(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, ada := startConfirming(t, databaseURL)
		phone := ada.AddAuthenticator()
		s.Clock.Advance(factor.FreshFor)
		page := addApp(ada)
		refused := ada.Submit(page, "Confirm", "Code from your authenticator app", wrongCode(phone.Code()))
		harness.WantPage(t, refused, http.StatusUnprocessableEntity, "Confirm it’s you", "This code isn’t right. Enter the one that your app shows now.")
		wantApp(t, s, ada, ada.Submit(refused, "Confirm", "Code from your authenticator app", phone.Code()))

		s.Clock.Advance(factor.FreshFor)
		page = ada.Submit(ada.Get("/profile"), "Create token", "Token name", "backup")
		harness.WantPage(t, page, http.StatusOK, "Confirm it’s you", "You’re about to create an API token.")
		harness.WantPage(t, ada.Submit(page, "Use recovery code", "Recovery code", "abc"), http.StatusUnprocessableEntity, "Confirm it’s you", "Enter one of your recovery codes")
		page = ada.Submit(page, "Use recovery code", "Recovery code", strings.ToUpper(phone.RecoveryCodes[0]))
		harness.WantPage(t, ada.Submit(page, "Continue"), http.StatusOK, "ada@example.com", "Token backup created.")

		s.Clock.Advance(factor.FreshFor)
		page = ada.Submit(ada.Get("/profile"), "Create token", "Token name", "again")
		refused = ada.Submit(page, "Use recovery code", "Recovery code", phone.RecoveryCodes[0])
		harness.WantPage(t, refused, http.StatusUnprocessableEntity, "Confirm it’s you", "This isn’t one of your unused recovery codes.")
		if n := s.Count("SELECT codes_left FROM user_factors"); n != factor.RecoveryCodes-1 {
			t.Errorf("%d codes left", n)
		}
	})
}

func TestConfirm_LimitsTriesAndKeepsTheFormWhileTheServiceIsDown(t *testing.T) {
	t.Parallel()
	s, ada := startConfirming(t, testdb.SQLite(t))
	phone := ada.AddAuthenticator()
	s.Clock.Advance(factor.FreshFor)
	page := addApp(ada)
	s.SetFaults(`{"rules":[{"kind":"down"}]}`)
	down := ada.Submit(page, "Confirm", "Code from your authenticator app", phone.Code())
	harness.WantPage(t, down, http.StatusServiceUnavailable, "Confirm it’s you", "We can’t check that right now. Nothing was lost.", "You’re about to add an app.")
	if down.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	harness.WantPage(t, ada.Submit(page, "Email me a code"), http.StatusServiceUnavailable, "Confirm it’s you", "We can’t email a code right now.")
	s.SetFaults(`{}`)
	for range 10 {
		down = ada.Submit(page, "Confirm", "Code from your authenticator app", wrongCode(phone.Code()))
	}
	harness.WantPage(t, down, http.StatusTooManyRequests, "Confirm it’s you", "Too many tries. Try again in", "You’re about to add an app.")
	s.Clock.Advance(5 * time.Minute)
	wantApp(t, s, ada, ada.Submit(page, "Confirm", "Code from your authenticator app", phone.Code()))
}

func TestConfirm_OpensAnExport(t *testing.T) {
	t.Parallel()
	s, ada := startConfirming(t, testdb.SQLite(t))
	phone := ada.AddAuthenticator()
	s.Clock.Advance(factor.FreshFor)
	page := ada.Get("/users/export.csv?q=ada")
	harness.WantPage(t, page, http.StatusOK, "Confirm it’s you", "You’re about to export the list.")
	if back, _ := page.Link("Cancel"); back != "/users" {
		t.Errorf("Cancel leads to %q", back)
	}
	file := ada.Submit(page, "Confirm", "Code from your authenticator app", phone.Code())
	if file.Status != http.StatusOK || !strings.Contains(file.Body, "ada@example.com") || !strings.HasPrefix(file.Header.Get("Content-Type"), "text/csv") {
		t.Errorf("%d %s", file.Status, file.Body)
	}
}

func TestConfirm_CancelKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	_, ada := startConfirming(t, testdb.SQLite(t))
	page := addApp(ada)
	back, _ := page.Link("Cancel")
	form := ada.Get(back)
	harness.WantPage(t, form, http.StatusOK, "Add an app", "You didn’t confirm it’s you, so this wasn’t saved.")
	if f, ok := form.Form("Add app"); !ok || f.Value("Name") != "Wiki" {
		t.Errorf("the form is empty: %s", form.Body)
	}
}

func TestConfirm_KeptFormBelongsToItsUser(t *testing.T) {
	t.Parallel()
	s, ada := startConfirming(t, testdb.SQLite(t))
	addApp(ada)
	bo := s.NewPerson("bo@example.com")
	bo.Jar = ada.Jar // the same browser
	ada.Post("/signout")
	bo.SignIn()
	if page := bo.Get("/confirm"); page.Heading() != "My apps" {
		t.Errorf("%s: %s", page.Path, page.Text())
	}
	if page := bo.Get("/confirm/continue"); page.Heading() != "My apps" || countApps(s) != 0 {
		t.Errorf("%s: %s", page.Path, page.Text())
	}
}

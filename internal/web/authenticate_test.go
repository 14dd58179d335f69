package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// mailedToken waits for an emailed link and returns its token.
func (f *fixture) mailedToken() string {
	f.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var link string
		if f.store.Reader().QueryRowContext(f.t.Context(), "SELECT link FROM stytch_mails WHERE link <> ''").Scan(&link) == nil {
			address, err := url.Parse(link)
			if err != nil {
				f.t.Fatal(err)
			}
			return address.Query().Get("token")
		}
	}
	f.t.Fatal("no link was emailed")
	return ""
}

// A token is not tried as another type than its own, so it isn't used up.
func TestAuthenticate_TokenTypes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(directory.User{Email: directory.Email{Display: "ada@example.com"}})
	c := f.visitor()
	c.form("/signin", "email", "ada@example.com", "send", "code") // the login service creates her account
	f.mailedCode("")
	c.form("/signin", "email", "ada@example.com")
	token := f.mailedToken()
	const path = "/api/authenticate_magic_link"
	for _, tokenType := range []string{"oauth", "discovery", "MAGIC_LINKS", "magic_links,oauth", "<script>"} {
		if a := c.get(path + "?stytch_token_type=" + tokenType + "&token=" + token); a.status < 400 || a.status >= 500 {
			t.Errorf("opened as %q: %d %s", tokenType, a.status, a.Text())
		}
		for _, pressed := range []string{"", "yes"} {
			a := c.form(path, "token", token, "type", tokenType, "pressed", pressed)
			if _, signedIn := c.cookies["guestlist"]; a.status < 400 || a.status >= 500 || signedIn {
				t.Errorf("posted as %q: %d %s", tokenType, a.status, a.Text())
			}
		}
	}
	page := c.get(path + "?stytch_token_type=magic_links&token=" + token)
	form, _ := page.Form("Continue")
	if form.Values.Get("type") != "magic_links" || form.Values.Get("token") != token {
		t.Errorf("the form has %v", form.Values)
	}
	if a := c.form(path, "token", token, "type", "magic_links"); a.status != http.StatusSeeOther || c.get("/profile").status != 200 {
		t.Errorf("as a link: %d %s", a.status, a.Text())
	}
}

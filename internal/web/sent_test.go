package web

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// mailedCode waits for an emailed code other than old, and until it's recorded that it was sent.
func (f *fixture) mailedCode(old string) string {
	f.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var code string
		err := f.store.Reader().QueryRowContext(f.t.Context(),
			"SELECT code FROM stytch_mails WHERE code <> '' AND code <> ? AND NOT EXISTS (SELECT 1 FROM email_codes WHERE method_id = '') LIMIT 1", old).Scan(&code)
		if err == nil && code != old {
			return code
		}
	}
	f.t.Fatal("no code was emailed")
	return ""
}

// otherThan returns n codes that differ from a code.
func otherThan(code string, n int) []string {
	var others []string
	for _, other := range []string{"000000", "000001", "000002", "000003", "000004", "000005", "000006"} {
		if other != code && len(others) < n {
			others = append(others, other)
		}
	}
	return others
}

func TestSentPage_SameForEveryAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(directory.User{Email: directory.Email{Display: "ada@example.com"}})
	f.add(directory.User{Email: directory.Email{Display: "bob@example.com"}, Status: directory.Suspended})
	for _, send := range []string{"", "code"} {
		var first string
		for _, address := range []string{"Ada@Example.com", "bob@example.com", "eve@example.com"} {
			c := f.visitor()
			if a := c.form("/signin", "email", address, "send", send); a.status != http.StatusSeeOther || a.header.Get("Location") != "/signin/sent" {
				t.Fatalf("%s: %d", address, a.status)
			}
			a := c.get("/signin/sent")
			if normalized := strings.ToLower(address); !strings.Contains(a.Text(), "If "+normalized+" is on the list") {
				t.Errorf("%s: %s", address, a.Text())
			}
			if _, hasField := a.Form("Sign in"); hasField != (send == "code") {
				t.Errorf("%s: the page has a field for a code: %v", address, hasField)
			}
			page := strings.ReplaceAll(a.body, strings.ToLower(address), "")
			if first == "" {
				first = page
			}
			if page != first {
				t.Errorf("%s has another page:\n%s\nthan the first:\n%s", address, page, first)
			}
		}
	}
}

func TestSentPage_ChangeAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.visitor()
	c.form("/signin", "email", "ada@exmaple.com", "next", "/users?q=x")
	path, ok := c.get("/signin/sent").Link("Change address")
	if !ok || strings.Contains(path, "ada") {
		t.Fatalf("leads to %q", path)
	}
	form, _ := c.get(path).Form("Email me a link")
	if typed := form.Value("Email address"); typed != "ada@exmaple.com" {
		t.Errorf("the field has %q", typed)
	}
	c.form("/signin", "email", "ada@example.com")
	r := c.request("GET", "/signin/sent", "")
	if flow, ok := f.server.opts.Cookies.Flow(r); !ok || flow.ReturnPath != "/users?q=x" || flow.Email != "ada@example.com" {
		t.Errorf("the flow is %+v", flow)
	}
}

func TestSentPage_WithoutAFlow(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if a := f.visitor().get("/signin/sent"); a.status != 200 || !strings.Contains(a.Text(), "If your address is on the list") {
		t.Errorf("%d %s", a.status, a.Text())
	}
	for _, field := range []string{"code", "send"} {
		if a := f.visitor().form("/signin/sent", field, "123456"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/" {
			t.Errorf("%s: %d, leads to %q", field, a.status, a.header.Get("Location"))
		}
	}
}

func TestSignInWithCode_LikeALink(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.add(directory.User{Email: directory.Email{Display: "ada@example.com"}})
	c := f.visitor()
	c.form("/signin", "email", "ada@example.com", "next", "/profile?x")
	if a := c.form("/signin/sent", "send", "code"); a.status != http.StatusSeeOther { // the first code needn't wait
		t.Fatalf("%d %s", a.status, a.Text())
	}
	code := f.mailedCode("")
	before := maps.Clone(c.cookies)
	a := c.form("/signin/sent", "code", " "+code[:3]+"-"+code[3:]+" ")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/profile?x" {
		t.Fatalf("%d %q %s", a.status, a.header.Get("Location"), a.Text())
	}
	if page := c.get("/profile"); page.status != 200 || !strings.Contains(page.Text(), "ada@example.com") {
		t.Errorf("%d %s", page.status, page.Text())
	}
	r := c.request("GET", "/", "")
	if f.server.opts.Cookies.KnownBrowser(r, "ada@example.com") == "" {
		t.Error("the browser isn't known afterwards")
	}
	// The response was lost: the same browser posts the code again.
	lost := &caller{f: f, cookies: before}
	if a := lost.form("/signin/sent", "code", code); a.status != http.StatusSeeOther || lost.get("/profile").status != 200 {
		t.Errorf("again: %d %s", a.status, a.Text())
	}
	// The user comes back to the page later.
	f.clock.advance(2 * time.Minute)
	if a := c.form("/signin/sent", "code", code); a.status != http.StatusSeeOther || a.header.Get("Location") != "/profile?x" {
		t.Errorf("later: %d %s", a.status, a.Text())
	}
	if list, err := f.server.opts.Sessions.List(t.Context(), ada.ID); len(list) != 1 || err != nil {
		t.Errorf("%d sessions, %v", len(list), err)
	}
}

func TestSignInWithCode_ReplacesTheSignedInUser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(directory.User{Email: directory.Email{Display: "ada@example.com"}})
	c := f.signedIn(directory.Member, "bob@example.com")
	c.form("/signin", "email", "ada@example.com", "send", "code")
	if a := c.form("/signin/sent", "code", f.mailedCode("")); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if text := c.get("/profile").Text(); !strings.Contains(text, "ada@example.com") {
		t.Errorf("the profile says %s", text)
	}
	if list, err := f.server.opts.Sessions.List(t.Context(), c.user.ID); len(list) != 0 || err != nil {
		t.Errorf("bob has %d sessions, %v", len(list), err)
	}
}

func TestSignInWithCode_WrongCodes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(directory.User{Email: directory.Email{Display: "ada@example.com"}})
	c := f.visitor()
	c.form("/signin", "email", "ada@example.com", "send", "code")
	code := f.mailedCode("")
	refused := func(typed, text string) {
		t.Helper()
		a := c.form("/signin/sent", "code", typed)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Problems()["code"], text) {
			t.Errorf("%q: %d %v, want %q", typed, a.status, a.Problems(), text)
		}
		if form, _ := a.Form("Sign in"); form.Value("Six-digit code") != typed {
			t.Errorf("%q: the field has %q", typed, form.Value("Six-digit code"))
		}
		if _, found := c.cookies["guestlist"]; found {
			t.Fatal("signed in")
		}
	}
	refused("", "Enter the six digits")
	refused("12345", "Enter the six digits")
	refused("<script>", "Enter the six digits")
	for i, other := range otherThan(code, 5) {
		refused(other, []string{"You have 4 tries left.", "3 tries", "2 tries", "one try left", "no longer works"}[i])
	}
	refused(code, "no longer works")
	f.clock.advance(time.Minute)
	if a := c.form("/signin/sent", "send", "code"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if text := c.get("/signin/sent").Text(); !strings.Contains(text, "Another code is on its way if the address is on the list.") {
		t.Errorf("the page says %s", text)
	}
	if a := c.form("/signin/sent", "code", f.mailedCode(code)); a.status != http.StatusSeeOther || a.header.Get("Location") != "/apps" {
		t.Errorf("%d %s", a.status, a.Text())
	}
}

func TestSignInWithCode_OtherRefusals(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.add(directory.User{Email: directory.Email{Display: "ada@example.com"}})
	c := f.visitor()
	c.form("/signin", "email", "ada@example.com", "send", "code")
	code := f.mailedCode("")
	other := f.visitor() // it requests a link only
	other.form("/signin", "email", "ada@example.com")
	if a := other.form("/signin/sent", "code", code); a.status != http.StatusUnprocessableEntity {
		t.Errorf("in another browser: %d", a.status)
	}
	f.clock.advance(time.Second)
	status := "suspended"
	if _, err := f.server.opts.Directory.Edit(t.Context(), directory.Actor{}, ada.ID, directory.Edit{Status: &status}); err != nil {
		t.Fatal(err)
	}
	if a := c.form("/signin/sent", "code", code); a.status != http.StatusForbidden || a.Heading() != "Your access is suspended" {
		t.Errorf("suspended: %d %s", a.status, a.Text())
	}
}

func TestSentPage_Resend(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.visitor()
	c.form("/signin", "email", "ada@example.com")
	page := c.get("/signin/sent")
	if !strings.Contains(page.body, `data-wait="30"`) || !strings.Contains(page.body, "<noscript><p class=\"help\">You can send another in 30 seconds.") {
		t.Errorf("the page doesn't say when: %s", page.body)
	}
	f.clock.advance(29 * time.Second)
	a := c.form("/signin/sent", "send", "link")
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "1" || !strings.Contains(a.Text(), "You can request another in 1 second.") {
		t.Errorf("%d, Retry-After %q, %s", a.status, a.header.Get("Retry-After"), a.Text())
	}
	f.clock.advance(2 * time.Second)
	if page := c.get("/signin/sent"); strings.Contains(page.body, "data-wait") || strings.Contains(page.body, "<noscript>") {
		t.Errorf("the page still waits: %s", page.body)
	}
	if a := c.form("/signin/sent", "send", "link"); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if text := c.get("/signin/sent").Text(); !strings.Contains(text, "Another link is on its way if the address is on the list.") {
		t.Errorf("the page says %s", text)
	}
	if text := c.get("/signin/sent").Text(); strings.Contains(text, "Another link") {
		t.Errorf("and again: %s", text)
	}
}

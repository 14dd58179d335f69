package guard

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/static"
)

// pages makes the pages that are shown on the hosts of apps. They contain all that they need,
// because everything else at these hosts is the app's.
type pages struct{ base string }

func newPages(baseURL *url.URL) *pages { return &pages{baseURL.String()} }

// page is what a page says.
type page struct {
	Title   string
	Text    string
	Account string // address of the signed-in user; may be empty
	Actions []action
	home    string // Guestlist's own address
}

// action is a link that looks like a button.
type action struct{ Label, Href string }

// refused says that the signed-in user may not open the app.
func (p *pages) refused(access apps.Access) *page {
	app := access.App
	view := &page{
		Title: "You can’t open " + app.Name, Account: access.User.Email.Display, home: p.base,
		Text: RefusedText(access.Decision),
	}
	if app.AllowRequests {
		view.Actions = append(view.Actions, action{"Request access", p.base + "/apps/" + app.ID + "/request"})
	}
	view.Actions = append(view.Actions, action{"Switch account", p.base + "/signout?app=" + app.ID})
	return view
}

// RefusedText returns the sentences that explain a decision to the user it is about.
func RefusedText(d apps.Decision) string {
	switch d {
	case apps.SwitchedOff:
		return "An administrator has switched this app off, so no one can open it at the moment."
	case apps.MembershipEnded:
		return "Your access to this app has ended. An administrator can renew it."
	}
	return "This account doesn’t have access to this app. An administrator can change that."
}

// switchedOff says that an app is switched off.
func (p *pages) switchedOff(app apps.App, path string) *page {
	title, text := SwitchedOffText(app)
	return &page{Title: title, Text: text, home: p.base, Actions: []action{{"Try again", app.URL() + path}}}
}

// SwitchedOffText returns the title and text of the page about an app that is switched off. It
// names the host only, because visitors who aren't signed in see it.
func SwitchedOffText(app apps.App) (title, text string) {
	return app.Host + " is switched off", "An administrator has switched this app off, so no one can open it at the moment. Try again later."
}

// startAgain says that a sign-in to the app didn't work.
func (p *pages) startAgain(app apps.App, path string, problem apps.Problem) *page {
	title, text := StartAgainText(app, problem)
	return &page{Title: title, Text: text, home: p.base, Actions: []action{{"Start again", app.URL() + path}}}
}

// StartAgainText returns the title and text of the page that leads back to an app. It names the
// host only, because visitors who aren't signed in see it.
func StartAgainText(app apps.App, problem apps.Problem) (title, text string) {
	switch problem {
	case apps.ProblemCookie:
		return "Your browser didn’t keep a cookie", "Signing in to " + app.Host + " needs a cookie. Allow cookies for this address, " +
			"then start again. If they’re allowed, you may have started in another browser."
	case apps.ProblemLoop:
		return "Signing in to " + app.Host + " keeps starting over", "Your browser was signed in several times within a minute and lost its cookie each time. " +
			"Allow cookies for this address, wait a minute, then start again."
	}
	return "This sign-in didn’t finish", "It took too long, was already used, or was started in another browser. Nothing was lost."
}

// unavailable says that access can't be checked.
func (p *pages) unavailable() *page {
	return &page{Title: "We can’t check your access right now", Text: "Nothing was lost, and you’re still signed in. Try again in a minute.", home: p.base}
}

// unknownHostPage says that no app has the host.
func unknownHostPage() *page {
	return &page{Title: "No app at this address", Text: "Check the address. If you’re setting this app up, add it to Guestlist with exactly this host."}
}

// pageTemplate and pagePolicy are the template of all pages and their Content-Security-Policy.
var pageTemplate = sync.OnceValue(func() *template.Template {
	page := template.New("page.html").Funcs(template.FuncMap{"titleParts": static.TitleParts})
	return template.Must(page.ParseFS(static.Templates(), "guard/page.html", "parts/title.html"))
})

// styleElement is where the template has no style sheet, which is the same in all pages.
const styleElement = "<style></style>"

var stylesheet = sync.OnceValue(func() string {
	return strings.ReplaceAll(string(static.Load().Content("css/app.css")), "</", "")
})

var pagePolicy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(stylesheet()))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// Home returns the address of Guestlist, or that of the host's root if it is unknown.
func (v *page) Home() string {
	if v.home == "" {
		return "/"
	}
	return v.home + "/"
}

// write sends the page. If it can't be rendered, its title is sent as plain text.
func (v *page) write(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, v); err != nil {
		http.Error(w, v.Title, status)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy())
	w.WriteHeader(status)
	before, after, _ := strings.Cut(b.String(), styleElement)
	_, _ = io.WriteString(w, before+"<style>"+stylesheet()+"</style>"+after)
}

package stytchlocal

import (
	"embed"
	"encoding/json"
	htmltemplate "html/template"
	"net/url"
	"strings"
	"sync"
	texttemplate "text/template"
)

//go:embed templates
var templateFiles embed.FS

// The templates are parsed when the first mail is written.
var (
	mailHTML = sync.OnceValue(func() *htmltemplate.Template {
		return htmltemplate.Must(htmltemplate.ParseFS(templateFiles, "templates/mail_*.html"))
	})
	mailText = sync.OnceValue(func() *texttemplate.Template {
		return texttemplate.Must(texttemplate.ParseFS(templateFiles, "templates/mail_*.txt"))
	})
)

// mailData is what a mail's template is given.
type mailData struct {
	mailContent
	To          string
	Name        name
	By          string // who invites, on one short line; empty: nobody in particular
	Link        string
	Valid       string // how long the link works, in words
	Home        string // where another link can be asked for
	SameBrowser bool   // the link works only where it was asked for
	Lead        string // of a notice, as the next two
	Facts       []Fact
	Advice      string
	Product     string
}

// mailContent is what one kind of mail says at its fixed places.
type mailContent struct {
	template string
	title    string // with a place for the product's name
	Button   string
	Unasked  string // for whom the mail means nothing
}

var (
	signIn = mailContent{
		"mail_sign_in", "Sign in to %s", "Sign in",
		"You did not ask for this? Then ignore this mail: nobody can sign in without it.",
	}
	invitation = mailContent{
		"mail_invitation", "You are invited to %s", "Accept the invitation",
		"You did not expect this? Then ignore this mail: without you, nothing happens.",
	}
)

// Title is the subject, and the heading.
func (l mailData) Title() string { return strings.Replace(l.title, "%s", l.Product, 1) }

// Greeting addresses the person by name, if there is one.
func (l mailData) Greeting() string {
	if full := sanitizeName(l.Name.First + " " + l.Name.Middle + " " + l.Name.Last); full != "" {
		return "Hello " + full + ","
	}
	return "Hello,"
}

// inviter is who invites, if the app says so in the trusted metadata that it sends
// with an invitation. What an earlier invitation said no longer counts.
func inviter(trusted json.RawMessage) string {
	var said struct {
		By string `json:"invited_by"`
	}
	if err := json.Unmarshal(trusted, &said); err != nil {
		return "" // not there, or no text
	}
	return sanitizeName(said.By)
}

// appURL is where the app that a link leads to begins: the program itself, which may
// be below a path of its host, or another app that uses it as its Stytch.
func (s *Server) appURL(redirectURL string) string {
	u, err := url.Parse(redirectURL)
	if err != nil || redirectURL == s.opts.BaseURL || strings.HasPrefix(redirectURL, s.opts.BaseURL+"/") {
		return s.opts.BaseURL
	}
	return u.Scheme + "://" + u.Host
}

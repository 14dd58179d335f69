package mail

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strconv"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"

	"github.com/guestlist/guestlist/internal/ids"
)

//go:embed templates
var templateFiles embed.FS

// Templates are parsed on first use: most commands send no email.
var (
	htmlTemplates = sync.OnceValue(func() *htmltemplate.Template {
		return htmltemplate.Must(htmltemplate.ParseFS(templateFiles, "templates/*.html"))
	})
	textTemplates = sync.OnceValue(func() *texttemplate.Template {
		return texttemplate.Must(texttemplate.ParseFS(templateFiles, "templates/*.txt"))
	})
)

// Link is an email with a link to sign in by.
type Link struct {
	Invitation  bool   // an invitation rather than a sign-in link
	To          string // the recipient's address
	Name        string // the recipient's name; may be empty
	InvitedBy   string // the name of the person who invites; may be empty
	URL         string
	Lifetime    time.Duration // how long the link works
	Home        string        // address where another link can be requested
	SameBrowser bool          // the link works only in the browser that requested it
}

// Message returns the email. Product is the name of the program in its text.
func (l Link) Message(product string, now time.Time) (Message, error) {
	d := data{
		Title: "Sign in to %s", Button: "Sign in",
		Unexpected: "Didn’t request this? You can ignore this email: no one can sign in without the link.",
		To:         l.To, InvitedBy: sanitizeName(l.InvitedBy), Link: l.URL, Lifetime: formatLifetime(l.Lifetime), Home: l.Home,
		SameBrowser: l.SameBrowser,
	}
	if !l.Invitation {
		return d.message("sign_in", l.Name, product, now)
	}
	d.Title = "You’re invited to %s"
	d.Button = "Accept the invitation"
	d.Unexpected = "Not expecting this? You can ignore this email."
	return d.message("invitation", l.Name, product, now)
}

type data struct {
	Product    string
	Title      string // subject and heading; %s stands for the product
	Greeting   string
	To         string
	Home       string
	Unexpected string // for a recipient who did not expect the email

	// Of a Link.
	InvitedBy   string
	Link        string
	Lifetime    string
	Button      string
	SameBrowser bool

	// Of a Code.
	Code string

	// Of a Notice; Lead also of a Code.
	Lead   string
	Facts  []Fact
	Advice string
}

// message executes the templates called name.
func (d data) message(name, recipient, product string, now time.Time) (Message, error) {
	d.Product = sanitizeName(product)
	d.Title = strings.Replace(d.Title, "%s", d.Product, 1)
	d.Greeting = greeting(recipient)
	var text, html strings.Builder
	if err := textTemplates().ExecuteTemplate(&text, name+".txt", d); err != nil {
		return Message{}, fmt.Errorf("write email: %w", err)
	}
	if err := htmlTemplates().ExecuteTemplate(&html, name+".html", d); err != nil {
		return Message{}, fmt.Errorf("write email: %w", err)
	}
	return Message{
		ID: "mail-test-" + ids.New(), To: d.To, Subject: d.Title,
		Text: strings.TrimSpace(text.String()) + "\n", HTML: strings.TrimSpace(html.String()) + "\n", Date: now,
	}, nil
}

func greeting(name string) string {
	if name = sanitizeName(name); name != "" {
		return "Hello " + name + ","
	}
	return "Hello,"
}

// formatLifetime formats a duration for people. It rounds down, so that a link never
// lives shorter than the email promises.
func formatLifetime(d time.Duration) string {
	n, unit := int(d.Minutes()), "minute"
	switch {
	case d >= 48*time.Hour:
		n, unit = int(d.Hours())/24, "day"
	case d >= time.Hour && (d >= 4*time.Hour || d%time.Hour == 0):
		n, unit = int(d.Hours()), "hour"
	}
	number := strconv.Itoa(n)
	if small := [...]string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}; n < len(small) {
		number = small[n]
	}
	if n != 1 {
		unit += "s"
	}
	return number + " " + unit
}

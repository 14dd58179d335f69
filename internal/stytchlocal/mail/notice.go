package mail

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/humanize"
)

// Notice is an email that reports a change. It has no link to sign in by, and nothing
// in Name and Facts, which may hold text that people typed, becomes a link.
type Notice struct {
	To, Name string
	Title    string // %s stands for the product's name
	Lead     string // what happened, in a sentence
	Facts    []Fact // those with an empty value are left out
	Advice   string // what to do if the change is unwanted
	Link     string // where to do it: an address of the program itself
	Reason   string // why the recipient gets this email
}

// Fact is a line of a notice.
type Fact struct {
	Label, Value string
	At           time.Time // shown in UTC in place of Value; zero if it isn't a time
	End          time.Time // shown by humanize.FormatEnd in place of Value; zero if it isn't the end of something
}

// Message returns the email. Product is the name of the program in its text.
func (n Notice) Message(product string, now time.Time) (Message, error) {
	d := data{Title: n.Title, To: n.To, Lead: n.Lead, Advice: n.Advice, Home: n.Link, Unexpected: n.Reason}
	for _, f := range n.Facts {
		value := factValue(f.Value)
		if !f.At.IsZero() {
			value = humanize.FormatTime(f.At)
		}
		if !f.End.IsZero() {
			value = humanize.FormatEnd(f.End)
		}
		if value != "" {
			d.Facts = append(d.Facts, Fact{Label: f.Label, Value: value})
		}
	}
	return d.message("notice", n.Name, product, now)
}

// factValue returns a value as one short line. A network address stays as it is.
func factValue(value string) string {
	if address, err := netip.ParseAddr(strings.TrimSpace(value)); err == nil && address.Zone() == "" {
		return address.String()
	}
	return sanitizeName(value)
}

// Notifier sends notices.
type Notifier struct {
	Product string
	Sender  Sender
	Now     func() time.Time
}

// Send writes a notice and sends it. A failure of the mail server is an [*Error].
func (n Notifier) Send(ctx context.Context, notice Notice) error {
	m, err := notice.Message(n.Product, n.Now())
	if err != nil {
		return err
	}
	return n.Sender.Send(ctx, m)
}

package app

import (
	"context"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/safego"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// composeDigest writes a notice to an administrator about users who wait for access, or
// lose it.
func (m noticeMailer) composeDigest(n outbox.Notice, notice *mail.Notice) {
	count := len(n.People) + n.More
	first := n.People[0]
	person := func(item outbox.NoticeItem) string { return nameAndAddress(item.Name, item.Email) }
	notice.Link = m.baseURL + "/requests"
	if n.Topic == outbox.AccessEndings {
		notice.Title = "Access at %s ends soon"
		notice.Advice = "If they still need it, renew it here. Otherwise it ends by itself:"
		if count == 1 {
			notice.Lead = "Someone’s access ends within a week."
			notice.Facts = []mail.Fact{{Label: "Person", Value: person(first)}, {Label: "Group", Value: first.About}, {Label: "Ends", End: first.At}}
			notice.Link = m.baseURL + "/users/" + first.UserID + "/groups/" + first.GroupID + "/renew"
			return
		}
		notice.Lead = "The access of " + humanize.People(count) + " ends within a week."
	} else {
		notice.Title = "Access requested at %s"
		notice.Advice = "Approve or deny it here:"
		if count == 1 {
			notice.Lead = "Someone requested access to an app."
			notice.Facts = []mail.Fact{{Label: "Person", Value: person(first)}, {Label: "App", Value: first.About}, {Label: "Note", Value: first.Note}, {Label: "When", At: first.At}}
			return
		}
		notice.Lead = humanize.Plural(count, "request") + " for access are waiting."
		notice.Advice = "Approve or deny them here:"
	}
	format := humanize.FormatTime
	if n.Topic == outbox.AccessEndings {
		format = humanize.FormatEnd
	}
	for _, item := range n.People {
		notice.Facts = append(notice.Facts, mail.Fact{Label: format(item.At), Value: person(item) + " – " + item.About})
	}
	if n.More > 0 {
		notice.Facts = append(notice.Facts, mail.Fact{Label: "And", Value: humanize.Plural(n.More, "more")})
	}
}

// composeAccess writes a notice to a user about their own access.
func (m noticeMailer) composeAccess(n outbox.Notice, notice *mail.Notice) {
	requestLink := m.baseURL + "/apps"
	if n.AppID != "" {
		requestLink += "/" + n.AppID + "/request"
	}
	switch n.Topic {
	case outbox.AccessApproved:
		notice.Title, notice.Lead = "Your access was approved at %s", "Your request for access was approved."
		notice.Facts = []mail.Fact{{Label: "App", Value: n.App}, {Label: "Until", Value: "no end date", End: n.Until}, {Label: "Approved by", Value: n.By}}
		notice.Advice, notice.Link = "Open it here:", n.AppURL
		if n.AppURL == "" {
			notice.Advice, notice.Link = "Your apps:", m.baseURL+"/apps"
		}
		notice.Reason = "You receive this email because you requested access."
	case outbox.AccessDenied:
		notice.Title, notice.Lead = "Your request was denied at %s", "Your request for access was denied."
		notice.Facts = []mail.Fact{{Label: "App", Value: n.App}, {Label: "Reason", Value: n.Why}, {Label: "Denied by", Value: n.By}}
		notice.Advice, notice.Link = "You can ask again from "+humanize.FormatTime(n.AskAgain)+":", requestLink
		notice.Reason = "You receive this email because you requested access."
	default:
		notice.Title, notice.Lead = "Your access at %s ends soon", "Your access ends within a week."
		notice.Facts = []mail.Fact{{Label: "Apps", Value: strings.Join(n.Apps, ", ")}, {Label: "Group", Value: n.Group}, {Label: "Ends", End: n.Until}}
		notice.Advice, notice.Link = "If you need it for longer, ask an administrator, or ask for it here:", requestLink
		if n.AppID == "" {
			notice.Advice = "If you need it for longer, ask an administrator. Your apps:"
		}
		notice.Reason = "You receive this email because you have access until then."
	}
}

func nameAndAddress(name, address string) string {
	if name == "" {
		return address
	}
	return name + " (" + address + ")"
}

// remindInterval is how often ends of memberships are looked for, and waiting digests written.
const remindInterval = 5 * time.Minute

// remind warns of memberships that end soon, and tells the administrators of what is new
// since the last email, until ctx ends. Access ends without it.
func (a *App) remind(ctx context.Context) {
	for {
		safego.Recover(a.log, "reminders", func() { a.remindOnce(ctx) })
		if retry.Sleep(ctx, remindInterval) != nil {
			return
		}
	}
}

func (a *App) remindOnce(ctx context.Context) {
	now := a.now()
	warned, err := a.Store.WarnOfEnds(ctx, now)
	if err != nil && ctx.Err() == nil {
		a.log.Warn("ends of memberships not announced; retrying later", "error", err)
	}
	wrote, err := a.Store.WriteDigests(ctx, now)
	if err != nil && ctx.Err() == nil {
		a.log.Warn("administrators not told of what is new; retrying later", "error", err)
	}
	if warned > 0 || wrote {
		a.Worker.Wake()
	}
}

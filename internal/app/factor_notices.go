package app

import (
	"strings"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

// composeMethods writes a notice to a user about a change of how they can sign in. from says
// when, by whom and from where.
func (m noticeMailer) composeMethods(n outbox.Notice, from []mail.Fact, notice *mail.Notice) {
	name, isPasskey := strings.CutPrefix(n.Method, "passkey ")
	notice.Facts = from
	if isPasskey {
		notice.Facts = append([]mail.Fact{{Label: "Passkey", Value: name}}, from...)
	}
	notice.Advice = "If this wasn't you, sign out everywhere and remove sign-in methods you don't recognize, on your profile page:"
	notice.Reason = "You receive this email whenever the ways to sign in to your account change."
	switch kind := event.Kind(n.Event); {
	case kind == event.FactorAdded && isPasskey:
		notice.Title, notice.Lead = "A passkey was added at %s", "A passkey was added to your account. It signs you in without an email."
	case kind == event.FactorAdded:
		notice.Title, notice.Lead = "An authenticator app was set up at %s", "An authenticator app was set up for your account. You need a code from it to sign in."
	case kind == event.FactorRemoved && isPasskey:
		notice.Title, notice.Lead = "A passkey was removed at %s", "A passkey was removed from your account. It no longer signs you in."
	case kind == event.FactorRemoved:
		notice.Title, notice.Lead = "Your authenticator app was removed at %s", "The authenticator app of your account was removed, with its recovery codes."
	case kind == event.FactorsReset:
		notice.Title, notice.Lead = "Your sign-in methods were removed at %s", "Your passkeys and your authenticator app were removed. You can still sign in by email."
		notice.Facts = append([]mail.Fact{{Label: "Removed", Value: n.Method}}, from...)
		notice.Advice = "If you didn't ask for this, tell an administrator. You can set up new ones on your profile page:"
	case kind == event.HostLinkMade:
		notice.Title, notice.Lead = "A sign-in link was made for you at %s", "A sign-in link for your account was made on the server. It works once, for 15 minutes."
		notice.Advice = "If you didn't ask for this, tell an administrator, and sign out everywhere on your profile page:"
	default:
		notice.Title, notice.Lead = "A recovery code was used at %s", "One of your recovery codes was used. Each works once."
		notice.Advice = "If this wasn't you, sign out everywhere and set up your authenticator app again, on your profile page:"
		notice.Reason = "You receive this email whenever a recovery code of your account is used."
	}
}

// composeHostLink writes a notice to an administrator about a sign-in link for another user.
func (m noticeMailer) composeHostLink(n outbox.Notice, from []mail.Fact, notice *mail.Notice) {
	notice.Title, notice.Lead = "A sign-in link was made at %s", "A sign-in link was made on the server for someone who couldn't sign in otherwise. It works once, for 15 minutes."
	notice.Facts = append([]mail.Fact{{Label: "Person", Value: n.Admin}}, from...)
	notice.Advice = "If this is a mistake, end their sessions, which also stops the link:"
	notice.Link = m.baseURL + "/users/" + n.UserID
}

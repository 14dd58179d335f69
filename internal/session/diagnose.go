package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
)

// Finding is one answer to why somebody can't sign in.
type Finding struct {
	Code   string // for programs; one of the Why… constants
	Blocks bool   // nobody gets in with this address while it is so; else it may be what is in the way
	Text   string // for administrators
	Action string // what mends it
	Remedy Remedy // the button for it
}

// What may be found.
const (
	FoundNothing           = "nothing"            // nothing is in the way
	FoundSignedIn          = "signed_in"          // they are in
	FoundNotListed         = "not_listed"         // and may not join
	FoundMayJoin           = "may_join"           // not on the list, and let in by the setting
	FoundSuspended         = "suspended"          //
	FoundInvitationWaiting = "invitation_waiting" // it has not been handed over yet
	FoundInvitationRefused = "invitation_refused" // Stytch will not take it
	FoundInvitationExpired = "invitation_expired" //
	FoundTooMany           = "too_many"           // links were asked for
	FoundStytchDown        = "stytch_down"        // the login service is out of reach
	FoundStytchUnknown     = "stytch_unknown"     // Stytch has no such account any more
	FoundStytchLocked      = "stytch_locked"      // Stytch has locked the account
	FoundLinkFailed        = "link_failed"        // the last link could not be mailed
	FoundLinkExpired       = "link_expired"       // the last link was not used in time
	FoundLinkMailed        = "link_mailed"        // the last link still works
	FoundOtherBrowser      = "other_browser"      // a link was opened in another browser than the one that asked
	FoundScanner           = "mail_scanner"       // a link was fetched by a program
	FoundLinkSpent         = "link_spent"         // a link was used twice
	FoundLinkOld           = "link_old"           // a link was made before their access changed
)

// Remedy is what can be done about a finding by a button.
type Remedy string

// The buttons.
const (
	RemedyNone      Remedy = ""
	RemedyInvite    Remedy = "invite"    // put on the list and mail an invitation
	RemedyReinvite  Remedy = "again"     // mail another invitation
	RemedyReinstate Remedy = "reinstate" // let in again
)

// Diagnose explains whether and why somebody who has an address can't sign in: the
// same rules that let people in or don't, asked without doing anything, and then
// what the audit trail and Stytch know of their last try. Found is the person who
// has the address, nil for nobody. What is certain comes first. Errors:
// directory.ErrUnavailable.
func (m *Service) Diagnose(ctx context.Context, email directory.Email) (found *directory.User, findings []Finding, err error) {
	a, err := m.decideAdmission(ctx, email)
	if err != nil {
		return nil, nil, err
	}
	w := &diagnosis{Service: m, email: email, found: a.User, now: m.opts.Now()}
	for _, look := range []func(context.Context) error{
		func(ctx context.Context) error { return w.checkAdmission(ctx, a) }, w.checkInvitation, w.checkRateLimits, w.checkProvider, w.checkLastLink,
	} {
		if err := look(ctx); err != nil {
			return nil, nil, err
		}
	}
	if len(w.findings) == 0 {
		w.add(Finding{Code: FoundNothing, Text: "Nothing is in the way.", Action: "They can ask for a sign-in link."})
	}
	return w.found, w.findings, nil
}

// diagnosis gathers what is found.
type diagnosis struct {
	*Service
	email        directory.Email
	found        *directory.User
	now          time.Time
	findings     []Finding
	inviteUnsent bool // a mail to them has not been handed over
}

func (w *diagnosis) add(f Finding) { w.findings = append(w.findings, f) }

// checkAdmission explains what the rule of admission says of the address.
func (w *diagnosis) checkAdmission(ctx context.Context, a admissionResult) error {
	switch {
	case errors.Is(a.refusal, directory.ErrSuspended):
		by, err := w.lastEvent(ctx, event.UserSuspended)
		w.add(Finding{
			Code: FoundSuspended, Blocks: true, Text: "They are suspended" + describeActor(by) + ".", Action: "Let them in again.", Remedy: RemedyReinstate,
		})
		return err
	case errors.Is(a.refusal, directory.ErrNotListed):
		return w.explainNotListed(ctx, a)
	case a.User == nil && a.verdict.Role == directory.Admin:
		w.add(Finding{
			Code: FoundMayJoin, Text: "This address is not on the list. There is no administrator yet: the first person to sign in becomes one.",
			Action: "They can ask for a sign-in link.",
		})
	case a.User == nil:
		w.add(Finding{
			Code: FoundMayJoin, Text: "This address is not on the list, but GUESTLIST_ACCESS lets it join.", Action: "They can ask for a sign-in link.",
		})
	}
	return nil
}

// explainNotListed explains why an address is kept out that is not on the list.
func (w *diagnosis) explainNotListed(ctx context.Context, a admissionResult) error {
	f := Finding{
		Code: FoundNotListed, Blocks: true, Text: "This address is not on the list.",
		Action: "Invite them, if they are to come in. Or do they use another address?", Remedy: RemedyInvite,
	}
	removed, err := w.lastEvent(ctx, event.UserRemoved)
	if err != nil {
		return err
	}
	switch {
	case removed != nil:
		f.Text = "This address is not on the list: it was removed" + describeActor(removed) + "."
	case !a.RemovedAt.IsZero():
		f.Text = "This address is not on the list: it, or another address of the same mailbox, was removed on " + humanize.FormatTime(a.RemovedAt) + "."
	case errors.Is(a.refusal, directory.ErrAlias):
		f.Text = "This address is not on the list, and " + a.Alias + " is, which is the same mailbox. A mailbox joins by itself only once."
		f.Action = "Invite this address as well, if both are to be on the list."
	case errors.Is(a.refusal, directory.ErrSourceRoute):
		f.Text = "This address is not on the list. It has % or ! before the @, by which some mail servers send mail on elsewhere, so it can't join by itself."
	}
	if errors.Is(a.refusal, directory.ErrRemoved) {
		f.Action = "They can't join by themselves again. Invite them, if they are to come back."
	}
	w.add(f)
	return nil
}

// describeActor says who did what an event tells of, and when.
func describeActor(e *event.Event) string {
	switch {
	case e == nil:
		return ""
	case e.Actor == "":
		return " on " + humanize.FormatTime(e.At)
	}
	return " by " + e.Actor + " on " + humanize.FormatTime(e.At)
}

func (w *diagnosis) checkInvitation(ctx context.Context) error {
	if w.found == nil {
		return nil
	}
	jobs, err := w.store.ListJobs(ctx, w.email)
	if err != nil {
		return err
	}
	switch i := w.found.Invitation(jobs, w.opts.InviteDuration, w.now); {
	case i.Refused:
		w.inviteUnsent = true
		w.add(Finding{Code: FoundInvitationRefused, Text: "Their invitation was not handed over. " + i.Reason, Action: "Check the address, and send another.", Remedy: RemedyReinvite})
	case i.Pending:
		w.inviteUnsent = true
		w.add(Finding{Code: FoundInvitationWaiting, Text: "Their invitation has not been handed over yet. " + i.Reason, Action: "It is tried again by itself; or try now.", Remedy: RemedyReinvite})
	case i.Expired && w.found.Status == directory.Invited:
		w.add(Finding{Code: FoundInvitationExpired, Text: "Their invitation expired on " + humanize.FormatTime(i.Expires) + ".", Action: "Send another, or have them ask for a link themselves.", Remedy: RemedyReinvite})
	}
	return nil
}

// checkRateLimits looks whether a browser that was never here would be told to wait, at the
// network that a link for the address was last asked for from.
func (w *diagnosis) checkRateLimits(ctx context.Context) error {
	asked, err := w.lastEvent(ctx, event.LinkRequested)
	if err != nil {
		return err
	}
	var b Browser
	if asked != nil {
		b.Address = asked.Address
	}
	var tooMany *RateLimitError
	err = w.peek(ctx, linkRefusal, w.linkBuckets(w.email, b)...)
	if !errors.As(err, &tooMany) {
		return err
	}
	w.add(Finding{
		Code:   FoundTooMany,
		Text:   fmt.Sprintf("Too many links were asked for. In a browser that is new here they must wait for %s.", humanize.FormatWait(tooMany.After)),
		Action: "The links that were mailed already still work. An invitation counts for nothing.",
		Remedy: w.reinviteRemedy(),
	})
	return nil
}

// reinviteRemedy is another invitation, for somebody who may have one.
func (w *diagnosis) reinviteRemedy() Remedy {
	if w.found == nil || w.found.Status == directory.Suspended {
		return RemedyNone
	}
	return RemedyReinvite
}

// checkProvider asks what Stytch knows of the person.
func (w *diagnosis) checkProvider(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := w.provider.Ready(ctx)
	var locked time.Time
	if err == nil && w.found != nil && w.found.StytchUserID != "" {
		locked, err = w.provider.LockedUntil(ctx, w.found.StytchUserID)
	}
	switch {
	case errors.Is(err, ErrNoAccount):
		w.add(Finding{Code: FoundStytchUnknown, Text: "Stytch does not know them any more.", Action: "Another invitation makes them known; so does asking for a link.", Remedy: w.reinviteRemedy()})
	case errors.Is(err, ErrUnavailable):
		w.add(Finding{Code: FoundStytchDown, Blocks: true, Text: "The login service can't be reached just now: nobody can sign in.", Action: "Wait until it is back. Who is signed in stays so for an hour."})
	case locked.After(w.now):
		w.add(Finding{Code: FoundStytchLocked, Blocks: true, Text: "Stytch has locked their account until " + humanize.FormatTime(locked) + ", after too many failed tries.", Action: "Wait, or unlock the account in Stytch's dashboard."})
	}
	return nil
}

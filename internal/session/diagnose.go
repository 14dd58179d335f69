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

// Finding is one possible reason why a user can't sign in.
type Finding struct {
	Code   string // one of the Found constants
	Blocks bool   // certainly prevents any sign-in with the address
	Text   string // for administrators
	Action string // what to do about it; may be empty
	Remedy Remedy // the button that does it
}

// Codes of findings.
const (
	FoundNothing           = "nothing"
	FoundSignedIn          = "signed_in"
	FoundNotListed         = "not_listed" // and may not join
	FoundMayJoin           = "may_join"   // not listed, but admitted by the policy
	FoundSuspended         = "suspended"
	FoundInvitationWaiting = "invitation_waiting" // not sent yet
	FoundInvitationRefused = "invitation_refused" // refused by Stytch for good
	FoundInvitationExpired = "invitation_expired"
	FoundTooMany           = "too_many"              // links were requested
	FoundStytchDown        = "stytch_down"           // the login service is unavailable
	FoundStytchUnknown     = "stytch_unknown"        // the account no longer exists at Stytch
	FoundStytchLocked      = "stytch_locked"         // the account is locked at Stytch
	FoundLinkFailed        = "link_failed"           // the last link could not be sent
	FoundLinkExpired       = "link_expired"          // the last link was not used in time
	FoundLinkMailed        = "link_mailed"           // the last link still works
	FoundOtherBrowser      = "other_browser"         // a link was opened in a browser that had not requested it
	FoundScanner           = "mail_scanner"          // a link was fetched by a program
	FoundLinkSpent         = "link_spent"            // a link was used twice
	FoundLinkOld           = "link_old"              // a link or a code was made before a change of access
	FoundCodeFailed        = "code_failed"           // the last code could not be sent
	FoundCodeExpired       = "code_expired"          // the last code was not used in time
	FoundCodeMailed        = "code_mailed"           // the last code still works
	FoundCodeWrong         = "code_wrong"            // a wrong code was entered
	FoundCodeSpent         = "code_spent"            // a code was entered that no longer works
	FoundTooManyCodes      = "too_many_codes"        // too many wrong codes were entered in unknown browsers
	FoundFactorMissing     = "second_factor_missing" // required, and none is set up
	FoundFactorNeeded      = "second_factor_needed"  // required or set up
	FoundFactorLocked      = "second_factor_locked"  // too many wrong codes
	FoundFactorRefused     = "second_factor_refused" // the last try, since the last sign-in
	FoundRecoveryCode      = "recovery_code_used"
)

// Remedy is an action that an administrator can take with a button.
type Remedy string

// The remedies.
const (
	RemedyNone      Remedy = ""
	RemedyInvite    Remedy = "invite"    // add and invite the user
	RemedyReinvite  Remedy = "again"     // send another invitation
	RemedyReinstate Remedy = "reinstate" // end a suspension
)

// diagnosis collects findings about an address.
type diagnosis struct {
	*Service
	email        directory.Email
	user         *directory.User // nil if no user has the address
	now          time.Time
	findings     []Finding
	inviteUnsent bool // an invitation is pending or was refused
}

func (d *diagnosis) add(f Finding) { d.findings = append(d.findings, f) }

// Diagnose explains whether and why the owner of an address can't sign in. It evaluates
// the admission policy without side effects, then what the audit log and the login
// service know about their last attempt. Certain reasons come first. user is nil if no
// user has the address. Errors: directory.ErrUnavailable.
func (s *Service) Diagnose(ctx context.Context, email directory.Email) (user *directory.User, findings []Finding, err error) {
	a, err := s.decideAdmission(ctx, email)
	if err != nil {
		return nil, nil, err
	}
	d := &diagnosis{Service: s, email: email, user: a.User, now: s.opts.Now()}
	checkAdmission := func(ctx context.Context) error { return d.checkAdmission(ctx, a) }
	for _, check := range []func(context.Context) error{
		checkAdmission, d.checkInvitation, d.checkRateLimits, d.checkProvider, d.checkFactors, d.checkSessions,
	} {
		if err := check(ctx); err != nil {
			return nil, nil, err
		}
	}
	if len(d.findings) == 0 {
		d.add(Finding{Code: FoundNothing, Text: "Nothing is blocking sign-in.", Action: "They can request a sign-in link."})
	}
	return d.user, d.findings, nil
}

// lastEvent returns the newest event of a kind about the address, or nil.
func (d *diagnosis) lastEvent(ctx context.Context, kind event.Kind) (*event.Event, error) {
	page, _, err := d.store.ListEvents(ctx, event.Query{Kind: kind, About: d.email.Normalized, Limit: 1})
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return &page[0], nil
}

// describeActor returns " by <actor> on <date>" for an event, without the actor if it is
// unknown. It returns "" for nil.
func describeActor(e *event.Event) string {
	switch {
	case e == nil:
		return ""
	case e.Actor == "":
		return " on " + humanize.FormatTime(e.At)
	}
	return " by " + e.Actor + " on " + humanize.FormatTime(e.At)
}

// checkAdmission explains the result of the admission policy.
func (d *diagnosis) checkAdmission(ctx context.Context, a admissionResult) error {
	const requestLink = "They can request a sign-in link."
	switch {
	case errors.Is(a.refusal, directory.ErrSuspended):
		suspended, err := d.lastEvent(ctx, event.UserSuspended)
		d.add(Finding{
			Code: FoundSuspended, Blocks: true, Text: "They were suspended" + describeActor(suspended) + ".",
			Action: "Restore their access.", Remedy: RemedyReinstate,
		})
		return err
	case errors.Is(a.refusal, directory.ErrNotListed):
		return d.explainNotListed(ctx, a)
	case a.User == nil && a.decision.Role == directory.Admin:
		d.add(Finding{
			Code: FoundMayJoin, Text: "This address is not on the list. There is no administrator yet: the first person to sign in becomes one.",
			Action: requestLink,
		})
	case a.User == nil:
		d.add(Finding{Code: FoundMayJoin, Text: "This address is not on the list, but GUESTLIST_ACCESS lets it join.", Action: requestLink})
	}
	return nil
}

// explainNotListed explains why an address that is not listed may not join.
func (d *diagnosis) explainNotListed(ctx context.Context, a admissionResult) error {
	removed, err := d.lastEvent(ctx, event.UserRemoved)
	if err != nil {
		return err
	}
	f := Finding{
		Code: FoundNotListed, Blocks: true, Text: "This address is not on the list.",
		Action: "Invite them, or check whether they use another address.", Remedy: RemedyInvite,
	}
	switch {
	case removed != nil:
		f.Text = "This address is not on the list: it was removed" + describeActor(removed) + "."
	case !a.RemovedAt.IsZero():
		f.Text = "This address is not on the list: it, or another address of the same mailbox, was removed on " + humanize.FormatTime(a.RemovedAt) + "."
	case errors.Is(a.refusal, directory.ErrAlias):
		f.Text = "This address is not on the list, but " + a.Alias + " is, which is the same mailbox. Each mailbox can join only once."
		f.Action = "Invite this address too if both should be on the list."
	case errors.Is(a.refusal, directory.ErrSourceRoute):
		f.Text = "This address is not on the list. It contains % or ! before the @, which some mail servers use to forward mail elsewhere, so it can't join by itself."
	}
	if errors.Is(a.refusal, directory.ErrRemoved) {
		f.Action = "They can't join again by themselves. Invite them to let them back in."
	}
	d.add(f)
	return nil
}

func (d *diagnosis) checkInvitation(ctx context.Context) error {
	if d.user == nil {
		return nil
	}
	jobs, err := d.store.ListJobs(ctx, d.email)
	if err != nil {
		return err
	}
	i := d.user.Invitation(jobs, d.opts.InviteDuration, d.now)
	f := Finding{Remedy: RemedyReinvite}
	switch {
	case i.Refused:
		f.Code, f.Text, f.Action = FoundInvitationRefused, "Their invitation couldn't be sent. "+i.Reason, "Check the address, then send another."
	case i.Pending:
		f.Code, f.Text, f.Action = FoundInvitationWaiting, "Their invitation hasn't been sent yet. "+i.Reason, "We'll retry automatically, or retry now."
	case i.Expired && d.user.Status == directory.Invited:
		f.Code, f.Text = FoundInvitationExpired, "Their invitation expired on "+humanize.FormatTime(i.Expires)+"."
		f.Action = "Send another, or ask them to request a link themselves."
	default:
		return nil
	}
	d.inviteUnsent = i.Refused || i.Pending
	d.add(f)
	return nil
}

// checkRateLimits checks whether a new browser would be refused a link, in the network
// that a link for the address was last requested from.
func (d *diagnosis) checkRateLimits(ctx context.Context) error {
	requested, err := d.lastRequest(ctx)
	if err != nil {
		return err
	}
	var b Browser
	if requested != nil {
		b.Address = requested.Address
	}
	var tooMany *RateLimitError
	if err := d.peek(ctx, wrongCodeRefusal, wrongCodeBucket(d.email.Normalized, Browser{})); errors.As(err, &tooMany) {
		d.add(Finding{
			Code: FoundTooManyCodes,
			Text: fmt.Sprintf("Too many wrong codes were entered for this address, possibly by someone else. In a new browser, codes don't work for %s.",
				humanize.FormatWait(tooMany.After)),
			Action: "Ask them to sign in with a link.",
		})
	} else if err != nil {
		return err
	}
	err = d.peek(ctx, linkRefusal, d.linkBuckets(d.email, b)...)
	if !errors.As(err, &tooMany) {
		return err
	}
	d.add(Finding{
		Code:   FoundTooMany,
		Text:   fmt.Sprintf("Too many links were requested. In a new browser, they must wait for %s.", humanize.FormatWait(tooMany.After)),
		Action: "Links already sent still work. Invitations don't count towards the limit.",
		Remedy: d.reinviteRemedy(),
	})
	return nil
}

// reinviteRemedy returns RemedyReinvite if the user may be invited.
func (d *diagnosis) reinviteRemedy() Remedy {
	if d.user == nil || d.user.Status == directory.Suspended {
		return RemedyNone
	}
	return RemedyReinvite
}

// checkProvider checks the login service and the user's account there.
func (d *diagnosis) checkProvider(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := d.provider.Ready(ctx)
	var locked time.Time
	if err == nil && d.user != nil && d.user.StytchUserID != "" {
		locked, err = d.provider.LockedUntil(ctx, d.user.StytchUserID)
	}
	switch {
	case errors.Is(err, ErrNoAccount):
		d.add(Finding{
			Code: FoundStytchUnknown, Text: "The login service no longer has an account for them.",
			Action: "Send another invitation, or ask them to request a link.", Remedy: d.reinviteRemedy(),
		})
	case errors.Is(err, ErrUnavailable):
		d.add(Finding{
			Code: FoundStytchDown, Blocks: true, Text: "The login service is unavailable right now: no one can sign in.",
			Action: "Wait until it is back. Signed-in people stay signed in for an hour.",
		})
	case locked.After(d.now):
		d.add(Finding{
			Code: FoundStytchLocked, Blocks: true,
			Text:   "The login service has locked their account until " + humanize.FormatTime(locked) + ", after too many failed attempts.",
			Action: "Wait, or unlock the account in the login service's dashboard.",
		})
	}
	return nil
}

package session

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
)

// checkSessions reports the user's sessions, and what became of links sent since their
// last sign-in.
func (d *diagnosis) checkSessions(ctx context.Context) error {
	requested, err := d.lastRequest(ctx)
	if err != nil {
		return err
	}
	signedIn, err := d.lastEvent(ctx, event.SignedIn)
	if err != nil || d.user == nil {
		return err
	}
	sessions, err := d.List(ctx, d.user.ID)
	if err != nil {
		return err
	}
	if len(sessions) > 0 {
		d.add(Finding{Code: FoundSignedIn, Text: "Signed in on " + humanize.Plural(len(sessions), "browser") + "."})
	}
	if d.user.Status == directory.Suspended {
		return nil
	}
	if err := d.checkOldLink(ctx, signedIn); err != nil {
		return err
	}
	if requested == nil || requested.Reason != "" || signedIn != nil && signedIn.ID > requested.ID {
		return nil
	}
	if requested.Kind == event.CodeRequested {
		return d.checkLastCode(ctx, requested)
	}
	return d.checkLastLink(ctx, requested)
}

// lastRequest returns the newest request for a link or a code, or nil.
func (d *diagnosis) lastRequest(ctx context.Context) (*event.Event, error) {
	link, err := d.lastEvent(ctx, event.LinkRequested)
	if err != nil {
		return nil, err
	}
	code, err := d.lastEvent(ctx, event.CodeRequested)
	if link == nil || code != nil && code.ID > link.ID {
		return code, err
	}
	return link, err
}

// checkLastCode explains what became of the last requested code.
func (d *diagnosis) checkLastCode(ctx context.Context, requested *event.Event) error {
	failed, err := d.lastEvent(ctx, event.CodeFailed)
	if err != nil {
		return err
	}
	expires := requested.At.Add(CodeDuration)
	code := "The code they requested on " + humanize.FormatTime(requested.At)
	const requestNew = "Ask them to request a new one, or a link."
	switch {
	case failed != nil && failed.ID > requested.ID:
		d.add(Finding{Code: FoundCodeFailed, Text: code + " couldn't be sent. " + failed.Reason, Action: "Ask them to try again in a minute."})
	case requested.At.Before(d.user.LinksAfter) && d.now.Before(expires):
		d.add(Finding{
			Code: FoundLinkOld, Action: requestNew,
			Text: code + " no longer works: their access changed on " + humanize.FormatTime(d.user.LinksAfter) + ", which revokes earlier codes.",
		})
	case d.now.Before(expires):
		d.add(Finding{
			Code: FoundCodeMailed, Text: code + " was sent. It works until " + humanize.FormatTime(expires) + ", in the browser that requested it.",
			Action: "Ask them to check their spam folder.",
		})
	default:
		d.add(Finding{Code: FoundCodeExpired, Text: code + " wasn't used and expired on " + humanize.FormatTime(expires) + ".", Action: requestNew})
	}
	return d.checkWrongCode(ctx, requested)
}

// checkWrongCode checks whether the last code that was entered since a request was refused.
func (d *diagnosis) checkWrongCode(ctx context.Context, requested *event.Event) error {
	refused, err := d.lastEvent(ctx, event.SignInRefused)
	if err != nil || refused == nil || refused.ID < requested.ID {
		return err
	}
	on := "On " + humanize.FormatTime(refused.At)
	switch refused.Reason {
	case ErrCodeWrong.Error():
		d.add(Finding{
			Code: FoundCodeWrong, Text: on + " a wrong code was entered for this address.",
			Action: "Ask them to use the newest email. A code works only in the browser that requested it.",
		})
	case ErrCodeSpent.Error():
		d.add(Finding{
			Code: FoundCodeSpent, Text: on + " a code was entered that no longer works: it was used, replaced or tried five times, or it had expired.",
			Action: "Ask them to request a new one and to enter it in the same browser.",
		})
	}
	return nil
}

// checkOldLink checks whether the user tried a link from before a change of their access,
// and has not signed in since. signedIn is their last sign-in, or nil.
func (d *diagnosis) checkOldLink(ctx context.Context, signedIn *event.Event) error {
	refused, err := d.lastEvent(ctx, event.SignInRefused)
	if err != nil || refused == nil || refused.Reason != ErrLinkOld.Error() || signedIn != nil && signedIn.ID > refused.ID {
		return err
	}
	d.add(Finding{
		Code: FoundLinkOld,
		Text: "On " + humanize.FormatTime(refused.At) + " they used a link or a code from before their access changed on " +
			humanize.FormatTime(d.user.LinksAfter) + ". Those no longer work.",
		Action: "Ask them to request a new one and use it in the same browser.",
	})
	return nil
}

// checkLastLink explains what became of the last requested link.
func (d *diagnosis) checkLastLink(ctx context.Context, requested *event.Event) error {
	failed, err := d.lastEvent(ctx, event.LinkFailed)
	if err != nil {
		return err
	}
	expires := requested.At.Add(d.opts.LinkDuration)
	link := "The link they requested on " + humanize.FormatTime(requested.At)
	const requestNew = "Ask them to request a new one."
	switch {
	case failed != nil && failed.ID > requested.ID:
		d.add(Finding{Code: FoundLinkFailed, Text: link + " couldn't be sent. " + failed.Reason, Action: "Ask them to try again in a minute."})
	case d.inviteUnsent: // reported by checkInvitation
	case requested.At.Before(d.user.LinksAfter) && d.now.Before(expires):
		d.add(Finding{
			Code: FoundLinkOld, Action: requestNew,
			Text: link + " no longer works: their access changed on " + humanize.FormatTime(d.user.LinksAfter) + ", which revokes earlier links.",
		})
	case d.now.Before(expires):
		d.add(Finding{Code: FoundLinkMailed, Text: link + " was sent. It works until " + humanize.FormatTime(expires) + ".", Action: "Ask them to check their spam folder."})
	default:
		d.add(Finding{Code: FoundLinkExpired, Text: link + " wasn't used and expired on " + humanize.FormatTime(expires) + ".", Action: requestNew})
	}
	return d.checkUnattributedLinks(ctx, requested.At, expires)
}

// checkUnattributedLinks looks for links that were opened in another browser or refused
// while the user's was valid. The owner of such a link is unknown, because a link reveals
// it only when it is redeemed.
func (d *diagnosis) checkUnattributedLinks(ctx context.Context, from, until time.Time) error {
	reasons := map[string]bool{}
	for _, kind := range []event.Kind{event.LinkOpened, event.SignInRefused} {
		page, _, err := d.store.ListEvents(ctx, event.Query{Kind: kind, Limit: event.DefaultLimit})
		if err != nil {
			return err
		}
		for _, e := range page {
			if e.Subject == "" && !e.At.Before(from) && !e.At.After(until) {
				reasons[e.Reason] = true
			}
		}
	}
	if reasons[ByScanner] {
		d.add(Finding{
			Code: FoundScanner, Text: "While their link was valid, a mail scanner opened a link, possibly theirs. That doesn't use it up.",
			Action: "Ask them to open the email and press the button on the page.",
		})
	}
	if reasons[ErrOtherBrowser.Error()] {
		d.add(Finding{
			Code: FoundOtherBrowser,
			Text: "While their link was valid, a link was opened in another browser than the one that requested it, possibly by them. " +
				"Links work only in the same browser (GUESTLIST_LINK_SAME_BROWSER).",
			Action: "Ask them to open the link in the browser they requested it in. An invitation works in any browser.", Remedy: d.reinviteRemedy(),
		})
	}
	if reasons[ErrLinkSpent.Error()] {
		d.add(Finding{
			Code: FoundLinkSpent, Text: "While their link was valid, someone used a link that had been used before or had expired, possibly them.",
			Action: "Ask them to use the newest email, or to request a new link.",
		})
	}
	return nil
}

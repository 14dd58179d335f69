package session

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
)

// lastEvent returns the newest event of a kind about the address, nil if there is none.
func (w *diagnosis) lastEvent(ctx context.Context, kind event.Kind) (*event.Event, error) {
	page, _, err := w.store.ListEvents(ctx, event.Query{Kind: kind, About: w.email.Normalized, Limit: 1})
	if err != nil || len(page) == 0 {
		return nil, err
	}
	return &page[0], nil
}

// checkLastLink looks what became of the last link they asked for.
func (w *diagnosis) checkLastLink(ctx context.Context) error {
	asked, err := w.lastEvent(ctx, event.LinkRequested)
	if err != nil {
		return err
	}
	in, err := w.lastEvent(ctx, event.SignedIn)
	if err != nil {
		return err
	}
	sessions, err := w.countSessions(ctx)
	switch {
	case err != nil:
		return err
	case sessions > 0:
		w.add(Finding{Code: FoundSignedIn, Text: "They are signed in, in " + humanize.Plural(sessions, "browser") + "."})
	}
	if err := w.checkOldLink(ctx, in); err != nil {
		return err
	}
	if asked == nil || asked.Reason != "" || w.found == nil || w.found.Status == directory.Suspended || in != nil && in.ID > asked.ID {
		return nil
	}
	failed, err := w.lastEvent(ctx, event.LinkFailed)
	if err != nil {
		return err
	}
	expires := asked.At.Add(w.opts.LinkDuration)
	switch {
	case failed != nil && failed.ID > asked.ID:
		w.add(Finding{Code: FoundLinkFailed, Text: "The link they asked for on " + humanize.FormatTime(asked.At) + " could not be mailed. " + failed.Reason, Action: "Have them ask again in a minute."})
	case w.inviteUnsent: // said already
	case asked.At.Before(w.found.LinksAfter) && w.now.Before(expires):
		w.add(Finding{Code: FoundLinkOld, Text: "The link they asked for on " + humanize.FormatTime(asked.At) + " no longer works: their access changed on " + humanize.FormatTime(w.found.LinksAfter) + ", which ends all links from before.", Action: "Have them ask for a new one."})
	case w.now.Before(expires):
		w.add(Finding{Code: FoundLinkMailed, Text: "A link was mailed to them on " + humanize.FormatTime(asked.At) + ", and works until " + humanize.FormatTime(expires) + ".", Action: "Have them look into their spam folder, too."})
	default:
		w.add(Finding{Code: FoundLinkExpired, Text: "The link they asked for on " + humanize.FormatTime(asked.At) + " was not used, and expired on " + humanize.FormatTime(expires) + ".", Action: "Have them ask for a new one."})
	}
	return w.checkUnattributedLinks(ctx, asked.At, expires)
}

// checkOldLink looks whether they came with a link from before their access changed,
// and have not come in since; in is when they last did.
func (w *diagnosis) checkOldLink(ctx context.Context, in *event.Event) error {
	if w.found == nil || w.found.Status == directory.Suspended {
		return nil
	}
	refused, err := w.lastEvent(ctx, event.SignInRefused)
	if err != nil || refused == nil || refused.Reason != ErrLinkOld.Error() || in != nil && in.ID > refused.ID {
		return err
	}
	w.add(Finding{
		Code: FoundLinkOld, Text: "On " + humanize.FormatTime(refused.At) + " they came with a link from before their access changed on " + humanize.FormatTime(w.found.LinksAfter) + ". Such links are refused.",
		Action: "Have them ask for a new link, and open it in the browser they ask in.",
	})
	return nil
}

// checkUnattributedLinks looks for links that were opened elsewhere or refused while theirs
// was good. Whose those were nobody knows, as a link does not tell before it is
// spent; they may be theirs.
func (w *diagnosis) checkUnattributedLinks(ctx context.Context, from, until time.Time) error {
	var scanned, elsewhere, spent bool
	for _, kind := range []event.Kind{event.LinkOpened, event.SignInRefused} {
		page, _, err := w.store.ListEvents(ctx, event.Query{Kind: kind, Limit: event.DefaultLimit})
		if err != nil {
			return err
		}
		for _, e := range page {
			switch {
			case e.Subject != "" || e.At.Before(from) || e.At.After(until):
			case e.Reason == ByScanner:
				scanned = true
			case e.Reason == ErrOtherBrowser.Error():
				elsewhere = true
			case e.Reason == ErrLinkSpent.Error():
				spent = true
			}
		}
	}
	if scanned {
		w.add(Finding{Code: FoundScanner, Text: "While their link was good, a mail scanner fetched a link, perhaps theirs. That spends nothing.", Action: "Have them open the mail and press the button on the page."})
	}
	if elsewhere {
		w.add(Finding{Code: FoundOtherBrowser, Text: "While their link was good, a link was opened in another browser than the one that had asked for it, perhaps theirs. Links work only where they were asked for (GUESTLIST_LINK_SAME_BROWSER).", Action: "Have them open the link where they asked for it. An invitation works anywhere.", Remedy: w.reinviteRemedy()})
	}
	if spent {
		w.add(Finding{Code: FoundLinkSpent, Text: "While their link was good, somebody came with a link that had been used or was too old, perhaps they.", Action: "Have them use the newest mail, or ask for a new link."})
	}
	return nil
}

// countSessions counts the person's sessions.
func (w *diagnosis) countSessions(ctx context.Context) (int, error) {
	if w.found == nil {
		return 0, nil
	}
	list, err := w.List(ctx, w.found.ID)
	return len(list), err
}

package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/retry"
)

// invitationsTimeout is how long ReportInvitations waits for the invitations: longer than
// a mail server may take for one.
const (
	invitationsTimeout  = 15 * time.Second
	invitationsInterval = 200 * time.Millisecond
)

// invitationState is the state of an invitation, as it is printed.
type invitationState string

// ReportInvitations waits until the invitations of the configured administrators who have
// not signed in yet were tried, and prints their states. It prints no addresses, because
// the output often ends up in a log.
func (a *App) ReportInvitations(ctx context.Context, w io.Writer) {
	admins, err := ParseAdmins(a.cfg.Admins)
	if err != nil || len(admins) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, invitationsTimeout)
	defer cancel()
	var states []invitationState
	for tried := false; !tried && ctx.Err() == nil; {
		latest, all, err := a.invitationStates(ctx, admins)
		if err != nil {
			break
		}
		if states, tried = latest, all; !tried {
			_ = retry.Sleep(ctx, invitationsInterval)
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) { // the program is stopping
		return
	}
	for len(states) > 0 {
		var others []invitationState
		for _, state := range states {
			if state != states[0] {
				others = append(others, state)
			}
		}
		fmt.Fprintf(w, "  Invitation for %s: %s\n", humanize.Plural(len(states)-len(others), "administrator"), states[0])
		states = others
	}
}

// invitationStates returns the state of each pending invitation, and whether all of them
// were tried.
func (a *App) invitationStates(ctx context.Context, admins []directory.Email) (states []invitationState, tried bool, err error) {
	tried = true
	for _, email := range admins {
		u, err := a.Store.GetUserByEmail(ctx, email)
		if err != nil || u.Status != directory.Invited {
			continue // removed, or has signed in
		}
		jobs, err := a.Store.ListJobs(ctx, email)
		if err != nil {
			return nil, false, err
		}
		switch i := u.Invitation(jobs, a.cfg.InviteDuration, a.now()); {
		case i.Refused:
			states = append(states, invitationState("refused. "+i.Reason))
		case i.Pending && i.Reason == "":
			states, tried = append(states, "not sent yet; still trying."), false
		case i.Pending:
			states = append(states, invitationState("not sent yet. "+i.Reason+" Guestlist will try again."))
		case i.Expired:
			states = append(states, "expired. To send another, run guestlist users invite ADDRESS --again")
		case !i.Sent.IsZero():
			states = append(states, invitationState("sent to "+mailRecipient(a.cfg)+"."))
		}
	}
	return states, tried, nil
}

// mailRecipient names the service that mails are handed to.
func mailRecipient(cfg config.Config) string {
	switch {
	case !cfg.LocalStytch:
		return "Stytch"
	case cfg.SMTPURL != "":
		return "the mail server"
	}
	return "the inbox"
}

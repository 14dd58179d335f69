package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
)

// printBanner prints where to go now and where the program listens. The key belongs to the
// developer pages; empty outside local mode.
func printBanner(w io.Writer, cfg config.Config, listens net.Addr, devKey string) {
	fmt.Fprintf(w, "\n  Guestlist is at  %s\n", cfg.BaseURL)
	fmt.Fprintf(w, "  It listens on    %s\n", listens)
	if cfg.LocalMode() {
		if cfg.SMTPURL == "" {
			fmt.Fprintf(w, "  Its mails are at %s/dev/inbox?key=%s\n", cfg.ListenerURL(), devKey)
			fmt.Fprintln(w, "  The key lets its holder read every sign-in link: keep this address to yourself.")
		}
		fmt.Fprintln(w)
		if cfg.FirstAdmin() {
			fmt.Fprintln(w, "  While the list is empty, the first person to sign in becomes its administrator.")
		}
		fmt.Fprintln(w, "  Everything is kept on this machine. To go to the cloud, set STYTCH_PROJECT_ID,")
		fmt.Fprintln(w, "  STYTCH_SECRET and DATABASE_URL (README.md, \"Three ways to run\").")
	}
	fmt.Fprintln(w)
}

// How long the start looks after the invitations of administrators: longer than a mail
// server may take for one.
const (
	invitationsWithin = 15 * time.Second
	invitationsEvery  = 200 * time.Millisecond
)

// invitationState is what became of an invitation, as it is printed.
type invitationState string

// reportInvitations prints, once it is known, what became of the invitations of the
// administrators in the settings who have not signed in yet. It names nobody: the output
// often ends in a log.
func (a *app) reportInvitations(ctx context.Context, w io.Writer, cfg config.Config) {
	admins, err := parseAdmins(cfg.Admins)
	if err != nil || len(admins) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, invitationsWithin)
	defer cancel()
	var states []invitationState
	for known := false; !known && ctx.Err() == nil; {
		now, all, err := a.invitationStates(ctx, cfg, admins)
		if err != nil {
			break
		}
		if states, known = now, all; !known {
			select {
			case <-ctx.Done():
			case <-time.After(invitationsEvery):
			}
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) { // the program stops
		return
	}
	for len(states) > 0 {
		var others []invitationState
		for _, state := range states {
			if state != states[0] {
				others = append(others, state)
			}
		}
		fmt.Fprintf(w, "  Invitation of %s: %s\n", humanize.Plural(len(states)-len(others), "administrator"), states[0])
		states = others
	}
}

// invitationStates returns the state of each invitation, and whether all of them were
// tried.
func (a *app) invitationStates(ctx context.Context, cfg config.Config, admins []directory.Email) (states []invitationState, known bool, err error) {
	known = true
	for _, email := range admins {
		u, err := a.store.GetUserByEmail(ctx, email)
		if err != nil || u.Status != directory.Invited {
			continue // removed, or in already
		}
		jobs, err := a.store.ListJobs(ctx, email)
		if err != nil {
			return nil, false, err
		}
		switch i := u.Invitation(jobs, cfg.InviteDuration, a.now()); {
		case i.Refused:
			states = append(states, invitationState("refused. "+i.Reason))
		case i.Pending && i.Reason == "":
			states, known = append(states, "not handed over yet. It is still being tried."), false
		case i.Pending:
			states = append(states, invitationState("not handed over yet. "+i.Reason+" It will be tried again."))
		case i.Expired:
			states = append(states, "it has expired. Send another: guestlist users invite ADDRESS --again")
		case !i.Sent.IsZero():
			states = append(states, invitationState("handed to "+takesMail(cfg)+"."))
		}
	}
	return states, known, nil
}

// takesMail names what mails are handed to.
func takesMail(cfg config.Config) string {
	switch {
	case !cfg.LocalStytch:
		return "Stytch"
	case cfg.SMTPURL != "":
		return "the mail server"
	}
	return "the inbox"
}

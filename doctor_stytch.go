package main

import (
	"context"

	"github.com/guestlist/guestlist/internal/doctor"
	"github.com/guestlist/guestlist/internal/stytch"
)

// checkStytch leaves the local Stytch in peace: it is a part of the program, and its
// state is in the same database.
func (p *installation) checkStytch(ctx context.Context) doctor.Finding {
	switch {
	case p.cfg.LocalMode() && p.cfg.SMTPURL == "":
		return doctor.Pass("The local Stytch is used; its mails are at the inbox address that the start prints.")
	case p.cfg.LocalStytch:
		return doctor.Pass("The local Stytch is used, and needs nothing else.")
	}
	var err error
	if p.project, err = stytch.InspectProject(ctx, stytchOptions(p.cfg, p.now)); err != nil {
		return doctor.FromError(err, "Look at the network here, and, if it is set, at STYTCH_BASE_URL.")
	}
	return doctor.Pass("It knows the project and its secret, of the %s environment.", p.cfg.Stytch.Env)
}

func (p *installation) stytchClock(context.Context) doctor.Finding {
	if !p.project.Timed {
		return doctor.Warn("", "It can't be told, for Stytch did not say what time it is.")
	}
	return clockFinding("Stytch", p.project.Ahead)
}

// redirectPage is where redirect URLs are listed at Stytch.
const redirectPage = "https://stytch.com/dashboard/redirect-urls"

func (p *installation) redirectURL(ctx context.Context) doctor.Finding {
	o := stytchOptions(p.cfg, p.now)
	client, err := stytch.New(o)
	if err != nil {
		return doctor.FromError(err, "")
	}
	signIn, invitation, err := client.CheckRedirectURL(ctx)
	if err != nil {
		f := doctor.FromError(err, "Look again later.")
		return doctor.Warn(f.Action, "It can't be told. %s", f.Text)
	}
	add := "At " + redirectPage + ", in the " + p.cfg.Stytch.Env + " environment, add this line for login, sign-up and invite: " + o.RedirectURL
	switch {
	case signIn == stytch.NotListed:
		return doctor.Fail(add, "Stytch lets no sign-in link lead here, and mails none.")
	case invitation == stytch.NotListed:
		return doctor.Fail(add, "Stytch lets no invitation lead here, and mails none.")
	case signIn == stytch.Unknown || invitation == stytch.Unknown:
		return doctor.Warn("See that "+redirectPage+" has, in the "+p.cfg.Stytch.Env+" environment and for login, sign-up and invite: "+o.RedirectURL,
			"Whether Stytch lets links lead here can't be known without mailing somebody.")
	}
	return doctor.Pass("Stytch lets sign-in links and invitations lead here.")
}

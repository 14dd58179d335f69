package doctor

import (
	"context"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/stytch"
)

// checkStytch leaves the local Stytch in peace: it is a part of the program, and its
// state is in the same database.
func (c *checker) checkStytch(ctx context.Context) diagnostic.Finding {
	switch {
	case c.cfg.LocalMode() && c.cfg.SMTPURL == "":
		return diagnostic.Pass("The local Stytch is used; its mails are at the inbox address that the start prints.")
	case c.cfg.LocalStytch:
		return diagnostic.Pass("The local Stytch is used, and needs nothing else.")
	}
	var err error
	if c.project, err = stytch.InspectProject(ctx, c.options()); err != nil {
		return diagnostic.FromError(err, "Look at the network here, and, if it is set, at STYTCH_BASE_URL.")
	}
	return diagnostic.Pass("It knows the project and its secret, of the %s environment.", c.cfg.Stytch.Env)
}

func (c *checker) stytchClock(context.Context) diagnostic.Finding {
	if !c.project.Timed {
		return diagnostic.Warn("", "It can't be told, for Stytch did not say what time it is.")
	}
	return clockFinding("Stytch", c.project.Ahead)
}

// redirectPage is where redirect URLs are listed at Stytch.
const redirectPage = "https://stytch.com/dashboard/redirect-urls"

func (c *checker) redirectURL(ctx context.Context) diagnostic.Finding {
	o := c.options()
	client, err := stytch.New(o)
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	signIn, invitation, err := client.CheckRedirectURL(ctx)
	if err != nil {
		f := diagnostic.FromError(err, "Look again later.")
		return diagnostic.Warn(f.Action, "It can't be told. %s", f.Text)
	}
	add := "At " + redirectPage + ", in the " + c.cfg.Stytch.Env + " environment, add this line for login, sign-up and invite: " + o.RedirectURL
	switch {
	case signIn == stytch.NotListed:
		return diagnostic.Fail(add, "Stytch lets no sign-in link lead here, and mails none.")
	case invitation == stytch.NotListed:
		return diagnostic.Fail(add, "Stytch lets no invitation lead here, and mails none.")
	case signIn == stytch.Unknown || invitation == stytch.Unknown:
		return diagnostic.Warn("See that "+redirectPage+" has, in the "+c.cfg.Stytch.Env+" environment and for login, sign-up and invite: "+o.RedirectURL,
			"Whether Stytch lets links lead here can't be known without mailing somebody.")
	}
	return diagnostic.Pass("Stytch lets sign-in links and invitations lead here.")
}

package doctor

import (
	"context"
	"strings"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/stytch"
)

// checkStytch checks the project's credentials. The local Stytch needs no check: it is a
// part of the program, with its state in the same database.
func (c *checker) checkStytch(ctx context.Context) diagnostic.Finding {
	switch {
	case c.cfg.LocalMode() && c.cfg.SMTPURL == "":
		return diagnostic.Pass("The local Stytch is used; its emails are at the inbox address printed at startup.")
	case c.cfg.LocalStytch:
		return diagnostic.Pass("The local Stytch is used; nothing to check.")
	}
	var err error
	if c.project, err = stytch.InspectProject(ctx, c.options()); err != nil {
		return diagnostic.FromError(err, "Check the network and STYTCH_BASE_URL, if it's set.")
	}
	return diagnostic.Pass("The project ID and secret are valid, in the %s environment.", c.cfg.Stytch.Env)
}

func (c *checker) stytchClock(context.Context) diagnostic.Finding {
	if !c.project.Timed {
		return diagnostic.Warn("", "Couldn't check: Stytch's response has no time.")
	}
	return clockFinding("Stytch", c.project.Ahead)
}

// redirectPage is the page of redirect URLs in Stytch's dashboard.
const redirectPage = "https://stytch.com/dashboard/redirect-urls"

func (c *checker) redirectURL(ctx context.Context) diagnostic.Finding {
	o := c.options()
	client, err := stytch.New(o)
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	signIn, invitation, err := client.CheckRedirectURL(ctx)
	if err != nil {
		f := diagnostic.FromError(err, "Run doctor again later.")
		return diagnostic.Warn(f.Action, "Couldn't check. %s", f.Text)
	}
	add := "At " + redirectPage + ", in the " + c.cfg.Stytch.Env + " environment, add this line for login, sign-up and invite: " + o.RedirectURL
	switch {
	case signIn == stytch.NotListed:
		return diagnostic.Fail(add, "Stytch doesn't allow sign-in links to this address, so it sends none.")
	case invitation == stytch.NotListed:
		return diagnostic.Fail(add, "Stytch doesn't allow invitations to this address, so it sends none.")
	case signIn == stytch.Unknown || invitation == stytch.Unknown:
		return diagnostic.Warn("Check that "+redirectPage+" lists, in the "+c.cfg.Stytch.Env+" environment and for login, sign-up and invite: "+o.RedirectURL,
			"Whether Stytch allows links to this address can't be checked without sending an email.")
	}
	return diagnostic.Pass("Stytch allows sign-in links and invitations to this address.")
}

// oauth checks that sign-ins with the configured providers can begin.
func (c *checker) oauth(ctx context.Context) diagnostic.Finding {
	client, err := stytch.New(c.options())
	if err != nil {
		return diagnostic.FromError(err, "")
	}
	for _, provider := range c.cfg.OAuth {
		if err := client.CheckOAuth(ctx, provider); err != nil {
			f := diagnostic.FromError(err, "Run doctor again later.")
			return diagnostic.Warn(f.Action, "Signing in with %s may not work. %s", provider, f.Text)
		}
	}
	return diagnostic.Pass("Stytch lets people sign in with %s.", strings.Join(c.cfg.OAuth, ", "))
}

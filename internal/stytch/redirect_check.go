package stytch

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"
)

// Listing says whether the redirect URL is on the project's list.
type Listing int

// Unsaid: Stytch looks at something else first.
const (
	Unknown Listing = iota
	Listed
	NotListed
)

// CheckRedirectURL finds out whether Stytch lets sign-in links and invitations lead to
// the redirect URL. Its API has no question for that, so it is asked for mails that it
// must refuse for another reason, too: once with our URL and once with one that can't be
// on any list. Where it objects to the second alone, the first is listed; where it
// objects to both for the other reason, it has not said. No mail is sent and no user
// made. The error is as of [LookAtProject].
func (c *Client) CheckRedirectURL(ctx context.Context) (signIn, invitation Listing, err error) {
	nobody := strings.ToLower(rand.Text()) + "@guestlist.invalid" // https://www.rfc-editor.org/rfc/rfc2606#section-2
	if signIn, err = c.listing(func(url string) error {
		_, err := c.api.MagicLinks.Email.Send(ctx, &email.SendParams{ // to nobody whom it knows
			Email: nobody, LoginMagicLinkURL: url, SignupMagicLinkURL: url,
		})
		return err
	}); err != nil {
		return Unknown, Unknown, err
	}
	invitation, err = c.listing(func(url string) error {
		res, err := c.api.MagicLinks.Email.Invite(ctx, &email.InviteParams{
			Email: nobody, InviteMagicLinkURL: url, InviteExpirationMinutes: 1, // at least 5, says Stytch
		})
		if err == nil { // it no longer does
			back, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
			defer cancel()
			_, err = c.api.Users.Delete(back, &users.DeleteParams{UserID: res.UserID})
		}
		return err
	})
	return signIn, invitation, err
}

// cleanupTimeout is how long it may take to delete a user who should not have been made, also
// when there is no time left for anything else.
const cleanupTimeout = 2 * time.Second

// unlistedURL can't be on a list: nobody can have such a host.
const unlistedURL = "https://doctor.guestlist.invalid/api/authenticate_magic_link"

func (c *Client) listing(ask func(url string) error) (Listing, error) {
	ours, err := refusal(ask(c.RedirectURL))
	switch {
	case err != nil:
		return Unknown, err
	case ours == "":
		return Listed, nil
	case isOfURL(ours):
		return NotListed, nil
	}
	control, err := refusal(ask(unlistedURL))
	if err != nil || control != "no_match_for_provided_magic_link_url" {
		return Unknown, err
	}
	return Listed, nil
}

// refusal returns what Stytch had against a call: empty for nothing. An error is that it
// did not look at it.
func refusal(err error) (stytcherror.Type, error) {
	var e stytcherror.Error
	switch {
	case err == nil:
		return "", nil
	case !errors.As(err, &e), e.StatusCode < 400, e.StatusCode == 401, e.StatusCode == 429, e.StatusCode >= 500, e.ErrorType == "":
		return "", withAdvice(err)
	}
	return e.ErrorType, nil
}

// isOfURL reports whether Stytch objects to a redirect URL: it is none that it takes, or
// not on the list.
func isOfURL(t stytcherror.Type) bool {
	return strings.HasSuffix(string(t), "_magic_link_url") || strings.HasSuffix(string(t), "_redirect_urls_set")
}

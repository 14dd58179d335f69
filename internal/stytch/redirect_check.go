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

// Unknown means that Stytch refused the request for another reason first.
const (
	Unknown Listing = iota
	Listed
	NotListed
)

// cleanupTimeout limits the deletion of a user that was created by accident. The deletion
// does not end with the caller's context.
const cleanupTimeout = 2 * time.Second

// unlistedURL can't be on a list: the host does not exist.
const unlistedURL = "https://doctor.guestlist.invalid/api/authenticate_magic_link"

// CheckRedirectURL finds out whether sign-in links and invitations may lead to the redirect
// URL. Stytch's API has no call for that, so it requests emails that Stytch must refuse for
// another reason as well: one with our URL and one with a URL that can't be on the list.
// If Stytch objects to the second URL only, ours is listed. It sends no email and leaves
// no user behind. The error is that of [InspectProject].
func (c *Client) CheckRedirectURL(ctx context.Context) (signIn, invitation Listing, err error) {
	address := strings.ToLower(rand.Text()) + "@guestlist.invalid" // https://www.rfc-editor.org/rfc/rfc2606#section-2
	signIn, err = c.findListing(func(url string) error {
		_, err := c.api.MagicLinks.Email.Send(ctx, &email.SendParams{ // to an address without an account
			Email: address, LoginMagicLinkURL: url, SignupMagicLinkURL: url,
		})
		return err
	})
	if err != nil {
		return Unknown, Unknown, err
	}
	invitation, err = c.findListing(func(url string) error {
		res, err := c.api.MagicLinks.Email.Invite(ctx, &email.InviteParams{
			Email: address, InviteMagicLinkURL: url, InviteExpirationMinutes: 1, // Stytch's minimum is 5
		})
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		_, err = c.api.Users.Delete(ctx, &users.DeleteParams{UserID: res.UserID})
		return err
	})
	return signIn, invitation, err
}

func (c *Client) findListing(request func(url string) error) (Listing, error) {
	objection, err := refusal(request(c.opts.RedirectURL))
	switch {
	case err != nil:
		return Unknown, err
	case objection == "":
		return Listed, nil
	case isURLError(objection):
		return NotListed, nil
	}
	control, err := refusal(request(unlistedURL))
	if err != nil || control != "no_match_for_provided_magic_link_url" {
		return Unknown, err
	}
	return Listed, nil
}

// refusal returns the error type of a refused call, or "" if Stytch accepted it. The error
// reports that Stytch did not process the call.
func refusal(err error) (stytcherror.Type, error) {
	var e stytcherror.Error
	switch {
	case err == nil:
		return "", nil
	case !errors.As(err, &e), e.StatusCode < 400, e.StatusCode == 401, e.StatusCode == 429, e.StatusCode >= 500, e.ErrorType == "":
		return "", explain(err)
	}
	return e.ErrorType, nil
}

// isURLError reports whether Stytch objects to a redirect URL: it is invalid or not listed.
func isURLError(t stytcherror.Type) bool {
	return strings.HasSuffix(string(t), "_magic_link_url") || strings.HasSuffix(string(t), "_redirect_urls_set")
}

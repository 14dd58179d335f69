package stytch

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/guestlist/guestlist/internal/fault"
)

// CheckOAuth checks that a sign-in with another provider can begin: it requests the address
// that browsers are sent to, which creates nothing, and expects to be sent on. The error is a
// *fault.Fault if Stytch refuses, or a network error.
func (c *Client) CheckOAuth(ctx context.Context, provider string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.OAuthURL(provider, challengeOf(rand.Text()+rand.Text())), nil)
	if err != nil {
		return err
	}
	res, err := limitedTransport{c.opts.Transport}.RoundTrip(r) // follows no redirect
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 == 3 {
		return nil
	}
	var refusal struct {
		Type string `json:"error_type"`
	}
	if json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&refusal) != nil || refusal.Type == "" {
		return fault.New(fmt.Sprintf("Stytch answered %d", res.StatusCode), oauthAdvice)
	}
	return fault.New("Stytch answered "+refusal.Type, oauthAdvice)
}

const oauthAdvice = "Check STYTCH_PUBLIC_TOKEN, and that the provider is set up in Stytch's dashboard under OAuth."

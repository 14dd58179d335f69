// Package backchannel tells clients of the OpenID provider over HTTP that a session has ended
// (https://openid.net/specs/openid-connect-backchannel-1_0.html).
package backchannel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

const (
	timeout = 5 * time.Second
	maxBody = 4 << 10 // bytes of an answer that are read, so that its connection can be used again
)

// Tokens makes logout tokens; openid.Provider implements it.
type Tokens interface {
	// LogoutToken returns a token for a client and the URL to post it to. It returns
	// directory.ErrNotFound if the client is gone or has no URL.
	LogoutToken(ctx context.Context, clientID, userID, sessionID string) (token, url string, err error)
}

// Sender sends logout tokens. It is safe for concurrent use.
type Sender struct {
	tokens Tokens
	client *http.Client
}

var _ outbox.LogoutSender = (*Sender)(nil)

// New returns a Sender.
func New(tokens Tokens) *Sender {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	return &Sender{tokens: tokens, client: &http.Client{
		Transport:     transport,
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// SendLogout posts a logout token to a client; see outbox.LogoutSender. The client's answer is only read
// for its status: 2xx is success, and 400 says that repeating is pointless
// (https://openid.net/specs/openid-connect-backchannel-1_0.html#BCResponse).
func (s *Sender) SendLogout(ctx context.Context, appID, userID, stytchSessionID string) error {
	token, address, err := s.tokens.LogoutToken(ctx, appID, userID, stytchSessionID)
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	if err != nil {
		return &sendError{"The message couldn’t be made; the log says why.", err}
	}
	body := url.Values{"logout_token": {token}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return &sendError{"The app’s address for sign-outs isn’t valid.", errors.Join(outbox.ErrRefused, withoutURL(err))}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "Guestlist")
	res, err := s.client.Do(r)
	if err != nil {
		reason := "The app couldn’t be reached."
		if wait := (interface{ Timeout() bool })(nil); errors.As(err, &wait) && wait.Timeout() {
			reason = "The app didn’t answer in time."
		}
		return &sendError{reason, withoutURL(err)}
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return nil
	}
	cause := errors.New("backchannel: status " + strconv.Itoa(res.StatusCode))
	if res.StatusCode == http.StatusBadRequest {
		cause = errors.Join(outbox.ErrRefused, cause)
	}
	return &sendError{"The app answered " + strconv.Itoa(res.StatusCode) + ".", cause}
}

// withoutURL returns what is wrong with a request without its address, which is logged and may hold a
// secret.
func withoutURL(err error) error {
	if with := (*url.Error)(nil); errors.As(err, &with) {
		return with.Err
	}
	return err
}

// sendError is the failure to tell a client.
type sendError struct {
	reason string
	cause  error
}

func (e *sendError) Error() string { return "backchannel: send logout: " + e.cause.Error() }
func (e *sendError) Unwrap() error { return e.cause }

// Reason returns a text for administrators; see outbox.Reason.
func (e *sendError) Reason() string { return e.reason }

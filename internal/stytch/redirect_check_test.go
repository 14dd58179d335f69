package stytch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/stytch"
)

// redirectingTo returns a client with a redirect URL.
func (l *local) redirectingTo(t *testing.T, url string) *stytch.Client {
	o := l.opts
	o.RedirectURL = url
	return newClient(t, o)
}

func TestCheckRedirectURL(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, url string
		want      stytch.Listing
	}{
		{"listed", callback, stytch.Listed},
		{"not listed", "https://guestlist.example/elsewhere", stytch.NotListed},
		{"not listed, but for a slash", callback + "/", stytch.NotListed},
		{"not one that could be", "guestlist.example", stytch.NotListed},
		{"not on any list, and let through", "http://localhost:3000/api/authenticate_magic_link", stytch.Listed},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, l *local) {
				signIn, invitation, err := l.redirectingTo(t, row.url).CheckRedirectURL(t.Context())
				if signIn != row.want || invitation != row.want || err != nil {
					t.Errorf("%v, %v, %v", signIn, invitation, err)
				}
				l.leftNothing(t)
			})
		})
	}
}

// leftNothing checks that no email was sent and no user created.
func (l *local) leftNothing(t *testing.T) {
	t.Helper()
	w := httptest.NewRecorder()
	l.server.DevPages().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/dev/inbox.json?key="+l.server.DevKey(), nil))
	if body := strings.TrimSpace(w.Body.String()); body != `{"messages":[]}` {
		t.Errorf("it mailed: %s", body)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/users/search", strings.NewReader(`{}`))
	r.SetBasicAuth(l.opts.ProjectID, l.opts.Secret)
	w = httptest.NewRecorder()
	l.server.API().ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"results":[]`) {
		t.Errorf("somebody is there: %d %s", w.Code, w.Body)
	}
}

// The order of Stytch's checks is not documented.
func TestCheckRedirectURL_Unknown(t *testing.T) {
	t.Parallel()
	const unlisted = `{"error_type":"no_match_for_provided_magic_link_url"}`
	for _, row := range []struct {
		name               string
		ours, control      string
		signIn, invitation stytch.Listing
	}{
		{"it objects to the address first", `{"error_type":"email_not_found"}`, `{"error_type":"email_not_found"}`, stytch.Unknown, stytch.Unknown},
		{"it objects to the other URL's form", `{"error_type":"email_not_found"}`, `{"error_type":"invalid_login_magic_link_url"}`, stytch.Unknown, stytch.Unknown},
		{"it objects to the other URL alone", `{"error_type":"invalid_expiration"}`, unlisted, stytch.Listed, stytch.Listed},
		{"it objects to ours", unlisted, unlisted, stytch.NotListed, stytch.NotListed},
		{"it has no list", `{"error_type":"no_login_redirect_urls_set"}`, `{"error_type":"no_login_redirect_urls_set"}`, stytch.NotListed, stytch.NotListed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := options(newClock())
			o.Transport = transport(func(r *http.Request) (*http.Response, error) {
				body, err := io.ReadAll(r.Body)
				if strings.Contains(string(body), callback) {
					return respond(r, 400, row.ours), err
				}
				return respond(r, 400, row.control), err
			})
			signIn, invitation, err := newClient(t, o).CheckRedirectURL(t.Context())
			if signIn != row.signIn || invitation != row.invitation || err != nil {
				t.Errorf("%v, %v, %v", signIn, invitation, err)
			}
		})
	}
}

// If Stytch accepts the invitation after all, the user must be deleted.
func TestCheckRedirectURL_DeletesAnAcceptedInvitation(t *testing.T) {
	t.Parallel()
	deleted := ""
	ctx, stop := context.WithCancel(t.Context())
	o := options(newClock())
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		switch {
		case r.Context().Err() != nil:
			return nil, r.Context().Err()
		case r.Method == http.MethodDelete:
			deleted = r.URL.Path
			return respond(r, 200, `{"status_code":200}`), nil
		case strings.HasSuffix(r.URL.Path, "/invite"):
			stop() // who looks has had enough
			return respond(r, 200, `{"user_id":"user-test-1"}`), nil
		}
		return respond(r, 404, `{"error_type":"email_not_found"}`), nil
	})
	if _, invitation, err := newClient(t, o).CheckRedirectURL(ctx); invitation != stytch.Listed || err != nil || deleted != "/v1/users/user-test-1" {
		t.Errorf("%v, %v, deleted %q", invitation, err, deleted)
	}
}

func TestCheckRedirectURL_Errors(t *testing.T) {
	t.Parallel()
	l := newLocal(t, inProcess)
	l.breaks(t, `{"rules":[{"route":"/v1/magic_links/email/invite","kind":"status","status":500}]}`)
	if _, _, err := l.CheckRedirectURL(t.Context()); err == nil || err.Error() != "Stytch answered internal_server_error" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	l.breaks(t, `{"rules":[{"kind":"hang"}]}`)
	if _, _, err := l.CheckRedirectURL(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

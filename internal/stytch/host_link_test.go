package stytch_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

func TestCreateLink(t *testing.T) {
	eachWay(t, func(t *testing.T, l *local) {
		account, err := l.Invite(t.Context(), "ada@example.com", "Ada", "")
		if err != nil {
			t.Fatal(err)
		}
		token, err := l.CreateLink(t.Context(), account, 15*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := l.AuthenticateMagicLink(t.Context(), token, "", browser)
		if err != nil || !auth.NotEmailed || auth.Email != "" || auth.StytchUserID != account || auth.SessionToken == "" {
			t.Errorf("got %+v, %v", auth, err)
		}
		if _, err := l.AuthenticateMagicLink(t.Context(), token, "", browser); !errors.Is(err, session.ErrLinkSpent) {
			t.Errorf("twice: %v", err)
		}
		if _, err := l.CreateLink(t.Context(), "user-test-99999999-9999-4999-8999-999999999999", 15*time.Minute); !errors.Is(err, session.ErrNoAccount) {
			t.Errorf("without an account: %v", err)
		}
	})
}

func TestCreateLink_SwitchedOff(t *testing.T) {
	t.Parallel()
	o := options(newClock())
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		return respond(r, 403, `{"status_code":403,"error_type":"embeddable_magic_links_disabled","error_message":"No."}`), nil
	})
	token, err := newClient(t, o).CreateLink(t.Context(), "user-test-1", 15*time.Minute)
	if token != "" || !errors.Is(err, session.ErrHostLinksOff) || !strings.Contains(err.Error(), "embeddable_magic_links_disabled. Allow embeddable magic links") {
		t.Errorf("got %q, %v", token, err)
	}
}

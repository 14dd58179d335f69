package stytch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/stytchlocal"
)

// Tests with the local Stytch are valid for Stytch itself only if both respond with the
// same fields.
func TestLocalStytch_SameShapes(t *testing.T) {
	t.Parallel()
	var last map[string]any
	l := newLocal(t, func(o *stytch.Options, s *stytchlocal.Server) {
		inner := s.Transport()
		o.Transport = transport(func(r *http.Request) (*http.Response, error) {
			res, err := inner.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			body, _ := io.ReadAll(res.Body)
			res.Body = io.NopCloser(bytes.NewReader(body))
			last = nil
			return res, json.Unmarshal(body, &last)
		})
	})
	compare := func(answer, file, name string) {
		t.Helper()
		want, got := fields("", load(t, file).Answers[name]), fields("", last)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s has other fields than %s/%s (-testdata +local):\n%s", answer, file, name, diff)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.Ready(t.Context()))
	compare("whoami", "whoami", "well")
	_, err := l.Invite(t.Context(), "ada@example.com", "Ada", "")
	must(err)
	compare("invite", "invite", "sent")
	must(l.SendMagicLink(t.Context(), session.Link{Email: "ada@example.com", Browser: browser}))
	compare("send", "send", "sent")
	must(l.SendMagicLink(t.Context(), session.Link{Email: "new@example.com", CreateAccount: true, Browser: browser}))
	compare("login or create", "login_or_create", "sent")
	p, err := l.AuthenticateMagicLink(t.Context(), l.newest(t, "ada@example.com"), "", browser)
	must(err)
	compare("authenticate link", "authenticate_link", "proven")
	_, err = l.AuthenticateSession(t.Context(), p.SessionToken)
	must(err)
	compare("authenticate session", "authenticate_session", "stands")
	must(l.RevokeSession(t.Context(), p.SessionID))
	compare("revoke session", "revoke_session", "revoked")
	if _, err := l.AuthenticateSession(t.Context(), p.SessionToken); err == nil {
		t.Error("the session stands after its end")
	}
	compare("an ended session", "authenticate_session", "ended")
	must(l.RevokeInvite(t.Context(), "new@example.com"))
	compare("revoke invite", "revoke_invite", "revoked")
	must(l.DeleteUser(t.Context(), p.StytchUserID, "ada@example.com"))
	compare("delete user", "delete_user", "deleted")
}

// fields returns the paths of all fields in a body. A list is represented by its first element.
func fields(at string, v any) map[string]bool {
	all := map[string]bool{}
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			all[at+key] = true
			maps.Copy(all, fields(fmt.Sprintf("%s%s.", at, key), value))
		}
	case []any:
		if len(v) > 0 {
			maps.Copy(all, fields(at, v[0]))
		}
	}
	return all
}

package stytch_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

func TestTranslate_ErrorTypes(t *testing.T) {
	t.Parallel()
	const (
		outOfReach = "The login service could not be reached."
		notFound   = "The login service answered 404 email_not_found."
		tooMany    = "The login service answered 429 too_many_requests."

		refusesAddress = "The mail server rejected the address."
		refusesLogin   = "The mail server rejected the login (535 5.7.8)."
		unconfirmed    = "The mail server didn't confirm the email, which may have arrived."
	)
	tests := []struct {
		call    string
		answers []string
		want    any
		err     error
		reason  string
	}{
		{"ready", []string{"whoami/well"}, nil, nil, ""},
		{"ready", []string{"whoami/well at project_id"}, nil, session.ErrUnavailable, outOfReach},

		{"send", []string{"send/sent"}, nil, nil, ""},
		{"send", []string{"send/nobody there"}, nil, session.ErrNoAccount, notFound},
		{"send", []string{"send/another name for it"}, nil, session.ErrNoAccount, "The login service answered 404 user_not_found."},
		{"send", []string{"send/wants a pause"}, nil, session.ErrTooMany, tooMany},
		{"send", []string{"send/too many mails unread"}, nil, session.ErrTooMany, "The login service answered 429 too_few_tokens_authenticated."},
		{"send", []string{"send/locked"}, nil, session.ErrTooMany, "The login service answered 429 user_lock_limit_reached."},
		{"send", []string{"send/redirect URL not registered"}, nil, session.ErrUnavailable, "The login service answered 400 no_match_for_provided_magic_link_url."},
		{"send", []string{"send/address takes no mail"}, nil, outbox.ErrRefused, refusesAddress},
		{"send", []string{"send/mail refused"}, nil, outbox.ErrRefused, "The mail server rejected the email (554 5.7.1)."},
		{"send", []string{"send/mail not sent"}, nil, session.ErrNotMailed, refusesLogin},
		{"send", []string{"send/mail not confirmed"}, nil, outbox.ErrUnconfirmed, unconfirmed},
		{"send to stranger", []string{"login_or_create/sent"}, nil, nil, ""},
		{"send to stranger", []string{"login_or_create/wants a pause"}, nil, session.ErrTooMany, tooMany},
		{"send to stranger", []string{"login_or_create/not allowed"}, nil, session.ErrUnavailable, "The login service answered 403 email_not_in_allowlist."},

		{"authenticate link", []string{"authenticate_link/proven"}, proof, nil, ""},
		{"authenticate link", []string{"authenticate_link/used or expired"}, nil, session.ErrLinkSpent, "The login service answered 401 unable_to_auth_magic_link."},
		{"authenticate link", []string{"authenticate_link/unknown"}, nil, session.ErrLinkUnknown, "The login service answered 404 magic_link_not_found."},
		{"authenticate link", []string{"authenticate_link/no token's form"}, nil, session.ErrLinkUnknown, "The login service answered 400 invalid_token."},
		{"authenticate link", []string{"authenticate_link/user gone"}, nil, session.ErrLinkUnknown, "The login service answered 404 user_not_found."},
		{"authenticate link", []string{"authenticate_link/refused otherwise"}, nil, session.ErrLinkUnknown, "The login service answered 400 invalid_pkce_code_verifier."},
		{"authenticate link", []string{"authenticate_link/verifier missing"}, nil, session.ErrOtherBrowser, "The login service answered 400 pkce_expected_code_verifier."},
		{"authenticate link", []string{"authenticate_link/verifier wrong"}, nil, session.ErrOtherBrowser, "The login service answered 401 pkce_mismatch."},
		{"authenticate link", []string{"authenticate_link/verifier too many"}, nil, session.ErrNoChallenge, "The login service answered 400 pkce_did_not_expect_code_verifier."},
		{"authenticate link", []string{"authenticate_link/wants a pause"}, nil, session.ErrTooMany, tooMany},

		{"authenticate session", []string{"authenticate_session/stands"}, stands, nil, ""},
		{"authenticate session", []string{"authenticate_session/ended"}, nil, session.ErrEnded, "The login service answered 404 session_not_found."},
		{"authenticate session", []string{"authenticate_session/no token's form"}, nil, session.ErrEnded, "The login service answered 400 invalid_session_token."},
		{"authenticate session", []string{"authenticate_session/user gone"}, nil, session.ErrEnded, "The login service answered 404 user_not_found."},
		{"authenticate session", []string{"authenticate_session/refused otherwise"}, nil, session.ErrUnavailable, "The login service answered 400 no_session_arguments."},
		{"authenticate session", []string{"authenticate_session/wants a pause"}, nil, session.ErrTooMany, tooMany},

		{"invite", []string{"invite/sent"}, userID, nil, ""},
		{"invite", []string{"invite/active already", "send_invitation/sent"}, userID, nil, ""},
		{"invite", []string{"invite/invited already", "send_invitation/sent"}, userID, nil, ""},
		{"invite", []string{"invite/active already", "send_invitation/gone in the meantime"}, nil, session.ErrNoAccount, notFound},
		{"invite", []string{"invite/no address"}, nil, outbox.ErrRefused, "The login service answered 400 invalid_email."},
		{"invite", []string{"invite/address takes no mail"}, nil, outbox.ErrRefused, refusesAddress},
		{"invite", []string{"invite/mail refused"}, nil, outbox.ErrRefused, "The mail server rejected the email (554 5.7.1)."},
		{"invite", []string{"invite/mail not sent"}, nil, session.ErrNotMailed, refusesLogin},
		{"invite", []string{"invite/mail not confirmed"}, nil, outbox.ErrUnconfirmed, unconfirmed},
		{"invite", []string{"invite/wants a pause"}, nil, session.ErrTooMany, tooMany},

		{"revoke invite", []string{"revoke_invite/revoked"}, nil, nil, ""},
		{"revoke invite", []string{"revoke_invite/nobody there"}, nil, nil, ""},
		{"revoke invite", []string{"revoke_invite/no address"}, nil, outbox.ErrRefused, "The login service answered 400 invalid_email."},

		{"delete user", []string{"delete_user/deleted"}, nil, nil, ""},
		{"delete user", []string{"delete_user/gone already"}, nil, nil, ""},
		{"delete user", []string{"delete_user/no id"}, nil, outbox.ErrRefused, "The login service answered 400 invalid_user_id."},
		{"delete user by address", []string{"search_users/found", "delete_user/deleted"}, nil, nil, ""},
		{"delete user by address", []string{`search_users/found at results.emails.email="Ada@Example.com"`, "delete_user/deleted"}, nil, nil, ""},
		{"delete user by address", []string{"search_users/found nobody"}, nil, nil, ""},
		{"delete user by address", []string{"search_users/wants a pause"}, nil, session.ErrTooMany, tooMany},

		{"revoke session", []string{"revoke_session/revoked"}, nil, nil, ""},
		{"revoke session", []string{"revoke_session/ended already"}, nil, nil, ""},
		{"revoke session", []string{"revoke_session/no id"}, nil, outbox.ErrRefused, "The login service answered 400 invalid_session_id."},
	}
	for _, test := range tests {
		t.Run(test.call+": "+test.answers[0], func(t *testing.T) {
			got, err := calls[test.call](t, replay(t, test.answers...))
			if test.err == outbox.ErrUnconfirmed && (errors.Is(err, session.ErrNotMailed) || errors.Is(err, session.ErrUnavailable) || errors.Is(err, outbox.ErrRefused)) {
				t.Errorf("got %v, which would be tried again for good, or never", err)
			}
			if !errors.Is(err, test.err) || reason(err) != test.reason {
				t.Errorf("got %v, %q; want %v, %q", err, reason(err), test.err, test.reason)
			}
			if err == nil {
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
			wantNoSecrets(t, err)
		})
	}
}

// These mean for every call that Stytch is unavailable.
func TestTranslate_EveryCall(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"wrong secret":                    "The login service answered 401 unauthorized_credentials.",
		"wrong project":                   "The login service answered 401 invalid_project_id_authentication.",
		"secret of the other environment": "The login service answered 401 invalid_secret_authentication.",
		"broken":                          "The login service answered 500 internal_server_error.",
		"bad gateway":                     "The login service answered 502 bad_gateway.",
		"redirected":                      "The login service answered 302.",
		"forbidden by somebody between":   "The login service answered 403.",
		"not found by somebody between":   "The login service answered 404.",
	}
	for answer, want := range tests {
		for name, call := range calls {
			t.Run(name+": "+answer, func(t *testing.T) {
				_, err := call(t, replay(t, "any_call/"+answer))
				if !errors.Is(err, session.ErrUnavailable) || errors.Is(err, outbox.ErrRefused) || reason(err) != want {
					t.Errorf("got %v, %q; want ErrUnavailable, %q", err, reason(err), want)
				}
				wantNoSecrets(t, err)
			})
		}
	}
}

// A successful response that is incomplete, or about another user, signs no one in and
// deletes no one.
func TestCalls_MalformedResponse(t *testing.T) {
	t.Parallel()
	const other = `"user-test-99999999-9999-4999-8999-999999999999"`
	tests := []struct {
		call, answer string
		edits        []string
	}{
		{"authenticate link", "authenticate_link/proven", []string{
			`session=null`, `session_token=""`, `session_token`, `user_id=""`, `user_id=` + other, `user.user_id=` + other, `user`,
			`session.user_id=` + other, `session.user_id=""`, `session.session_id=""`, `session.expires_at=null`, `session.expires_at`,
			`session.authentication_factors=[]`, `session.authentication_factors=null`,
			`session.authentication_factors.delivery_method="embedded"`, `session.authentication_factors.delivery_method="sms"`,
			`session.authentication_factors.email_factor=null`,
			`user_id=7`, `session="x"`, `session.expires_at="soon"`, `session.expires_at=""`, `session_token={}`, `session.authentication_factors={}`,
		}},
		{"authenticate session", "authenticate_session/stands", []string{
			`session`, `session=null`, `session.session_id=""`, `session.user_id=""`, `session.expires_at=null`, `session=[]`, `session.user_id=1`,
		}},
		{"invite", "invite/sent", []string{`user_id=""`, `user_id`, `user_id=[]`}},
		{"delete user by address", "search_users/found", []string{
			`results.emails.email="eve@example.com"`, `results.emails=[]`, `results.emails`, `results.user_id=""`, `results={}`,
			`results.emails.email="ada@example.com,eve@example.com"`,
		}},
	}
	for _, test := range tests {
		for _, edit := range test.edits {
			t.Run(test.call+": "+edit, func(t *testing.T) {
				got, err := calls[test.call](t, replay(t, test.answer+" at "+edit))
				if !errors.Is(err, session.ErrUnavailable) {
					t.Errorf("got %v, want ErrUnavailable", err)
				}
				switch got {
				case nil, "", session.Authentication{}, session.ProviderSession{}:
				default:
					t.Errorf("returned %+v beside the error", got)
				}
				wantNoSecrets(t, err)
			})
		}
	}
}

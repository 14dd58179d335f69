package stytchlocal_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/attribute"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/stytchlocal"
)

func TestSDK_SignIn(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		clients := map[string]*stytchapi.API{
			"over a socket":      f.sdk,
			"inside the process": f.newSDK(stytchapi.WithHTTPClient(&http.Client{Transport: f.server.Transport()})),
		}
		for name, sdk := range clients {
			t.Run(name, func(t *testing.T) {
				address := strings.ReplaceAll(name, " ", ".") + "@example.com"
				sent, err := sdk.MagicLinks.Email.LoginOrCreate(t.Context(), &email.LoginOrCreateParams{
					Email: "  " + strings.ToUpper(address) + " ", LoginMagicLinkURL: callback, SignupMagicLinkURL: callback,
				})
				if err != nil {
					t.Fatal(err)
				}
				if !sent.UserCreated || !strings.HasPrefix(sent.UserID, "user-test-") || !strings.HasPrefix(sent.EmailID, "email-test-") {
					t.Errorf("login_or_create answers %+v", sent)
				}
				in, err := sdk.MagicLinks.Authenticate(t.Context(), &magiclinks.AuthenticateParams{
					Token: f.token(address), SessionDurationMinutes: 60,
					Attributes: &attribute.Attributes{IPAddress: "203.0.113.7", UserAgent: "Browser/1"},
				})
				if err != nil {
					t.Fatal(err)
				}
				now := f.clock.now()
				end := now.Add(time.Hour)
				want := &sessions.Session{
					SessionID: in.Session.SessionID, UserID: sent.UserID, StartedAt: &now, LastAccessedAt: &now, ExpiresAt: &end,
					Roles: []string{}, Attributes: &attribute.Attributes{IPAddress: "203.0.113.7", UserAgent: "Browser/1"},
					AuthenticationFactors: []sessions.AuthenticationFactor{{
						Type: "magic_link", DeliveryMethod: "email", LastAuthenticatedAt: &now, CreatedAt: &now, UpdatedAt: &now,
						EmailFactor: &sessions.EmailFactor{EmailID: sent.EmailID, EmailAddress: address},
					}},
				}
				if diff := cmp.Diff(want, in.Session); diff != "" {
					t.Errorf("session (-want +got):\n%s", diff)
				}
				if in.MethodID != sent.EmailID || in.UserID != sent.UserID || in.ResetSessions || len(in.SessionToken) != 44 || in.SessionJWT == "" {
					t.Errorf("authenticate answers %+v", in)
				}
				wantEmails := []users.Email{{EmailID: sent.EmailID, Email: address, Verified: true}}
				if diff := cmp.Diff(wantEmails, in.User.Emails); diff != "" || in.User.Status != "active" {
					t.Errorf("user is %s, emails (-want +got):\n%s", in.User.Status, diff)
				}

				again, err := sdk.MagicLinks.Email.LoginOrCreate(t.Context(), &email.LoginOrCreateParams{Email: address})
				if err != nil || again.UserCreated || again.UserID != sent.UserID {
					t.Errorf("a second login_or_create answers %+v, %v", again, err)
				}
			})
		}
	})
}

func TestAuthenticate_NoDurationNoSession(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	token, _ := f.link("ada@example.com", nil)
	in := f.ok("POST", "/v1/magic_links/authenticate", object{"token": token})
	if in["session_token"] != "" || in["session_jwt"] != "" || in["session"] != nil {
		t.Errorf("there is a session: %v", in)
	}
	if dig(in, "user", "emails", 0, "verified") != true {
		t.Errorf("the address is not verified: %v", in["user"])
	}
}

func TestAuthenticate_Concurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		token, _ := f.link("ada@example.com", nil)
		codes := make([]string, 50)
		var all sync.WaitGroup
		for i := range codes {
			all.Go(func() {
				_, err := f.sdk.MagicLinks.Authenticate(context.WithoutCancel(t.Context()), &magiclinks.AuthenticateParams{
					Token: token, SessionDurationMinutes: 60,
				})
				codes[i] = errorType(err)
			})
		}
		all.Wait()
		count := map[string]int{}
		for _, code := range codes {
			count[code]++
		}
		if diff := cmp.Diff(map[string]int{"": 1, "unable_to_auth_magic_link": 49}, count); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
	})
}

func TestLoginOrCreate_Concurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ids := make([]string, 20)
		created := make([]bool, len(ids))
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				sent, err := f.sdk.MagicLinks.Email.LoginOrCreate(context.WithoutCancel(t.Context()), &email.LoginOrCreateParams{Email: "ada@example.com"})
				if err != nil {
					t.Error(err)
					return
				}
				ids[i], created[i] = sent.UserID, sent.UserCreated
			})
		}
		all.Wait()
		makers := 0
		for i := range ids {
			if ids[i] != ids[0] {
				t.Errorf("two users: %s and %s", ids[0], ids[i])
			}
			if created[i] {
				makers++
			}
		}
		if makers != 1 {
			t.Errorf("%d calls say that they made the user", makers)
		}
	}, func(o *stytchlocal.Options) { o.Limits = false })
}

func TestLinks_Expire(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		path  string
		body  object
		valid time.Duration
	}{
		{"a sign-up link works a week", "login_or_create", object{"create_user_as_pending": true}, 7 * 24 * time.Hour},
		{"a sign-up link works as long as asked", "login_or_create", object{"create_user_as_pending": true, "signup_expiration_minutes": 10}, 10 * time.Minute},
		{"an invitation works an hour", "invite", object{}, time.Hour},
		{"an invitation works as long as asked", "invite", object{"invite_expiration_minutes": 10080}, 7 * 24 * time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t)
			test.body["email"] = "ada@example.com"
			f.ok("POST", "/v1/magic_links/email/"+test.path, test.body)
			early := f.token("ada@example.com")
			f.clock.advance(time.Microsecond)
			f.ok("POST", "/v1/magic_links/email/"+test.path, test.body)
			late := f.token("ada@example.com")
			f.clock.advance(test.valid - time.Microsecond)
			f.refused("POST", "/v1/magic_links/authenticate", object{"token": early}, 401, "unable_to_auth_magic_link")
			f.ok("POST", "/v1/magic_links/authenticate", object{"token": late})
		})
	}

	t.Run("a login link works an hour", func(t *testing.T) {
		t.Parallel()
		f := onSQLite(t)
		f.signIn("ada@example.com")
		token, _ := f.link("ada@example.com", nil)
		f.clock.advance(time.Hour)
		f.refused("POST", "/v1/magic_links/authenticate", object{"token": token}, 401, "unable_to_auth_magic_link")
	})
}

func TestSend(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first := f.signIn("ada@example.com")
		f.signIn("bob@example.com")

		sent, err := f.sdk.MagicLinks.Email.Send(t.Context(), &email.SendParams{Email: "ADA@example.com"})
		if err != nil || sent.UserID != first["user_id"] {
			t.Errorf("send to a known address: %+v, %v", sent, err)
		}
		_, err = f.sdk.MagicLinks.Email.Send(t.Context(), &email.SendParams{Email: "nobody@example.com"})
		if got := errorType(err); got != "email_not_found" {
			t.Errorf("send to an unknown address: %s", got)
		}
		f.refused("POST", "/v1/magic_links/email/send", object{"email": "bob@example.com", "user_id": first["user_id"]}, 400, "duplicate_email")

		// A second address, unverified for five minutes.
		sent, err = f.sdk.MagicLinks.Email.Send(t.Context(), &email.SendParams{Email: "ada2@example.com", SessionToken: first["session_token"].(string)})
		if err != nil || sent.UserID != first["user_id"] {
			t.Fatalf("send for a session: %+v, %v", sent, err)
		}
		if m := f.mails()[0]; !strings.Contains(m.Text, "works once and expires in five minutes.") {
			t.Errorf("the mail promises more than the address lasts:\n%s", m.Text)
		}
		late := f.token("ada2@example.com")
		f.clock.advance(5 * time.Minute)
		f.refused("POST", "/v1/magic_links/authenticate", object{"token": late}, 401, "unable_to_auth_magic_link")
		user := f.ok("GET", "/v1/users/"+sent.UserID, nil)
		if n := len(user["emails"].([]any)); n != 1 {
			t.Errorf("the user has %d addresses after the trial", n)
		}

		f.ok("POST", "/v1/magic_links/email/send", object{"email": "ada2@example.com", "session_jwt": first["session_jwt"]})
		f.ok("POST", "/v1/magic_links/authenticate", object{"token": f.token("ada2@example.com")})
		f.clock.advance(time.Hour)
		user = f.ok("GET", "/v1/users/"+sent.UserID, nil)
		if dig(user, "emails", 1, "email") != "ada2@example.com" || dig(user, "emails", 1, "verified") != true {
			t.Errorf("the proven address did not stay: %v", user["emails"])
		}
	})
}

func TestSend_UnverifiedAddressIsNotOwned(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		mallory := f.signIn("mallory@example.com")
		f.ok("POST", "/v1/magic_links/email/send", object{"email": "victim@example.com", "user_id": mallory["user_id"]})
		stolen := f.token("victim@example.com")

		f.refused("POST", "/v1/magic_links/email/send", object{"email": "victim@example.com"}, 404, "email_not_found")
		f.clock.advance(time.Second)
		victim := f.signIn("victim@example.com")
		if victim["user_id"] == mallory["user_id"] {
			t.Error("the owner of the address was signed in as the one who claimed it")
		}
		f.refused("POST", "/v1/magic_links/authenticate", object{"token": stolen}, 404, "magic_link_not_found")
	})
}

func TestSend_ExtendsUnverifiedAddress(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	ada := f.signIn("ada@example.com")
	second := object{"email": "ada2@example.com", "user_id": ada["user_id"]}
	f.ok("POST", "/v1/magic_links/email/send", second)
	f.clock.advance(4 * time.Minute)
	f.ok("POST", "/v1/magic_links/email/send", second)
	f.clock.advance(4 * time.Minute)
	f.ok("POST", "/v1/magic_links/authenticate", object{"token": f.token("ada2@example.com")})
}

func TestSend_TooManyUnverifiedAddresses(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	ada := f.signIn("ada@example.com")
	for _, address := range []string{"1@example.com", "2@example.com", "3@example.com", "4@example.com", "5@example.com", "5@example.com"} {
		f.ok("POST", "/v1/magic_links/email/send", object{"email": address, "user_id": ada["user_id"]})
	}
	f.refused("POST", "/v1/magic_links/email/send", object{"email": "6@example.com", "user_id": ada["user_id"]}, 400, "too_many_unverified_factors")
	f.clock.advance(5 * time.Minute)
	f.ok("POST", "/v1/magic_links/email/send", object{"email": "6@example.com", "user_id": ada["user_id"]})
}

func TestInvite(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		invited, err := f.sdk.MagicLinks.Email.Invite(t.Context(), &email.InviteParams{
			Email: "ada@example.com", InviteMagicLinkURL: callback, InviteExpirationMinutes: 10080,
			Name: &users.Name{FirstName: "Ada", LastName: "Lovelace"}, TrustedMetadata: map[string]any{"team": "engines"},
		})
		if err != nil {
			t.Fatal(err)
		}
		m := f.mails()[0]
		if m.Subject != "You’re invited to Guestlist" || !strings.Contains(m.Text, "Hello Ada Lovelace,") || !strings.Contains(m.Text, "works once and expires in seven days.") {
			t.Errorf("mail %q:\n%s", m.Subject, m.Text)
		}
		user, err := f.sdk.Users.Get(t.Context(), &users.GetParams{UserID: invited.UserID})
		if err != nil || user.Status != "pending" || user.Name.LastName != "Lovelace" || user.TrustedMetadata["team"] != "engines" || user.Emails[0].Verified {
			t.Errorf("the invited user is %+v, %v", user, err)
		}
		first := f.token("ada@example.com")

		f.clock.advance(time.Second)
		again, err := f.sdk.MagicLinks.Email.Invite(t.Context(), &email.InviteParams{Email: "ada@example.com", Name: &users.Name{MiddleName: "King"}})
		if err != nil || again.UserID != invited.UserID || again.EmailID != invited.EmailID {
			t.Errorf("a second invitation: %+v, %v", again, err)
		}
		if m := f.mails()[0]; !strings.Contains(m.Text, "Hello Ada King Lovelace,") {
			t.Errorf("a second invitation greets:\n%s", m.Text)
		}

		if _, err := f.sdk.MagicLinks.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: first}); err != nil {
			t.Errorf("the first invitation still works: %v", err)
		}
		_, err = f.sdk.MagicLinks.Email.Invite(t.Context(), &email.InviteParams{Email: "ada@example.com"})
		if got := errorType(err); got != "duplicate_email" {
			t.Errorf("inviting an active user: %s", got)
		}
	})
}

func TestRevokeInvite(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"})
		invitation := f.token("ada@example.com")
		f.clock.advance(time.Second)
		login, _ := f.link("ada@example.com", nil)

		if _, err := f.sdk.MagicLinks.Email.RevokeInvite(t.Context(), &email.RevokeInviteParams{Email: "Ada@example.com"}); err != nil {
			t.Fatal(err)
		}
		f.refused("POST", "/v1/magic_links/authenticate", object{"token": invitation}, 401, "unable_to_auth_magic_link")
		f.ok("POST", "/v1/magic_links/authenticate", object{"token": login})
		f.ok("POST", "/v1/magic_links/email/revoke_invite", object{"email": "ada@example.com"})
		_, err := f.sdk.MagicLinks.Email.RevokeInvite(t.Context(), &email.RevokeInviteParams{Email: "nobody@example.com"})
		if got := errorType(err); got != "email_not_found" {
			t.Errorf("revoking what nobody has: %s", got)
		}
	})
}

func TestSend_PendingUserGetsSignupLink(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	pages := object{"login_magic_link_url": "http://localhost:3000/login", "signup_magic_link_url": "http://localhost:3000/signup?a=b"}
	first, _ := f.link("ada@example.com", object{"create_user_as_pending": true, "login_magic_link_url": pages["login_magic_link_url"], "signup_magic_link_url": pages["signup_magic_link_url"]})
	leadsTo := func(token, want string) {
		t.Helper()
		_, _, page := f.open(http.MethodGet, token)
		if !strings.Contains(page, want) {
			t.Errorf("the link does not lead to %s:\n%s", want, page)
		}
	}
	leadsTo(first, "http://localhost:3000/signup?a=b&amp;stytch_token_type=magic_links&amp;token="+first)
	f.clock.advance(time.Second)
	second, _ := f.link("ada@example.com", pages)
	leadsTo(second, "http://localhost:3000/signup")
	f.ok("POST", "/v1/magic_links/authenticate", object{"token": second})
	f.clock.advance(time.Second)
	third, _ := f.link("ada@example.com", pages)
	leadsTo(third, "http://localhost:3000/login?stytch_token_type=magic_links&amp;token="+third)
}

func TestCreateEmbeddedLink(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		made, err := f.sdk.Users.Create(t.Context(), &users.CreateParams{Email: "ada@example.com", CreateUserAsPending: true, ExternalID: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		link, err := f.sdk.MagicLinks.Create(t.Context(), &magiclinks.CreateParams{UserID: "ada", ExpirationMinutes: 5})
		if err != nil || link.UserID != made.UserID || len(link.Token) != 44 {
			t.Fatalf("create: %+v, %v", link, err)
		}
		if n := len(f.mails()); n != 0 {
			t.Errorf("%d mails were sent", n)
		}
		in, err := f.sdk.MagicLinks.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: link.Token, SessionDurationMinutes: 5})
		if err != nil {
			t.Fatal(err)
		}
		factor := in.Session.AuthenticationFactors[0]
		if factor.DeliveryMethod != "embedded" || factor.EmbeddableMagicLinkFactor.EmbeddedID != in.MethodID || factor.EmailFactor != nil {
			t.Errorf("factor is %+v", factor)
		}
		if in.User.Emails[0].Verified || in.User.Status != "active" {
			t.Errorf("user is %+v", in.User)
		}
		f.refused("POST", "/v1/magic_links/authenticate", object{"token": link.Token}, 401, "unable_to_auth_magic_link")
		f.refused("POST", "/v1/magic_links", object{"user_id": "user-test-00000000-0000-0000-0000-000000000000"}, 404, "user_not_found")
		f.refused("POST", "/v1/magic_links", object{"user_id": "user-test-1"}, 400, "invalid_user_id")
		f.refused("POST", "/v1/magic_links", object{}, 400, "invalid_user_id")
		f.refused("POST", "/v1/magic_links", object{"user_id": "ada", "expiration_minutes": 0}, 400, "invalid_expiration")
	})
}

func TestMailRequests_Invalid(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	const login, send, invite, revoke = "login_or_create", "send", "invite", "revoke_invite"
	long := strings.Repeat("a", 64) + "@" + strings.Repeat("b.", 94) + "de"
	tests := []struct {
		name, path string
		body       any
		status     int
		errorType  string
	}{
		{"refuses what is no JSON", login, `{"email":`, 400, "bad_request"},
		{"refuses a list", login, `[]`, 400, "bad_request"},
		{"refuses two values", login, `{} {}`, 400, "bad_request"},
		{"refuses what is not UTF-8", login, "{\"email\":\"ada@example.com\",\"x\":\"\xff\"}", 400, "bad_request"},
		{"refuses a wrong type", login, `{"email":7}`, 400, "bad_request"},
		{"refuses a fraction of a minute", login, `{"email":"ada@example.com","login_expiration_minutes":5.5}`, 400, "bad_request"},
		{"refuses no body", login, ``, 400, "invalid_email"},
		{"refuses null", login, `null`, 400, "invalid_email"},
		{"refuses an empty address", login, object{"email": ""}, 400, "invalid_email"},
		{"refuses two addresses", login, object{"email": "a@example.com,b@example.com"}, 400, "invalid_email"},
		{"refuses a second at sign", login, object{"email": "a@evil.com@example.com"}, 400, "invalid_email"},
		{"refuses a quoted local part", login, object{"email": `"a@evil.com"@example.com`}, 400, "invalid_email"},
		{"refuses a display name", login, object{"email": "Ada <ada@example.com>"}, 400, "invalid_email"},
		{"refuses a line break", login, object{"email": "ada@example.com\r\nBcc: x@example.com"}, 400, "invalid_email"},
		{"refuses a host without a dot", login, object{"email": "ada@localhost"}, 400, "invalid_email"},
		{"refuses an address that is too long", login, object{"email": long}, 400, "invalid_email"},
		{"refuses a bad address to send", send, object{"email": "ada"}, 400, "invalid_email"},
		{"refuses a bad address to invite", invite, object{"email": "ada"}, 400, "invalid_email"},
		{"refuses a bad address to revoke", revoke, object{"email": "ada"}, 400, "invalid_email"},
		{"refuses a login URL that is none", login, object{"email": "ada@example.com", "login_magic_link_url": "not a url"}, 400, "invalid_login_magic_link_url"},
		{"refuses a script as URL", login, object{"email": "ada@example.com", "login_magic_link_url": "javascript:alert(1)"}, 400, "invalid_login_magic_link_url"},
		{"refuses a sign-up URL without host", login, object{"email": "ada@example.com", "signup_magic_link_url": "https:///path"}, 400, "invalid_signup_magic_link_url"},
		{"refuses an invitation URL that is none", invite, object{"email": "ada@example.com", "invite_magic_link_url": "%"}, 400, "invalid_invite_magic_link_url"},
		{"refuses a URL that hides its host", login, object{"email": "ada@example.com", "login_magic_link_url": "http://localhost:3000@evil.example/"}, 400, "invalid_login_magic_link_url"},
		{"refuses a URL not listed", login, object{"email": "ada@example.com", "login_magic_link_url": "https://evil.example/"}, 400, "no_match_for_provided_magic_link_url"},
		{"refuses a listed URL with another query", login, object{"email": "ada@example.com", "login_magic_link_url": callback + "&x=1"}, 400, "no_match_for_provided_magic_link_url"},
		{"refuses a host that begins like localhost", login, object{"email": "ada@example.com", "login_magic_link_url": "http://localhost.evil.example/"}, 400, "no_match_for_provided_magic_link_url"},
		{"refuses localhost by https", login, object{"email": "ada@example.com", "login_magic_link_url": "https://localhost/"}, 400, "no_match_for_provided_magic_link_url"},
		{"refuses a link of no time", login, object{"email": "ada@example.com", "login_expiration_minutes": 0}, 400, "invalid_expiration"},
		{"refuses a link of four minutes", login, object{"email": "ada@example.com", "signup_expiration_minutes": 4}, 400, "invalid_expiration"},
		{"refuses an invitation of more than a week", invite, object{"email": "ada@example.com", "invite_expiration_minutes": 10081}, 400, "invalid_expiration"},
		{"refuses a language it doesn't know", login, object{"email": "ada@example.com", "locale": "de"}, 400, "invalid_locale"},
		{"refuses a bad challenge", login, object{"email": "ada@example.com", "code_challenge": "short"}, 400, "invalid_pkce_code_challenge"},
		{"refuses to send to a user and a session", send, object{"email": "ada@example.com", "session_token": "a", "session_jwt": "b"}, 400, "too_many_session_arguments"},
		{"refuses to send for a session of no form", send, object{"email": "ada@example.com", "session_token": "a"}, 400, "invalid_session_token"},
		{"refuses to send for an unknown session", send, object{"email": "ada@example.com", "session_token": strings.Repeat("a", 44)}, 404, "session_not_found"},
		{"refuses to send for an unknown user", send, object{"email": "ada@example.com", "user_id": "nobody"}, 404, "user_not_found"},
		{"refuses metadata that is no object", invite, object{"email": "ada@example.com", "trusted_metadata": "x"}, 400, "metadata_invalid_format"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.refused("POST", "/v1/magic_links/email/"+test.path, test.body, test.status, test.errorType)
		})
	}
	if n := len(f.mails()); n != 0 {
		t.Errorf("%d mails were sent all the same", n)
	}
	if all := f.ok("POST", "/v1/users/search", nil); dig(all, "results_metadata", "total") != 0.0 {
		t.Errorf("users were made all the same: %v", all)
	}
}

func TestMailRequests_ZeroValues(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.ok("POST", "/v1/magic_links/email/login_or_create", `{"email":"ada@example.com","login_magic_link_url":"","signup_magic_link_url":null,
		"login_expiration_minutes":null,"attributes":null,"create_user_as_pending":false,"code_challenge":"","locale":"","telemetry_id":"x"}`)
	f.ok("POST", "/v1/magic_links/email/send", `{"email":"ada@example.com","user_id":"","session_token":"","session_jwt":""}`)
	f.ok("POST", "/v1/magic_links/authenticate", object{
		"token": f.token("ada@example.com"), "session_token": "", "session_jwt": "", "code_verifier": "", "session_duration_minutes": nil,
		"session_custom_claims": nil, "options": object{"ip_match_required": false}, "attributes": object{"ip_address": ""},
	})
}

func TestMailRequests_NoRedirectURL(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		listed           []string
		login, inviteErr string
	}{
		{"none is listed", nil, "no_signup_redirect_urls_set", "no_invite_redirect_urls_set"},
		{"two are listed", []string{"https://a.example/", "https://b.example/"}, "no_default_signup_redirect_url_set", "no_default_invite_redirect_url_set"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t, func(o *stytchlocal.Options) { o.RedirectURLs = test.listed })
			f.refused("POST", "/v1/magic_links/email/login_or_create", object{"email": "ada@example.com"}, 400, test.login)
			f.refused("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"}, 400, test.inviteErr)
			f.ok("POST", "/v1/magic_links/email/login_or_create", object{"email": "ada@example.com", "signup_magic_link_url": "http://localhost/any"})
		})
	}
}

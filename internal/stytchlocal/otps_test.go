package stytchlocal_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/attribute"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/otp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/otp/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"
)

func TestSDK_SignInWithCode(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		clients := map[string]*stytchapi.API{
			"over a socket":      f.sdk,
			"inside the process": f.newSDK(stytchapi.WithHTTPClient(&http.Client{Transport: f.server.Transport()})),
		}
		for name, sdk := range clients {
			t.Run(name, func(t *testing.T) {
				address := strings.ReplaceAll(name, " ", ".") + "@example.com"
				sent, err := sdk.OTPs.Email.LoginOrCreate(t.Context(), &email.LoginOrCreateParams{
					Email: " " + strings.ToUpper(address), ExpirationMinutes: 10, CreateUserAsPending: true,
				})
				if err != nil || !sent.UserCreated {
					t.Fatalf("login_or_create answers %+v, %v", sent, err)
				}
				in, err := sdk.OTPs.Authenticate(t.Context(), &otp.AuthenticateParams{
					MethodID: sent.EmailID, Code: f.mailedCode(address), SessionDurationMinutes: 60,
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
						Type: "otp", DeliveryMethod: "email", LastAuthenticatedAt: &now, CreatedAt: &now, UpdatedAt: &now,
						EmailFactor: &sessions.EmailFactor{EmailID: sent.EmailID, EmailAddress: address},
					}},
				}
				if diff := cmp.Diff(want, in.Session); diff != "" {
					t.Errorf("session (-want +got):\n%s", diff)
				}
				if in.MethodID != sent.EmailID || in.UserID != sent.UserID || in.ResetSessions || len(in.SessionToken) != 44 || in.SessionJWT == "" {
					t.Errorf("authenticate answers %+v", in)
				}
				if in.User.Status != "active" || !in.User.Emails[0].Verified {
					t.Errorf("the user is %+v", in.User)
				}

				// A code adds its factor to a session that a link began.
				token, _ := f.link(address, nil)
				began, err := sdk.MagicLinks.Authenticate(t.Context(), &magiclinks.AuthenticateParams{Token: token, SessionDurationMinutes: 60})
				if err != nil {
					t.Fatal(err)
				}
				again, err := sdk.OTPs.Email.Send(t.Context(), &email.SendParams{Email: address})
				if err != nil || again.EmailID != sent.EmailID {
					t.Fatalf("send answers %+v, %v", again, err)
				}
				both, err := sdk.OTPs.Authenticate(t.Context(), &otp.AuthenticateParams{
					MethodID: sent.EmailID, Code: f.mailedCode(address), SessionToken: began.SessionToken,
				})
				if err != nil || both.Session.SessionID != began.Session.SessionID || len(both.Session.AuthenticationFactors) != 2 {
					t.Errorf("the session is %+v, %v", both.Session, err)
				}
			})
		}
	})
}

func TestCode_Email(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	code, _ := f.code("ada@example.com", object{"expiration_minutes": 10})
	if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(code) {
		t.Fatalf("the code is %q", code)
	}
	m := f.mails()[0]
	want := `Hello,

Enter this code on the page where you requested it:

` + code + `

It works once and expires in ten minutes.

Don’t share it. No one from Guestlist will ever ask you for this code, neither by phone nor by message.

Didn’t request this? You can ignore this email: no one can sign in without the code.
`
	if diff := cmp.Diff(want, m.Text); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if want := code[:3] + " " + code[3:] + " is your Guestlist sign-in code"; m.Subject != want || len(m.Links) != 0 {
		t.Errorf("subject %q, links %q", m.Subject, m.Links)
	}
	html := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(m.HTML, "")), " ")
	for line := range strings.Lines(m.Text) {
		if line = strings.TrimSpace(line); !strings.Contains(html, line) {
			t.Errorf("the HTML does not say %q:\n%s", line, html)
		}
	}
	if strings.Contains(m.HTML, "The link works") || strings.Contains(m.HTML, "href") {
		t.Error("the HTML has a link")
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/dev/inbox", nil)
	if _, _, page := f.raw(f.withKey(r)); !strings.Contains(page, "Code: <strong>"+code+"</strong>") {
		t.Errorf("the inbox does not show the code:\n%s", page)
	}
}

func TestCode_StoredAsHash(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	code, methodID := f.code("ada@example.com", nil)
	var row string
	err := f.store.Reader().QueryRowContext(t.Context(),
		"SELECT method_id || ' ' || user_id || ' ' || code_hash || ' ' || details FROM stytch_codes").Scan(&row)
	if err != nil || !strings.Contains(row, methodID) || strings.Contains(row, code) {
		t.Errorf("the database has %q, %v", row, err)
	}
}

func TestAuthenticateCode_MistakesDoNotCount(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	asked := object{"ip_address": "203.0.113.7", "user_agent": "Browser/1"}
	code, methodID := f.code("ada@example.com", object{"attributes": asked})
	bob := f.signIn("bob@example.com")
	tests := []struct {
		name      string
		body      object
		status    int
		errorType string
	}{
		{"no method id", object{"method_id": ""}, 400, "invalid_method_id"},
		{"a method id of no form", object{"method_id": "email-test-x"}, 400, "invalid_method_id"},
		{"the id of a user", object{"method_id": bob["user_id"]}, 400, "invalid_method_id"},
		{"an unknown method id", object{"method_id": "email-test-00000000-0000-0000-0000-000000000000"}, 404, "otp_code_not_found"},
		{"an address without a code", object{"method_id": bob["method_id"]}, 404, "otp_code_not_found"},
		{"no code", object{"code": ""}, 400, "invalid_code"},
		{"five digits", object{"code": code[:5]}, 400, "invalid_code"},
		{"seven digits", object{"code": code + "0"}, 400, "invalid_code"},
		{"letters", object{"code": "abcdef"}, 400, "invalid_code"},
		{"other digits", object{"code": "١٢٣٤٥٦"}, 400, "invalid_code"},
		{"a code of the wrong type", object{"code": 123456}, 400, "bad_request"},
		{"a session of no time", object{"session_duration_minutes": 0}, 400, "invalid_session_duration_minutes"},
		{"a session of more than 366 days", object{"session_duration_minutes": 527041}, 400, "invalid_session_duration_minutes"},
		{"a token and a JWT", object{"session_token": bob["session_token"], "session_jwt": bob["session_jwt"]}, 400, "too_many_session_arguments"},
		{"an unknown session", object{"session_token": strings.Repeat("a", 44)}, 404, "session_not_found"},
		{"a reserved claim", object{"session_custom_claims": object{"sub": "x"}}, 400, "reserved_claims_in_custom_claims"},
		{"another address", object{"attributes": object{"ip_address": "198.51.100.1"}, "options": object{"ip_match_required": true}}, 401, "attribute_mismatch"},
		{"another browser", object{"attributes": object{"user_agent": "Other"}, "options": object{"user_agent_match_required": true}}, 401, "attribute_mismatch"},
		{"no attributes", object{"options": object{"ip_match_required": true}}, 401, "attribute_mismatch"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := object{"method_id": methodID, "code": code}
			for key, value := range test.body {
				body[key] = value
			}
			f.refused("POST", "/v1/otps/authenticate", body, test.status, test.errorType)
		})
	}
	f.ok("POST", "/v1/otps/authenticate", object{
		"method_id": methodID, "code": code, "attributes": asked, "options": object{"ip_match_required": true, "user_agent_match_required": true},
	})
}

func TestAuthenticateCode_Invalid(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, row := range []struct {
			name      string
			prepare   func(address, code, methodID string) (tried string)
			status    int
			errorType string
		}{
			{"a wrong code", func(_, code, _ string) string { return wrong(code) }, 404, "otp_code_not_found"},
			{"a used code", func(_, code, methodID string) string {
				f.ok("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": code})
				return code
			}, 401, "unable_to_auth_otp_code"},
			{"another code after the right one", func(_, code, methodID string) string {
				f.ok("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": code})
				return wrong(code)
			}, 401, "unable_to_auth_otp_code"},
			{"an expired code", func(_, code, _ string) string {
				f.clock.advance(2 * time.Minute)
				return code
			}, 401, "unable_to_auth_otp_code"},
			{"a code tried five times", func(_, code, methodID string) string {
				for range 5 {
					f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": wrong(code)}, 404, "otp_code_not_found")
				}
				return code
			}, 401, "unable_to_auth_otp_code"},
			{"a code of a deleted user", func(address, code, _ string) string {
				_, answer := f.link(address, nil)
				f.ok("DELETE", "/v1/users/"+answer["user_id"].(string), nil)
				return code
			}, 404, "otp_code_not_found"},
			{"a code of a deleted address", func(_, code, methodID string) string {
				f.ok("DELETE", "/v1/users/emails/"+methodID, nil)
				return code
			}, 404, "otp_code_not_found"},
		} {
			t.Run(row.name, func(t *testing.T) {
				address := strings.ReplaceAll(row.name, " ", ".") + "@example.com"
				code, methodID := f.code(address, nil)
				tried := row.prepare(address, code, methodID)
				f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": tried}, row.status, row.errorType)
			})
		}
	})
}

func TestAuthenticateCode_FifthTryMayBeRight(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	code, methodID := f.code("ada@example.com", nil)
	for range 4 {
		f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": wrong(code)}, 404, "otp_code_not_found")
	}
	f.ok("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": code})
}

func TestSendCode_ReplacesTheCodeAndKeepsLinks(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		token, _ := f.link("ada@example.com", nil)
		first, methodID := f.code("ada@example.com", nil)
		for range 5 {
			f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": wrong(first)}, 404, "otp_code_not_found")
		}
		f.ok("POST", "/v1/otps/email/send", object{"email": "ada@example.com"})
		second := f.mailedCode("ada@example.com")
		if second != first {
			f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": first}, 404, "otp_code_not_found")
		}
		f.ok("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": second})
		f.ok("POST", "/v1/magic_links/authenticate", object{"token": token})
	})
}

func TestSendCode_Requests(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	ada := f.signIn("ada@example.com")
	for _, path := range []string{"/v1/otps/email/login_or_create", "/v1/otps/email/send"} {
		for _, row := range []struct {
			name      string
			body      object
			status    int
			errorType string
		}{
			{"no address", object{}, 400, "invalid_email"},
			{"an address of no form", object{"email": "ada"}, 400, "invalid_email"},
			{"an unknown language", object{"email": "ada@example.com", "locale": "de"}, 400, "invalid_locale"},
			{"no time", object{"email": "ada@example.com", "expiration_minutes": 0}, 400, "invalid_expiration_otp"},
			{"eleven minutes", object{"email": "ada@example.com", "expiration_minutes": 11}, 400, "invalid_expiration_otp"},
			{"a time of the wrong type", object{"email": "ada@example.com", "expiration_minutes": "2"}, 400, "bad_request"},
		} {
			t.Run(path+" refuses "+row.name, func(t *testing.T) { f.refused("POST", path, row.body, row.status, row.errorType) })
		}
	}
	send := "/v1/otps/email/send"
	f.refused("POST", send, object{"email": "bob@example.com"}, 404, "email_not_found")
	f.refused("POST", send, object{"email": "ada@example.com", "user_id": ada["user_id"], "session_token": ada["session_token"]}, 400, "bad_request")
	f.refused("POST", send, object{"email": "ada@example.com", "user_id": "x y"}, 400, "invalid_user_id")
	if n := len(f.mails()); n != 1 {
		t.Errorf("%d mails, want that of the link alone", n)
	}

	// A user adds an address, which is gone after five minutes if it is not proven.
	added := f.ok("POST", send, object{"email": "ada@example.org", "session_token": ada["session_token"], "expiration_minutes": 10})
	f.clock.advance(5*time.Minute - time.Second)
	f.ok("POST", "/v1/otps/authenticate", object{"method_id": added["email_id"], "code": f.mailedCode("ada@example.org")})
	again := f.ok("POST", send, object{"email": "ada@example.net", "user_id": ada["user_id"], "expiration_minutes": 10})
	if text := f.mails()[0].Text; !strings.Contains(text, "expires in five minutes") {
		t.Errorf("the code promises more than the address has:\n%s", text)
	}
	f.clock.advance(5 * time.Minute)
	f.refused("POST", "/v1/otps/authenticate", object{"method_id": again["email_id"], "code": f.mailedCode("ada@example.net")}, 401, "unable_to_auth_otp_code")
	if n := len(dig(f.ok("GET", "/v1/users/"+ada["user_id"].(string), nil), "emails").([]any)); n != 2 {
		t.Errorf("the user has %d addresses, want 2", n)
	}
}

// outcomes makes concurrent calls of the SDK and counts the types of their errors.
func outcomes(calls int, call func(ctx context.Context) error) map[string]int {
	types := make([]string, calls)
	var all sync.WaitGroup
	for i := range types {
		all.Go(func() { types[i] = errorType(call(context.Background())) })
	}
	all.Wait()
	count := map[string]int{}
	for _, kind := range types {
		count[kind]++
	}
	return count
}

func TestAuthenticateCode_Concurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		code, methodID := f.code("ada@example.com", nil)
		got := outcomes(50, func(ctx context.Context) error {
			_, err := f.sdk.OTPs.Authenticate(ctx, &otp.AuthenticateParams{MethodID: methodID, Code: wrong(code)})
			return err
		})
		if diff := cmp.Diff(map[string]int{"otp_code_not_found": 5, "unable_to_auth_otp_code": 45}, got); diff != "" {
			t.Errorf("fifty wrong codes (-want +got):\n%s", diff)
		}
		f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": code}, 401, "unable_to_auth_otp_code")

		code, methodID = f.code("ada@example.com", nil)
		got = outcomes(2, func(ctx context.Context) error {
			_, err := f.sdk.OTPs.Authenticate(ctx, &otp.AuthenticateParams{MethodID: methodID, Code: code, SessionDurationMinutes: 60})
			return err
		})
		if diff := cmp.Diff(map[string]int{"": 1, "unable_to_auth_otp_code": 1}, got); diff != "" {
			t.Errorf("the right code twice (-want +got):\n%s", diff)
		}
		if n := f.count("stytch_sessions"); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestSendCode_Concurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.signIn("ada@example.com")
		got := outcomes(20, func(ctx context.Context) error {
			_, err := f.sdk.OTPs.Email.Send(ctx, &email.SendParams{Email: "ada@example.com"})
			return err
		})
		if got[""] != 20 || f.count("stytch_codes") != 1 {
			t.Errorf("outcomes %v, %d codes", got, f.count("stytch_codes"))
		}
	})
}

// Codes are limited by the program, as links are.
func TestLimits_CodesDoNotCount(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	for range 15 {
		f.code("ada@example.com", object{"create_user_as_pending": true})
	}
	for range 10 {
		f.ok("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"})
	}
	f.refused("POST", "/v1/magic_links/email/invite", object{"email": "ada@example.com"}, 429, "too_many_requests")
}

func TestPurge_OldCodes(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	_, methodID := f.code("ada@example.com", nil)
	f.clock.advance(time.Hour)
	f.ok("GET", "/v1/debug/whoami", nil)
	f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": "123456"}, 401, "unable_to_auth_otp_code")
	f.clock.advance(2 * time.Hour)
	f.refused("POST", "/v1/otps/authenticate", object{"method_id": methodID, "code": "123456"}, 404, "otp_code_not_found")
	if n := f.count("stytch_codes"); n != 0 {
		t.Errorf("%d codes are left", n)
	}
}

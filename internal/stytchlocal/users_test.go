package stytchlocal_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"
)

func TestSDK_Users(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		made, err := f.sdk.Users.Create(t.Context(), &users.CreateParams{
			Email: "Ada@Example.com", Name: &users.Name{FirstName: "Ada", LastName: "Lovelace"}, Roles: []string{"admin"},
			TrustedMetadata: map[string]any{"a": 1.0, "b": 2.0}, UntrustedMetadata: map[string]any{"c": "é"}, ExternalID: "ada|1",
		})
		if err != nil {
			t.Fatal(err)
		}
		now := f.clock.now()
		want := users.User{
			UserID: made.UserID, Status: "active", Name: &users.Name{FirstName: "Ada", LastName: "Lovelace"}, CreatedAt: &now,
			Emails: []users.Email{{EmailID: made.EmailID, Email: "ada@example.com"}}, Roles: []string{"admin"}, ExternalID: "ada|1",
			TrustedMetadata: map[string]any{"a": 1.0, "b": 2.0}, UntrustedMetadata: map[string]any{"c": "é"},
		}
		if diff := cmp.Diff(want, made.User, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("made (-want +got):\n%s", diff)
		}
		if n := len(f.mails()); n != 0 {
			t.Errorf("%d mails were sent", n)
		}
		for _, id := range []string{made.UserID, "ada|1"} {
			got, err := f.sdk.Users.Get(t.Context(), &users.GetParams{UserID: id})
			if err != nil || got.UserID != made.UserID || got.Emails[0].Email != "ada@example.com" || !got.CreatedAt.Equal(now) {
				t.Errorf("get %s: %+v, %v", id, got, err)
			}
		}

		roles := []string{}
		changed, err := f.sdk.Users.Update(t.Context(), &users.UpdateParams{
			UserID: "ada|1", Name: &users.Name{MiddleName: "King"}, Roles: &roles, ExternalID: "ada.2",
			TrustedMetadata: map[string]any{"a": nil, "d": map[string]any{"deep": true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		want.Name = &users.Name{FirstName: "Ada", MiddleName: "King", LastName: "Lovelace"}
		want.Roles, want.ExternalID = nil, "ada.2"
		want.TrustedMetadata = map[string]any{"b": 2.0, "d": map[string]any{"deep": true}}
		if diff := cmp.Diff(want, changed.User, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("changed (-want +got):\n%s", diff)
		}

		_, err = f.sdk.Users.Create(t.Context(), &users.CreateParams{Email: "ADA@example.com"})
		if got := errorType(err); got != "duplicate_email" {
			t.Errorf("the address again: %s", got)
		}
		_, err = f.sdk.Users.Create(t.Context(), &users.CreateParams{Email: "bob@example.com", ExternalID: "ada.2"})
		if got := errorType(err); got != "duplicate_user_external_id" {
			t.Errorf("the external id again: %s", got)
		}

		if gone, err := f.sdk.Users.Delete(t.Context(), &users.DeleteParams{UserID: made.UserID}); err != nil || gone.UserID != made.UserID {
			t.Errorf("delete: %+v, %v", gone, err)
		}
		for name, call := range map[string]func() error{
			"delete again": func() error {
				_, err := f.sdk.Users.Delete(t.Context(), &users.DeleteParams{UserID: made.UserID})
				return err
			},
			"get": func() error {
				_, err := f.sdk.Users.Get(t.Context(), &users.GetParams{UserID: made.UserID})
				return err
			},
			"update": func() error {
				_, err := f.sdk.Users.Update(t.Context(), &users.UpdateParams{UserID: made.UserID})
				return err
			},
			"list sessions": func() error {
				_, err := f.sdk.Sessions.Get(t.Context(), &sessions.GetParams{UserID: made.UserID})
				return err
			},
		} {
			if got := errorType(call()); got != "user_not_found" {
				t.Errorf("%s of a deleted user: %s", name, got)
			}
		}
	})
}

func TestDeleteUser(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := f.signIn("ada@example.com")
		link, _ := f.link("ada@example.com", nil)
		f.ok("DELETE", "/v1/users/"+in["user_id"].(string), nil)
		for _, table := range []string{"stytch_users", "stytch_emails", "stytch_links", "stytch_sessions"} {
			if n := f.count(table); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
		f.refused("POST", "/v1/sessions/authenticate", object{"session_token": in["session_token"]}, 404, "session_not_found")
		f.refused("POST", "/v1/sessions/authenticate", object{"session_jwt": in["session_jwt"]}, 404, "session_not_found")
		f.refused("POST", "/v1/magic_links/authenticate", object{"token": link}, 404, "magic_link_not_found")
		f.refused("POST", "/v1/magic_links/email/send", object{"email": "ada@example.com"}, 404, "email_not_found")
		f.refused("DELETE", "/v1/users/emails/"+in["method_id"].(string), nil, 404, "email_not_found")
		if _, again := f.link("ada@example.com", nil); again["user_created"] != true || again["user_id"] == in["user_id"] {
			t.Errorf("the address comes back as %v", again)
		}
	})
}

func TestUsers_CompleteBodies(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	made := f.ok("POST", "/v1/users", object{"email": "ada@example.com"})
	got := f.ok("GET", "/v1/users/"+made["user_id"].(string), nil)
	want := object{
		"user_id": made["user_id"], "status": "active", "created_at": "2026-03-01T12:00:00.123456Z",
		"emails":        []any{object{"email_id": made["email_id"], "email": "ada@example.com", "verified": false}},
		"name":          object{"first_name": "", "middle_name": "", "last_name": ""},
		"phone_numbers": []any{}, "webauthn_registrations": []any{}, "totps": []any{}, "providers": []any{}, "crypto_wallets": []any{},
		"biometric_registrations": []any{}, "password": nil, "roles": []any{}, "trusted_metadata": object{}, "untrusted_metadata": object{},
		"external_id": nil, "is_locked": false, "lock_created_at": nil, "lock_expires_at": nil,
		"status_code": 200.0, "request_id": got["request_id"],
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("get (-want +got):\n%s", diff)
	}
	updated := f.ok("PUT", "/v1/users/"+made["user_id"].(string), object{"user_id": "ignored", "attributes": object{}})
	for _, field := range []string{"user_id", "emails", "phone_numbers", "crypto_wallets", "user"} {
		if updated[field] == nil {
			t.Errorf("update lacks %s", field)
		}
	}
}

func TestUsers_Invalid(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	id := f.ok("POST", "/v1/users", object{"email": "ada@example.com", "external_id": "ada"})["user_id"].(string)
	f.ok("POST", "/v1/users", object{"email": "bob@example.com", "external_id": "bob"})
	many := object{}
	for i := range 21 {
		many[fmt.Sprint(i)] = i
	}
	tests := []struct {
		name, method, path string
		body               object
		status             int
		errorType          string
	}{
		{"refuses a user without address", "POST", "", object{}, 400, "invalid_email"},
		{"has no phone numbers", "POST", "", object{"phone_number": "+12025550162"}, 400, "bad_request"},
		{"refuses metadata that is no object", "POST", "", object{"email": "c@example.com", "untrusted_metadata": []any{}}, 400, "metadata_invalid_format"},
		{"refuses metadata of 21 keys", "PUT", "/" + id, object{"trusted_metadata": many}, 400, "metadata_too_many_keys"},
		{"refuses metadata that is too large", "PUT", "/" + id, object{"trusted_metadata": object{"x": strings.Repeat("x", 4096)}}, 400, "metadata_too_large"},
		{"refuses an external id with a space", "PUT", "/" + id, object{"external_id": "a b"}, 400, "bad_request"},
		{"refuses an external id like a user id", "PUT", "/" + id, object{"external_id": id}, 400, "bad_request"},
		{"refuses another's external id", "PUT", "/" + id, object{"external_id": "bob"}, 400, "duplicate_user_external_id"},
		{"refuses an endless name", "PUT", "/" + id, object{"name": object{"first_name": strings.Repeat("x", 501)}}, 400, "bad_request"},
		{"refuses a role without a name", "PUT", "/" + id, object{"roles": []string{""}}, 400, "bad_request"},
		{"refuses a user id of no form", "GET", "/user-test-1", nil, 400, "invalid_user_id"},
		{"refuses a user id without hyphens", "GET", "/user-test-00000000000000000000000000000000", nil, 400, "invalid_user_id"},
		{"refuses an id that no user can have", "GET", "/a%20b", nil, 400, "invalid_user_id"},
		{"does not know an unknown user", "GET", "/user-test-00000000-0000-0000-0000-000000000000", nil, 404, "user_not_found"},
		{"does not know an unknown external id", "DELETE", "/nobody", nil, 404, "user_not_found"},
		{"refuses an email id of no form", "DELETE", "/emails/x", nil, 400, "invalid_email_id"},
		{"does not know an unknown email id", "DELETE", "/emails/email-test-00000000-0000-0000-0000-000000000000", nil, 404, "email_not_found"},
		{"refuses a TOTP id of no form", "DELETE", "/totps/x", nil, 400, "invalid_totp_id"},
		{"does not know an unknown TOTP id", "DELETE", "/totps/totp-test-00000000-0000-0000-0000-000000000000", nil, 404, "totp_not_found"},
		{"has no passkeys", "DELETE", "/webauthn_registrations/x", nil, 404, "webauthn_registration_not_found"},
		{"has no phone numbers to delete", "DELETE", "/phone_numbers/x", nil, 404, "phone_number_not_found"},
		{"has no OAuth", "DELETE", "/oauth/x", nil, 404, "oauth_user_registration_not_found"},
		{"has no passwords", "DELETE", "/passwords/x", nil, 404, "password_not_found"},
		{"has no biometrics", "DELETE", "/biometric_registrations/x", nil, 404, "biometric_registration_not_found"},
		{"has no wallets", "DELETE", "/crypto_wallets/x", nil, 404, "crypto_wallet_not_found"},
		{"exchanges no phone number", "PUT", "/" + id + "/exchange_primary_factor", object{"phone_number": "+12025550162"}, 400, "bad_request"},
		{"exchanges an address for a proper one", "PUT", "/" + id + "/exchange_primary_factor", object{"email_address": "x"}, 400, "invalid_email"},
		{"does not exchange an address for itself", "PUT", "/" + id + "/exchange_primary_factor", object{"email_address": "ada@example.com"}, 400, "duplicate_email_for_user"},
		{"does not exchange an address for another's", "PUT", "/" + id + "/exchange_primary_factor", object{"email_address": "bob@example.com"}, 400, "duplicate_email"},
		{"does not exchange for an unknown user", "PUT", "/nobody/exchange_primary_factor", object{"email_address": "c@example.com"}, 404, "user_not_found"},
		{"has no connected apps", "GET", "/" + id + "/connected_apps", nil, 404, "route_not_found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var body any
			if test.body != nil {
				body = test.body
			}
			f.refused(test.method, "/v1/users"+test.path, body, test.status, test.errorType)
		})
	}
}

func TestUpdateUser_ZeroValues(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.ok("POST", "/v1/users", object{"email": "ada@example.com", "external_id": "ada", "name": object{"first_name": "Ada", "last_name": "Lovelace"},
		"trusted_metadata": object{"n": 1}, "roles": []string{"admin"}})
	got := dig(f.ok("PUT", "/v1/users/ada", `{"name":{"first_name":"","middle_name":null},"trusted_metadata":null,"untrusted_metadata":{"zero":0,"no":false,"empty":"","big":9007199254740993}}`), "user")
	if diff := cmp.Diff(object{"first_name": "", "middle_name": "", "last_name": "Lovelace"}, dig(got, "name")); diff != "" {
		t.Errorf("name (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(object{"zero": 0.0, "no": false, "empty": "", "big": 9007199254740993.0}, dig(got, "untrusted_metadata")); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if dig(got, "trusted_metadata", "n") != 1.0 || dig(got, "roles", 0) != "admin" || dig(got, "external_id") != "ada" {
		t.Errorf("what was not given has changed: %v", got)
	}
	id := dig(got, "user_id").(string)
	if got := f.ok("PUT", "/v1/users/ada", `{"external_id":"","roles":[]}`); dig(got, "user", "external_id") != nil || len(dig(got, "user", "roles").([]any)) != 0 {
		t.Errorf("external id and roles stay: %v", got)
	}
	f.refused("GET", "/v1/users/ada", nil, 404, "user_not_found")
	f.ok("GET", "/v1/users/"+id, nil)
}

func TestUpdateUser_Concurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.ok("POST", "/v1/users", object{"email": "ada@example.com", "external_id": "ada"})
		var all sync.WaitGroup
		for i := range 15 {
			all.Go(func() {
				if status, answer := f.call("PUT", "/v1/users/ada", object{"trusted_metadata": object{fmt.Sprint(i): i}}); status != 200 {
					t.Error(answer)
				}
			})
		}
		all.Wait()
		if got := f.ok("GET", "/v1/users/ada", nil)["trusted_metadata"].(object); len(got) != 15 {
			t.Errorf("%d of 15 changes are left: %v", len(got), got)
		}
	})
}

func TestEmails_DeleteAndExchange(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := f.signIn("ada@example.com")
		id := in["user_id"].(string)
		old, _ := f.link("ada@example.com", nil)
		swapped, err := f.sdk.Users.ExchangePrimaryFactor(t.Context(), &users.ExchangePrimaryFactorParams{UserID: id, EmailAddress: "Ada@new.example"})
		if err != nil {
			t.Fatal(err)
		}
		email := swapped.User.Emails[0]
		if len(swapped.User.Emails) != 1 || email.Email != "ada@new.example" || email.Verified || email.EmailID == in["method_id"] {
			t.Errorf("exchanged to %+v", swapped.User.Emails)
		}
		f.refused("POST", "/v1/magic_links/authenticate", object{"token": old}, 404, "magic_link_not_found")
		f.refused("POST", "/v1/magic_links/email/send", object{"email": "ada@example.com"}, 404, "email_not_found")

		f.ok("POST", "/v1/magic_links/email/send", object{"email": "ada@example.com", "user_id": id})
		f.refused("PUT", "/v1/users/"+id+"/exchange_primary_factor", object{"email_address": "ada@third.example"}, 400, "bad_request")

		token, _ := f.link("ada@new.example", nil)
		gone, err := f.sdk.Users.DeleteEmail(t.Context(), &users.DeleteEmailParams{EmailID: email.EmailID})
		if err != nil || gone.UserID != id || len(gone.User.Emails) != 1 || gone.User.Emails[0].Email != "ada@example.com" {
			t.Errorf("delete email: %+v, %v", gone, err)
		}
		f.refused("POST", "/v1/magic_links/authenticate", object{"token": token}, 404, "magic_link_not_found")
	})
}

func TestUsers_EscapedIDs(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.ok("POST", "/v1/users", object{"email": "ada@example.com", "external_id": "a|b"})
	f.ok("GET", "/v1/users/"+url.PathEscape("a|b"), nil)
	_, err := f.sdk.Users.Get(t.Context(), &users.GetParams{UserID: "a/b c"})
	if got := errorType(err); got != "invalid_user_id" {
		t.Errorf("an id with a slash: %s", got)
	}
	for _, call := range []func() error{
		func() error {
			_, err := f.sdk.Users.Get(t.Context(), &users.GetParams{UserID: ""})
			return err
		},
		func() error {
			_, err := f.sdk.Users.Delete(t.Context(), &users.DeleteParams{UserID: ""})
			return err
		},
	} {
		if got := errorType(call()); got != "route_not_found" {
			t.Errorf("an empty id: %s", got)
		}
	}
}

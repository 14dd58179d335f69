package stytchlocal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image/png"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/totps"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"
)

// authenticatorApp is what a user's phone has of a TOTP.
type authenticatorApp struct {
	f              *fixture
	userID, totpID string
	secret         string
	recoveryCodes  []string
}

// newApp creates a TOTP for a new user.
func (f *fixture) newApp(address string) *authenticatorApp {
	f.t.Helper()
	user := f.ok("POST", "/v1/users", object{"email": address})
	return f.addApp(user["user_id"].(string))
}

func (f *fixture) addApp(userID string) *authenticatorApp {
	f.t.Helper()
	made := f.ok("POST", "/v1/totps", object{"user_id": userID})
	a := &authenticatorApp{f: f, userID: userID, totpID: made["totp_id"].(string), secret: made["secret"].(string)}
	for _, code := range made["recovery_codes"].([]any) {
		a.recoveryCodes = append(a.recoveryCodes, code.(string))
	}
	return a
}

// code returns the code that the app shows at an offset from now.
func (a *authenticatorApp) code(offset time.Duration) string {
	a.f.t.Helper()
	code, err := totp.GenerateCode(a.secret, a.f.clock.now().Add(offset))
	if err != nil {
		a.f.t.Fatal(err)
	}
	return code
}

// wrongCode returns a code that the app shows at no accepted time.
func (a *authenticatorApp) wrongCode() string {
	code := a.code(0)
	for slices.Contains([]string{a.code(-30 * time.Second), a.code(0), a.code(30 * time.Second)}, code) {
		code = wrong(code)
	}
	return code
}

// confirm proves the app and waits until the code is over.
func (a *authenticatorApp) confirm() *authenticatorApp {
	a.f.t.Helper()
	a.f.ok("POST", "/v1/totps/authenticate", a.with(a.code(0)))
	a.f.clock.advance(30 * time.Second)
	return a
}

func (a *authenticatorApp) with(code string) object {
	return object{"user_id": a.userID, "totp_code": code}
}

func (a *authenticatorApp) recoverWith(code string) object {
	return object{"user_id": a.userID, "recovery_code": code}
}

func TestSDK_TOTP(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		in := f.signIn("ada@example.com")
		userID, token := in["user_id"].(string), in["session_token"].(string)
		made, err := f.sdk.TOTPs.Create(t.Context(), &totps.CreateParams{UserID: userID})
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[A-Z2-7]{32}$`).MatchString(made.Secret) || !strings.HasPrefix(made.TOTPID, "totp-test-") || made.UserID != userID {
			t.Errorf("create answers %+v", made)
		}
		if diff := cmp.Diff([]users.TOTP{{TOTPID: made.TOTPID}}, made.User.TOTPs); diff != "" {
			t.Errorf("the user's TOTPs (-want +got):\n%s", diff)
		}
		form := regexp.MustCompile(`^[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}$`)
		if n := len(slices.Compact(slices.Sorted(slices.Values(made.RecoveryCodes)))); n != 10 {
			t.Errorf("%d recovery codes: %q", n, made.RecoveryCodes)
		}
		for _, code := range made.RecoveryCodes {
			if !form.MatchString(code) {
				t.Errorf("recovery code %q", code)
			}
		}

		app := &authenticatorApp{f: f, userID: userID, secret: made.Secret}
		proven, err := f.sdk.TOTPs.Authenticate(t.Context(), &totps.AuthenticateParams{UserID: userID, TOTPCode: app.code(0), SessionToken: token})
		if err != nil {
			t.Fatal(err)
		}
		now := f.clock.now()
		want := sessions.AuthenticationFactor{
			Type: "totp", DeliveryMethod: "authenticator_app", LastAuthenticatedAt: &now, CreatedAt: &now, UpdatedAt: &now,
			AuthenticatorAppFactor: &sessions.AuthenticatorAppFactor{TOTPID: made.TOTPID},
		}
		if proven.SessionToken != token || len(proven.Session.AuthenticationFactors) != 2 {
			t.Fatalf("the session is %+v", proven.Session)
		}
		if diff := cmp.Diff(want, proven.Session.AuthenticationFactors[1]); diff != "" {
			t.Errorf("the factor (-want +got):\n%s", diff)
		}
		if proven.TOTPID != made.TOTPID || proven.UserID != userID || proven.SessionJWT == "" {
			t.Errorf("authenticate answers %+v", proven)
		}
		if diff := cmp.Diff([]users.TOTP{{TOTPID: made.TOTPID, Verified: true}}, proven.User.TOTPs); diff != "" {
			t.Errorf("the user's TOTPs (-want +got):\n%s", diff)
		}

		recovered, err := f.sdk.TOTPs.Recover(t.Context(), &totps.RecoverParams{
			UserID: userID, RecoveryCode: made.RecoveryCodes[3], SessionDurationMinutes: 60,
		})
		if err != nil {
			t.Fatal(err)
		}
		factors := recovered.Session.AuthenticationFactors
		if len(factors) != 1 || factors[0].Type != "recovery_codes" || factors[0].DeliveryMethod != "recovery_code" ||
			!strings.HasPrefix(factors[0].RecoveryCodeFactor.TOTPRecoveryCodeID, "totp-recovery-code-test-") || recovered.TOTPID != made.TOTPID {
			t.Errorf("recover answers %+v", recovered)
		}

		listed, err := f.sdk.TOTPs.RecoveryCodes(t.Context(), &totps.RecoveryCodesParams{UserID: userID})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]totps.TOTP{{TOTPID: made.TOTPID, Verified: true, RecoveryCodes: []string{}}}, listed.TOTPs); diff != "" {
			t.Errorf("recovery_codes answers (-want +got):\n%s", diff)
		}

		deleted, err := f.sdk.Users.DeleteTOTP(t.Context(), &users.DeleteTOTPParams{TOTPID: made.TOTPID})
		if err != nil || deleted.UserID != userID || len(deleted.User.TOTPs) != 0 {
			t.Errorf("delete answers %+v, %v", deleted, err)
		}
		f.clock.advance(time.Minute)
		f.refused("POST", "/v1/totps/authenticate", app.with(app.code(0)), 404, "totps_not_found_for_user")
		f.refused("POST", "/v1/totps/recover", app.recoverWith(made.RecoveryCodes[0]), 404, "totps_not_found_for_user")
	})
}

func TestCreateTOTP_QRCode(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	user := f.ok("POST", "/v1/users", object{"email": "ada@example.com"})
	made := f.ok("POST", "/v1/totps", object{"user_id": user["user_id"]})
	text, ok := strings.CutPrefix(made["qr_code"].(string), "data:image/png;base64,")
	if !ok {
		t.Fatalf("the QR code is %v", made["qr_code"])
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil || img.Bounds().Dx() != 256 || img.Bounds().Dy() != 256 {
		t.Errorf("the image is %v, %v", img.Bounds(), err)
	}
}

func TestCreateTOTP_Requests(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	app := f.newApp("ada@example.com")
	for _, row := range []struct {
		name      string
		body      object
		status    int
		errorType string
	}{
		{"no user", object{}, 400, "invalid_user_id"},
		{"an unknown user", object{"user_id": "user-test-00000000-0000-0000-0000-000000000000"}, 404, "user_not_found"},
		{"four minutes", object{"user_id": app.userID, "expiration_minutes": 4}, 400, "invalid_expiration"},
		{"more than a day", object{"user_id": app.userID, "expiration_minutes": 1441}, 400, "invalid_expiration"},
	} {
		t.Run(row.name, func(t *testing.T) { f.refused("POST", "/v1/totps", row.body, row.status, row.errorType) })
	}

	// Another takes the place of a pending one, whose codes and recovery codes end.
	second := f.addApp(app.userID)
	f.refused("POST", "/v1/totps/authenticate", app.with(app.code(0)), 401, "unable_to_authenticate_totp")
	f.refused("DELETE", "/v1/users/totps/"+app.totpID, nil, 404, "totp_not_found")
	second.confirm()
	f.refused("POST", "/v1/totps/recover", app.recoverWith(app.recoveryCodes[0]), 401, "unable_to_authenticate_recovery_code")
	f.refused("POST", "/v1/totps", object{"user_id": app.userID}, 400, "active_totp_exists")

	f.ok("DELETE", "/v1/users/totps/"+second.totpID, nil)
	f.refused("DELETE", "/v1/users/totps/"+second.totpID, nil, 404, "totp_not_found")
	f.addApp(app.userID).confirm()
}

func TestCreateTOTP_Concurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		user := f.ok("POST", "/v1/users", object{"email": "ada@example.com"})
		var mu sync.Mutex
		secrets := map[string]string{}
		got := outcomes(10, func(ctx context.Context) error {
			made, err := f.sdk.TOTPs.Create(ctx, &totps.CreateParams{UserID: user["user_id"].(string)})
			mu.Lock()
			defer mu.Unlock()
			secrets[made.TOTPID] = made.Secret
			return err
		})
		listed := dig(f.ok("GET", "/v1/users/"+user["user_id"].(string), nil), "totps").([]any)
		if got[""] != 10 || len(secrets) != 10 || len(listed) != 1 || f.count("stytch_totps") != 1 {
			t.Fatalf("outcomes %v, the user has %v", got, listed)
		}
		app := &authenticatorApp{f: f, userID: user["user_id"].(string), secret: secrets[dig(listed, 0, "totp_id").(string)]}
		app.confirm()
	})
}

func TestCreateTOTP_ExpiresUnlessConfirmed(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		app := f.newApp("ada@example.com")
		f.clock.advance(24*time.Hour - time.Second)
		if totps := dig(f.ok("GET", "/v1/users/"+app.userID, nil), "totps").([]any); len(totps) != 1 || dig(totps, 0, "verified") != false {
			t.Errorf("the user has %v", totps)
		}
		f.clock.advance(time.Second)
		f.refused("POST", "/v1/totps/authenticate", app.with(app.code(0)), 401, "expired_totp")
		f.refused("POST", "/v1/totps/recovery_codes", object{"user_id": app.userID}, 404, "totps_not_found_for_user")
		f.refused("DELETE", "/v1/users/totps/"+app.totpID, nil, 404, "totp_not_found")
		if totps := dig(f.ok("GET", "/v1/users/"+app.userID, nil), "totps").([]any); len(totps) != 0 {
			t.Errorf("the user has %v", totps)
		}
		f.addApp(app.userID).confirm()
		f.clock.advance(48 * time.Hour)
		f.ok("GET", "/v1/debug/whoami", nil)
		if n := f.count("stytch_totps"); n != 1 {
			t.Errorf("%d TOTPs, want the confirmed one", n)
		}

		pending := f.newApp("bob@example.com")
		f.clock.advance(26 * time.Hour)
		f.ok("GET", "/v1/debug/whoami", nil)
		f.refused("POST", "/v1/totps/authenticate", pending.with(pending.code(0)), 404, "totps_not_found_for_user")
		if n := f.count("stytch_totps"); n != 1 {
			t.Errorf("%d TOTPs are left", n)
		}
	})
}

func TestAuthenticateTOTP_Drift(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		offset    time.Duration
		errorType string
	}{
		{-60 * time.Second, "unable_to_authenticate_totp"}, {-30 * time.Second, ""}, {0, ""}, {30 * time.Second, ""}, {60 * time.Second, "unable_to_authenticate_totp"},
	} {
		t.Run(row.offset.String(), func(t *testing.T) {
			t.Parallel()
			f := onSQLite(t)
			app := f.newApp("ada@example.com")
			code := app.code(row.offset)
			_, err := f.sdk.TOTPs.Authenticate(t.Context(), &totps.AuthenticateParams{UserID: app.userID, TOTPCode: code})
			if got := errorType(err); got != row.errorType {
				t.Errorf("got %q, want %q", got, row.errorType)
			}
		})
	}
}

func TestAuthenticateTOTP_CodesWorkOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		app := f.newApp("ada@example.com")
		earlier, code, later := app.code(-30*time.Second), app.code(0), app.code(30*time.Second)
		f.ok("POST", "/v1/totps/authenticate", app.with(code))
		f.refused("POST", "/v1/totps/authenticate", app.with(code), 401, "totp_code_already_authenticated")
		f.refused("POST", "/v1/totps/authenticate", app.with(earlier), 401, "totp_code_already_authenticated")
		f.clock.advance(30 * time.Second)
		f.refused("POST", "/v1/totps/authenticate", app.with(code), 401, "totp_code_already_authenticated")
		f.ok("POST", "/v1/totps/authenticate", app.with(later))

		f.clock.advance(time.Minute)
		code = app.code(0)
		got := outcomes(2, func(ctx context.Context) error {
			_, err := f.sdk.TOTPs.Authenticate(ctx, &totps.AuthenticateParams{UserID: app.userID, TOTPCode: code, SessionDurationMinutes: 60})
			return err
		})
		if diff := cmp.Diff(map[string]int{"": 1, "totp_code_already_authenticated": 1}, got); diff != "" {
			t.Errorf("a code twice at once (-want +got):\n%s", diff)
		}
		if n := f.count("stytch_sessions"); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestRecoverTOTP_CodesWorkOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		app := f.newApp("ada@example.com")
		f.refused("POST", "/v1/totps/recover", app.recoverWith(app.recoveryCodes[0]), 404, "recovery_codes_not_found") // not confirmed
		app.confirm()
		got := outcomes(5, func(ctx context.Context) error {
			_, err := f.sdk.TOTPs.Recover(ctx, &totps.RecoverParams{UserID: app.userID, RecoveryCode: app.recoveryCodes[0]})
			return err
		})
		if diff := cmp.Diff(map[string]int{"": 1, "unable_to_authenticate_recovery_code": 4}, got); diff != "" {
			t.Errorf("a code five times at once (-want +got):\n%s", diff)
		}
		for _, code := range app.recoveryCodes[1:] {
			f.clock.advance(10 * time.Minute)
			f.ok("POST", "/v1/totps/recover", app.recoverWith(" "+strings.ToUpper(code)+" "))
			f.refused("POST", "/v1/totps/recover", app.recoverWith(code), 401, "unable_to_authenticate_recovery_code")
		}
		f.ok("POST", "/v1/totps/authenticate", app.with(app.code(0))) // the app itself still works
	})
}

func TestTOTP_LocksAfterFiveWrongCodes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		app := f.newApp("ada@example.com").confirm()
		got := outcomes(50, func(ctx context.Context) error {
			_, err := f.sdk.TOTPs.Authenticate(ctx, &totps.AuthenticateParams{UserID: app.userID, TOTPCode: app.wrongCode()})
			return err
		})
		if diff := cmp.Diff(map[string]int{"unable_to_authenticate_totp": 5, "user_lock_limit_reached": 45}, got); diff != "" {
			t.Errorf("fifty wrong codes (-want +got):\n%s", diff)
		}
		f.clock.advance(10*time.Minute - time.Second)
		r := f.request("POST", "/v1/totps/authenticate", app.with(app.code(0)))
		if status, header, body := f.raw(r); status != 429 || header.Get("Retry-After") != "1" || !strings.Contains(body, "user_lock_limit_reached") {
			t.Errorf("the right code gets %d, Retry-After %q, %s", status, header.Get("Retry-After"), body)
		}
		f.ok("POST", "/v1/totps/recover", app.recoverWith(app.recoveryCodes[0])) // is not locked
		f.clock.advance(time.Second)
		f.ok("POST", "/v1/totps/authenticate", app.with(app.code(0)))

		// A right code ends the count.
		for range 3 {
			for range 4 {
				f.refused("POST", "/v1/totps/authenticate", app.with(app.wrongCode()), 401, "unable_to_authenticate_totp")
			}
			f.clock.advance(time.Minute)
			f.ok("POST", "/v1/totps/authenticate", app.with(app.code(0)))
		}

		got = outcomes(20, func(ctx context.Context) error {
			_, err := f.sdk.TOTPs.Recover(ctx, &totps.RecoverParams{UserID: app.userID, RecoveryCode: "aaaa-bbbb-cccc"})
			return err
		})
		if diff := cmp.Diff(map[string]int{"unable_to_authenticate_recovery_code": 5, "user_lock_limit_reached": 15}, got); diff != "" {
			t.Errorf("twenty wrong recovery codes (-want +got):\n%s", diff)
		}
		f.clock.advance(10 * time.Minute)
		f.ok("POST", "/v1/totps/recover", app.recoverWith(app.recoveryCodes[1]))
	})
}

func TestTOTP_MistakesDoNotCount(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	app := f.newApp("ada@example.com").confirm()
	bob := f.signIn("bob@example.com")
	for _, row := range []struct {
		name      string
		more      object
		status    int
		errorType string
	}{
		{"no user", object{"user_id": ""}, 400, "invalid_user_id"},
		{"an unknown user", object{"user_id": "user-test-00000000-0000-0000-0000-000000000000"}, 404, "user_not_found"},
		{"a user without an app", object{"user_id": bob["user_id"]}, 404, "totps_not_found_for_user"},
		{"a session of four minutes", object{"session_duration_minutes": 4}, 400, "invalid_session_duration_minutes"},
		{"a token and a JWT", object{"session_token": bob["session_token"], "session_jwt": bob["session_jwt"]}, 400, "too_many_session_arguments"},
		{"an unknown session", object{"session_token": strings.Repeat("a", 44)}, 404, "session_not_found"},
		{"a reserved claim", object{"session_custom_claims": object{"sub": "x"}}, 400, "reserved_claims_in_custom_claims"},
	} {
		for path, valid := range map[string]object{"authenticate": app.with(app.code(0)), "recover": app.recoverWith(app.recoveryCodes[0])} {
			t.Run(path+" refuses "+row.name, func(t *testing.T) {
				for key, value := range row.more {
					valid[key] = value
				}
				f.refused("POST", "/v1/totps/"+path, valid, row.status, row.errorType)
			})
		}
	}
	for code, errorType := range map[string]string{
		"": "invalid_totp_code", "12345": "invalid_totp_code", "1234567": "invalid_totp_code", "abcdef": "invalid_totp_code",
		app.recoveryCodes[0]: "recovery_code_used_as_totp_code",
	} {
		f.refused("POST", "/v1/totps/authenticate", app.with(code), 400, errorType)
	}
	for code, errorType := range map[string]string{
		"": "invalid_recovery_code", "abcd-efgh": "invalid_recovery_code", "abcdefghijkl": "invalid_recovery_code", app.code(0): "totp_code_used_as_recovery_code",
	} {
		f.refused("POST", "/v1/totps/recover", app.recoverWith(code), 400, errorType)
	}
	f.refused("POST", "/v1/totps/recovery_codes", object{"user_id": bob["user_id"]}, 404, "totps_not_found_for_user")
	f.refused("POST", "/v1/totps/recovery_codes", object{}, 400, "invalid_user_id")
	f.ok("POST", "/v1/totps/authenticate", app.with(app.code(0)))
	f.ok("POST", "/v1/totps/recover", app.recoverWith(app.recoveryCodes[0]))
}

// A session of another user is not taken over: the call creates one.
func TestAuthenticateTOTP_IgnoresSessionOfAnother(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	app := f.newApp("ada@example.com").confirm()
	bob := f.signIn("bob@example.com")
	body := app.with(app.code(0))
	body["session_token"], body["session_duration_minutes"] = bob["session_token"], 60
	in := f.ok("POST", "/v1/totps/authenticate", body)
	if dig(in, "session", "user_id") != app.userID || in["session_token"] == bob["session_token"] {
		t.Errorf("the session is %v", in["session"])
	}
	bobs := f.ok("POST", "/v1/sessions/authenticate", object{"session_token": bob["session_token"]})
	if n := len(dig(bobs, "session", "authentication_factors").([]any)); n != 1 {
		t.Errorf("the other session has %d factors", n)
	}
}

func TestTOTP_StoredWithoutSecrets(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	app := f.newApp("ada@example.com").confirm()
	other := f.newApp("bob@example.com").confirm()
	var row string
	err := f.store.Reader().QueryRowContext(t.Context(), "SELECT secret || recovery_codes FROM stytch_totps WHERE totp_id = ?", app.totpID).Scan(&row)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range append([]string{app.secret}, app.recoveryCodes...) {
		if strings.Contains(row, secret) {
			t.Errorf("the database has %s", secret)
		}
	}

	// An encrypted secret works only in its own row.
	f.exec("UPDATE stytch_totps SET secret = (SELECT secret FROM stytch_totps WHERE totp_id = '" + app.totpID + "') WHERE totp_id = '" + other.totpID + "'")
	f.server = f.newServer()
	f.refused("POST", "/v1/totps/authenticate", object{"user_id": other.userID, "totp_code": app.code(0)}, 500, "internal_server_error")
}

func TestDeleteUser_DeletesCodesAndTOTPs(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.code("bob@example.com", nil)
		f.newApp("carol@example.com")
		_, methodID := f.code("ada@example.com", nil)
		userID := dig(f.ok("POST", "/v1/users/search", object{"query": object{
			"operator": "AND", "operands": []object{{"filter_name": "email_id", "filter_value": []string{methodID}}},
		}}), "results", 0, "user_id").(string)
		f.addApp(userID).confirm()
		f.ok("DELETE", "/v1/users/"+userID, nil)
		if codes, totps := f.count("stytch_codes"), f.count("stytch_totps"); codes != 1 || totps != 1 {
			t.Errorf("%d codes and %d TOTPs are left, want those of the others", codes, totps)
		}
	})
}

func TestSearch_ByTOTP(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	confirmed, pending := f.newApp("ada@example.com").confirm(), f.newApp("bob@example.com")
	none := f.ok("POST", "/v1/users", object{"email": "carol@example.com"})["user_id"].(string)
	for _, row := range []struct {
		filter string
		value  any
		want   []string
	}{
		{"totp_id", []string{confirmed.totpID}, []string{confirmed.userID}},
		{"totp_id", []string{pending.totpID, confirmed.totpID}, []string{confirmed.userID, pending.userID}},
		{"totp_id", []string{"totp-test-x"}, nil},
		{"totp_verified", true, []string{confirmed.userID}},
		{"totp_verified", false, []string{pending.userID, none}},
	} {
		answer := f.ok("POST", "/v1/users/search", object{"query": object{
			"operator": "AND", "operands": []object{{"filter_name": row.filter, "filter_value": row.value}},
		}})
		var got []string
		for _, user := range answer["results"].([]any) {
			got = append(got, dig(user, "user_id").(string))
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", row.filter, row.value, diff)
		}
	}
}

func TestTOTP_ByExternalID(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	user := f.ok("POST", "/v1/users", object{"email": "ada@example.com", "external_id": "ada"})
	app := f.addApp("ada")
	app.confirm()
	if totps := dig(f.ok("GET", fmt.Sprint("/v1/users/", user["user_id"]), nil), "totps").([]any); len(totps) != 1 || dig(totps, 0, "verified") != true {
		t.Errorf("the user has %v", totps)
	}
}

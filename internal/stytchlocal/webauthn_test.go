package stytchlocal_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/webauthn"

	"github.com/guestlist/guestlist/internal/testpasskey"
)

const (
	domain = "guestlist.example"
	origin = "https://guestlist.example"
)

// user creates an active user and returns its id.
func (f *fixture) user(email string) string {
	f.t.Helper()
	return f.ok("POST", "/v1/users", object{"email": email})["user_id"].(string)
}

// creation starts a registration and returns the options.
func (f *fixture) creation(userID string) string {
	f.t.Helper()
	start, err := f.sdk.WebAuthn.RegisterStart(f.t.Context(), &webauthn.RegisterStartParams{
		UserID: userID, Domain: domain, UserAgent: "Firefox", AuthenticatorType: "platform",
		ReturnPasskeyCredentialOptions: true, UseBase64URLEncoding: true,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return start.PublicKeyCredentialCreationOptions
}

// passkey registers a passkey for a user and returns it with the registration's id.
func (f *fixture) passkey(userID string) (*testpasskey.Passkey, string) {
	f.t.Helper()
	key := testpasskey.New(f.t, origin)
	res, err := f.sdk.WebAuthn.Register(f.t.Context(), &webauthn.RegisterParams{
		UserID: userID, PublicKeyCredential: key.Create(f.t, f.creation(userID)),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return key, res.WebAuthnRegistrationID
}

// assertion starts the use of a passkey and returns the options. The user id may be empty.
func (f *fixture) assertion(userID string) string {
	f.t.Helper()
	start, err := f.sdk.WebAuthn.AuthenticateStart(f.t.Context(), &webauthn.AuthenticateStartParams{
		Domain: domain, UserID: userID, ReturnPasskeyCredentialOptions: true,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return start.PublicKeyCredentialRequestOptions
}

// use authenticates with a passkey's response and returns the error's type.
func (f *fixture) use(credential string) string {
	f.t.Helper()
	_, err := f.sdk.WebAuthn.Authenticate(f.t.Context(), &webauthn.AuthenticateParams{PublicKeyCredential: credential, SessionDurationMinutes: 60})
	return errorType(err)
}

func TestWebAuthn_RegisterAndAuthenticate(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada := f.user("ada@example.com")
		key := testpasskey.New(t, origin)
		registered, err := f.sdk.WebAuthn.Register(t.Context(), &webauthn.RegisterParams{
			UserID: ada, PublicKeyCredential: key.Create(t, f.creation(ada)), SessionDurationMinutes: 60,
		})
		if err != nil {
			t.Fatal(err)
		}
		id := registered.WebAuthnRegistrationID
		want := []users.WebAuthnRegistration{{
			WebAuthnRegistrationID: id, Domain: domain, UserAgent: "Firefox", Verified: true, AuthenticatorType: "platform",
		}}
		if diff := cmp.Diff(want, registered.User.WebAuthnRegistrations); diff != "" || registered.UserID != ada {
			t.Errorf("registered: %s", diff)
		}
		if s := registered.Session; s == nil || registered.SessionToken == "" || registered.SessionJWT == "" || len(s.AuthenticationFactors) != 1 {
			t.Errorf("the session is %+v", s)
		}

		f.clock.advance(time.Minute)
		// The browser knows the user only by the passkey.
		got, err := f.sdk.WebAuthn.Authenticate(t.Context(), &webauthn.AuthenticateParams{
			PublicKeyCredential: key.Get(t, f.assertion("")), SessionDurationMinutes: 60,
		})
		if err != nil {
			t.Fatal(err)
		}
		factor := got.Session.AuthenticationFactors[0]
		if got.UserID != ada || got.WebAuthnRegistrationID != id || factor.Type != "webauthn" || factor.DeliveryMethod != "webauthn_registration" ||
			factor.WebAuthnFactor.WebAuthnRegistrationID != id || factor.WebAuthnFactor.Domain != domain || factor.WebAuthnFactor.UserAgent != "Firefox" {
			t.Errorf("authenticated: %+v, %+v", got, factor)
		}

		// Added to a session of another factor.
		link := f.signIn("ada@example.com")
		f.clock.advance(time.Minute)
		added, err := f.sdk.WebAuthn.Authenticate(t.Context(), &webauthn.AuthenticateParams{
			PublicKeyCredential: key.Get(t, f.assertion(ada)), SessionToken: link["session_token"].(string),
		})
		if err != nil {
			t.Fatal(err)
		}
		if factors := added.Session.AuthenticationFactors; len(factors) != 2 || factors[1].Type != "webauthn" ||
			!factors[1].LastAuthenticatedAt.Equal(f.clock.now()) || added.SessionToken != link["session_token"] {
			t.Errorf("the session's factors are %+v", factors)
		}
	})
}

func TestWebAuthn_Options(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	ada := f.ok("POST", "/v1/users", object{"email": "ada@example.com", "name": object{"first_name": "Ada", "last_name": "Lovelace"}})["user_id"].(string)
	key, _ := f.passkey(ada)
	start := func(more object) testpasskey.Options {
		body := object{"user_id": ada, "domain": "Guestlist.Example"}
		for name, value := range more {
			body[name] = value
		}
		answer := f.ok("POST", "/v1/webauthn/register/start", body)
		return testpasskey.Parse(t, answer["public_key_credential_creation_options"].(string))
	}
	o := start(object{"return_passkey_credential_options": true, "use_base64_url_encoding": true})
	if o.RP.ID != domain || o.User.Name != "ada@example.com" || o.User.DisplayName != "Ada Lovelace" || o.User.ID != testpasskey.Encode([]byte(ada)) ||
		o.AuthenticatorSelection.ResidentKey != "required" || o.AuthenticatorSelection.UserVerification != "preferred" ||
		o.AuthenticatorSelection.AuthenticatorAttachment != "" || o.Attestation != "none" || len(o.PubKeyCredParams) != 3 || o.PubKeyCredParams[0].Alg != -7 {
		t.Errorf("the options are %+v", o)
	}
	if len(o.ExcludeCredentials) != 1 || o.ExcludeCredentials[0].ID != testpasskey.Encode(key.ID) {
		t.Errorf("excluded are %+v", o.ExcludeCredentials)
	}
	if n := len(testpasskey.Decode(t, o.Challenge)); n != 32 || strings.ContainsAny(o.Challenge, "+/=") {
		t.Errorf("the challenge %q has %d bytes", o.Challenge, n)
	}
	if o := start(object{"override_id": "id-1", "override_name": "ada", "override_display_name": "Countess", "authenticator_type": "cross-platform"}); string(testpasskey.Decode(t, o.User.ID)) != "id-1" ||
		o.User.Name != "ada" || o.User.DisplayName != "Countess" || o.AuthenticatorSelection.AuthenticatorAttachment != "cross-platform" || !strings.HasSuffix(o.Challenge, "=") {
		t.Errorf("the options are %+v", o)
	}
	r := testpasskey.Parse(t, f.assertion(ada))
	if r.RPID != domain || r.UserVerification != "preferred" || len(r.AllowCredentials) != 1 || !strings.HasSuffix(r.AllowCredentials[0].ID, "=") || !strings.HasSuffix(r.Challenge, "=") {
		t.Errorf("the options are %+v", r)
	}
	if r := testpasskey.Parse(t, f.assertion("")); len(r.AllowCredentials) != 0 || r.AllowCredentials == nil {
		t.Errorf("the options are %+v", r)
	}
}

func TestWebAuthn_StartRefusals(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	ada := f.user("ada@example.com")
	pending := f.ok("POST", "/v1/users", object{"email": "new@example.com", "create_user_as_pending": true})["user_id"]
	unknown := "user-test-00000000-0000-4000-8000-000000000000"
	for _, row := range []struct {
		path      string
		body      object
		status    int
		errorType string
	}{
		{"register/start", object{"user_id": ada}, 400, "invalid_domain"},
		{"register/start", object{"user_id": ada, "domain": "https://guestlist.example"}, 400, "invalid_domain"},
		{"register/start", object{"user_id": ada, "domain": "127.0.0.1"}, 400, "invalid_domain"},
		{"register/start", object{"user_id": ada, "domain": domain, "authenticator_type": "usb"}, 400, "bad_request"},
		{"register/start", object{"user_id": ada, "domain": domain, "override_id": strings.Repeat("x", 65)}, 400, "bad_request"},
		{"register/start", object{"domain": domain}, 400, "invalid_user_id"},
		{"register/start", object{"user_id": unknown, "domain": domain}, 404, "user_not_found"},
		{"register/start", object{"user_id": pending, "domain": domain}, 400, "cannot_use_webauthn_with_pending_user"},
		{"authenticate/start", object{"domain": "guestlist.example:443"}, 400, "invalid_domain"},
		{"authenticate/start", object{"domain": domain, "user_id": unknown}, 404, "user_not_found"},
		{"authenticate/start", object{"domain": domain, "user_id": ada}, 404, "no_active_webauthn_registrations"},
		{"register", object{"user_id": ada}, 400, "invalid_public_key_credential"},
		{"register", object{"user_id": ada, "public_key_credential": "{}"}, 400, "invalid_public_key_credential"},
		{"authenticate", object{"public_key_credential": "no JSON"}, 400, "invalid_public_key_credential"},
	} {
		f.refused("POST", "/v1/webauthn/"+row.path, row.body, row.status, row.errorType)
	}
}

func TestWebAuthn_RegisterRefusals(t *testing.T) {
	const refused, unknown = "unable_to_register_webauthn_registration", "no_pending_webauthn_registration"
	each(t, func(t *testing.T, f *fixture) {
		ada, grace := f.user("ada@example.com"), f.user("grace@example.com")
		for _, row := range []struct {
			name      string
			change    func(p *testpasskey.Passkey)
			respond   func(p *testpasskey.Passkey, options string) string
			errorType string
		}{
			{"another origin", func(p *testpasskey.Passkey) { p.Origin = "https://evil.example" }, nil, refused},
			{"another domain", nil, func(p *testpasskey.Passkey, options string) string {
				p.Domain = "evil.example"
				return p.Attest(t, testpasskey.Decode(t, testpasskey.Parse(t, options).Challenge))
			}, refused},
			{"no user presence", func(p *testpasskey.Passkey) { p.Flags = 0 }, nil, refused},
			{"an assertion's client data", func(p *testpasskey.Passkey) { p.ClientData = object{"type": "webauthn.get"} }, nil, refused},
			{"a challenge of our own", nil, func(p *testpasskey.Passkey, _ string) string {
				p.Domain = domain
				return p.Attest(t, make([]byte, 32))
			}, unknown},
			{"a challenge to authenticate", nil, func(p *testpasskey.Passkey, _ string) string {
				p.Domain = domain
				return p.Attest(t, testpasskey.Decode(t, testpasskey.Parse(t, f.assertion("")).Challenge))
			}, unknown},
			{"another user's challenge", nil, func(p *testpasskey.Passkey, _ string) string { return p.Create(t, f.creation(grace)) }, unknown},
			{"too late", nil, func(p *testpasskey.Passkey, options string) string {
				f.clock.advance(5 * time.Minute)
				return p.Create(t, options)
			}, unknown},
		} {
			key := testpasskey.New(t, origin)
			if row.change != nil {
				row.change(key)
			}
			options := f.creation(ada)
			credential := ""
			if row.respond != nil {
				credential = row.respond(key, options)
			} else {
				credential = key.Create(t, options)
			}
			register := func(credential string) string {
				_, err := f.sdk.WebAuthn.Register(t.Context(), &webauthn.RegisterParams{UserID: ada, PublicKeyCredential: credential})
				return errorType(err)
			}
			if got := register(credential); got != row.errorType {
				t.Errorf("%s: got %q, want %q", row.name, got, row.errorType)
			}
			if row.errorType == refused { // which has spent the challenge
				if got := register(testpasskey.New(t, origin).Create(t, options)); got != unknown {
					t.Errorf("%s: then %q", row.name, got)
				}
			}
		}
		if list := dig(f.ok("GET", "/v1/users/"+ada, nil), "webauthn_registrations").([]any); len(list) != 0 {
			t.Errorf("ada has %v", list)
		}
	})
}

func TestWebAuthn_RegisterTwice(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, grace := f.user("ada@example.com"), f.user("grace@example.com")
		key, _ := f.passkey(ada)
		for _, user := range []string{ada, grace} {
			f.refused("POST", "/v1/webauthn/register", object{"user_id": user, "public_key_credential": key.Create(t, f.creation(user))}, 400, "duplicate_webauthn_registration")
		}
		// At another domain, it is another passkey.
		answer := f.ok("POST", "/v1/webauthn/register/start", object{"user_id": grace, "domain": "localhost"})
		key.Origin = "http://localhost:3000"
		f.ok("POST", "/v1/webauthn/register", object{
			"user_id": grace, "public_key_credential": key.Create(t, answer["public_key_credential_creation_options"].(string)),
		})

		options := f.creation(ada)
		first := testpasskey.New(t, origin).Create(t, options)
		f.ok("POST", "/v1/webauthn/register", object{"user_id": ada, "public_key_credential": first})
		f.refused("POST", "/v1/webauthn/register", object{"user_id": ada, "public_key_credential": first}, 404, "no_pending_webauthn_registration")
	})
}

func TestWebAuthn_AuthenticateRefusals(t *testing.T) {
	const refused, removed = "unable_to_auth_webauthn_registration", "webauthn_registration_not_found"
	each(t, func(t *testing.T, f *fixture) {
		grace := f.user("grace@example.com")
		graceKey, _ := f.passkey(grace)
		for i, row := range []struct {
			name      string
			change    func(p *testpasskey.Passkey)
			respond   func(p *testpasskey.Passkey, user, options string) string
			errorType string
		}{
			{"another origin", func(p *testpasskey.Passkey) { p.Origin = "https://evil.example" }, nil, refused},
			{"an unencrypted origin", func(p *testpasskey.Passkey) { p.Origin = "http://guestlist.example" }, nil, refused},
			{"another domain", func(p *testpasskey.Passkey) { p.Domain = "evil.example" }, nil, refused},
			{"no user presence", func(p *testpasskey.Passkey) { p.Flags = 0 }, nil, refused},
			{"a bogus signature", func(p *testpasskey.Passkey) { p.Forge(t) }, nil, refused},
			{"a registration's client data", func(p *testpasskey.Passkey) { p.ClientData = object{"type": "webauthn.create"} }, nil, refused},
			{"another user handle", func(p *testpasskey.Passkey) { p.UserHandle = []byte(grace) }, nil, refused},
			{"no user handle", func(p *testpasskey.Passkey) { p.UserHandle = nil }, nil, refused},
			{"the counter stays", func(p *testpasskey.Passkey) { p.SignCount = 7 }, nil, refused},
			{"the counter goes back", func(p *testpasskey.Passkey) { p.SignCount = 6 }, nil, refused},
			{"the counter is reset", func(p *testpasskey.Passkey) { p.SignCount = 0 }, nil, refused},
			{"it may be backed up now", func(p *testpasskey.Passkey) { p.Flags |= testpasskey.BackupEligible }, nil, refused},
			{"a passkey that was never registered", func(p *testpasskey.Passkey) { p.ID = []byte("unknown") }, nil, removed},
			{"a challenge of our own", nil, func(p *testpasskey.Passkey, _, _ string) string { return p.Assert(t, make([]byte, 32)) }, refused},
			{"a challenge to register", nil, func(p *testpasskey.Passkey, user, _ string) string {
				return p.Assert(t, testpasskey.Decode(t, testpasskey.Parse(t, f.creation(user)).Challenge))
			}, refused},
			{"another user's challenge", nil, func(p *testpasskey.Passkey, _, _ string) string { return p.Get(t, f.assertion(grace)) }, refused},
			{"too late", nil, func(p *testpasskey.Passkey, _, options string) string {
				f.clock.advance(5 * time.Minute)
				return p.Get(t, options)
			}, refused},
			{"a removed passkey", nil, func(p *testpasskey.Passkey, user, options string) string {
				id := dig(f.ok("GET", "/v1/users/"+user, nil), "webauthn_registrations", 0, "webauthn_registration_id").(string)
				f.ok("DELETE", "/v1/users/webauthn_registrations/"+id, nil)
				return p.Get(t, options)
			}, removed},
			{"of a deleted user", nil, func(p *testpasskey.Passkey, user, options string) string {
				f.ok("DELETE", "/v1/users/"+user, nil)
				return p.Get(t, options)
			}, removed},
		} {
			user := f.user(fmt.Sprintf("user-%d@example.com", i))
			key := testpasskey.New(t, origin)
			key.SignCount = 7
			f.ok("POST", "/v1/webauthn/register", object{"user_id": user, "public_key_credential": key.Create(t, f.creation(user))})
			key.SignCount = 8
			options := f.assertion("")
			if row.change != nil {
				row.change(key)
			}
			credential := ""
			if row.respond != nil {
				credential = row.respond(key, user, options)
			} else {
				credential = key.Get(t, options)
			}
			if got := f.use(credential); got != row.errorType {
				t.Errorf("%s: got %q, want %q", row.name, got, row.errorType)
			}
			if row.change != nil { // the challenge is spent, also for a passkey that is right
				if got := f.use(graceKey.Get(t, options)); got != refused {
					t.Errorf("%s: then %q", row.name, got)
				}
			}
		}
		if got := f.use(graceKey.Get(t, f.assertion(grace))); got != "" {
			t.Errorf("a right passkey: %q", got)
		}
	})
}

func TestWebAuthn_MistakesDoNotSpendTheChallenge(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	key, _ := f.passkey(f.user("ada@example.com"))
	credential := key.Get(t, f.assertion(""))
	f.refused("POST", "/v1/webauthn/authenticate", object{"public_key_credential": credential, "session_duration_minutes": 1}, 400, "invalid_session_duration_minutes")
	f.ok("POST", "/v1/webauthn/authenticate", object{"public_key_credential": credential, "session_duration_minutes": 5})
	f.refused("POST", "/v1/webauthn/authenticate", object{"public_key_credential": credential, "session_duration_minutes": 5}, 401, "unable_to_auth_webauthn_registration")
}

func TestWebAuthn_OneAssertionConcurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		key, _ := f.passkey(f.user("ada@example.com"))
		credential := key.Get(t, f.assertion(""))
		got := make([]string, 8)
		var calls sync.WaitGroup
		for i := range got {
			calls.Go(func() { got[i] = f.use(credential) })
		}
		calls.Wait()
		signedIn := 0
		for _, errorType := range got {
			switch errorType {
			case "":
				signedIn++
			case "unable_to_auth_webauthn_registration":
			default:
				t.Errorf("got %q", errorType)
			}
		}
		if signedIn != 1 {
			t.Errorf("%d calls signed in", signedIn)
		}
	})
}

func TestWebAuthn_NameListAndRemove(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada := f.user("ada@example.com")
		key, id := f.passkey(ada)
		named, err := f.sdk.WebAuthn.Update(t.Context(), &webauthn.UpdateParams{WebAuthnRegistrationID: id, Name: " Ada’s phone "})
		if err != nil || named.WebAuthnRegistration.Name != "Ada’s phone" || named.WebAuthnRegistration.WebAuthnRegistrationID != id {
			t.Fatalf("named: %+v, %v", named.WebAuthnRegistration, err)
		}
		f.refused("PUT", "/v1/webauthn/"+id, object{"name": "  "}, 400, "empty_webauthn_registration_name")
		f.refused("PUT", "/v1/webauthn/"+id, object{"name": strings.Repeat("x", 129)}, 400, "bad_request")
		f.refused("PUT", "/v1/webauthn/phone", object{"name": "phone"}, 404, "webauthn_registration_not_found")
		list, err := f.sdk.WebAuthn.ListCredentials(t.Context(), &webauthn.ListCredentialsParams{UserID: ada, Domain: domain})
		if err != nil || len(list.Credentials) != 1 || list.Credentials[0].CredentialID != testpasskey.Encode(key.ID) ||
			list.Credentials[0].WebAuthnRegistrationID != id || list.Credentials[0].Type != "public-key" || list.Credentials[0].PublicKey == "" {
			t.Errorf("listed: %+v, %v", list, err)
		}
		if list := f.ok("GET", "/v1/webauthn/credentials/"+ada+"/localhost", nil)["credentials"].([]any); len(list) != 0 {
			t.Errorf("at another domain: %v", list)
		}
		for filter, value := range map[string]any{"webauthn_registration_id": []string{id}, "webauthn_registration_verified": true} {
			found := f.ok("POST", "/v1/users/search", object{"query": object{"operator": "AND", "operands": []object{{"filter_name": filter, "filter_value": value}}}})
			if dig(found, "results", 0, "user_id") != ada || dig(found, "results", 0, "webauthn_registrations", 0, "name") != "Ada’s phone" {
				t.Errorf("searched by %s: %v", filter, found)
			}
		}
		removed, err := f.sdk.Users.DeleteWebAuthnRegistration(t.Context(), &users.DeleteWebAuthnRegistrationParams{WebAuthnRegistrationID: id})
		if err != nil || removed.UserID != ada || len(removed.User.WebAuthnRegistrations) != 0 {
			t.Errorf("removed: %+v, %v", removed, err)
		}
		f.refused("DELETE", "/v1/users/webauthn_registrations/"+id, nil, 404, "webauthn_registration_not_found")
		f.refused("PUT", "/v1/webauthn/"+id, object{"name": "phone"}, 404, "webauthn_registration_not_found")
	})
}

func TestWebAuthn_Deletions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		count := func(table string) (n int) {
			t.Helper()
			if err := f.store.Reader().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		ada := f.user("ada@example.com")
		f.passkey(ada)
		for range 25 {
			f.creation(ada)
			f.clock.advance(time.Millisecond)
		}
		if n := count("stytch_webauthn_challenges"); n != 10 {
			t.Errorf("ada has %d open challenges", n)
		}
		newest := f.creation(ada)
		f.ok("POST", "/v1/webauthn/register", object{"user_id": ada, "public_key_credential": testpasskey.New(t, origin).Create(t, newest)})
		f.assertion("")
		f.ok("DELETE", "/v1/users/"+ada, nil)
		if n, left := count("stytch_webauthn_registrations"), count("stytch_webauthn_challenges"); n != 0 || left != 1 {
			t.Errorf("after ada: %d passkeys and %d challenges", n, left)
		}
		f.clock.advance(2 * time.Hour)
		f.user("grace@example.com") // a call, which purges
		if n := count("stytch_webauthn_challenges"); n != 0 {
			t.Errorf("%d expired challenges are left", n)
		}
	})
}

// A challenge must not be usable by a reader of the database.
func TestWebAuthn_StoresNoChallenge(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	challenge := testpasskey.Parse(t, f.creation(f.user("ada@example.com"))).Challenge
	var hash, details string
	if err := f.store.Reader().QueryRowContext(t.Context(), "SELECT challenge_hash, details FROM stytch_webauthn_challenges").Scan(&hash, &details); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(hash+details, challenge) || len(hash) != 64 {
		t.Errorf("the row is %s %s", hash, details)
	}
}

func TestWebAuthn_OnAnotherInstanceAfterARestart(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	key, _ := f.passkey(f.user("ada@example.com"))
	options := f.assertion("")
	other := f.newServer()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost/v1/webauthn/authenticate",
		strings.NewReader(fmt.Sprintf(`{"public_key_credential":%q,"session_duration_minutes":5}`, key.Get(t, options))))
	if err != nil {
		t.Fatal(err)
	}
	c := other.Credentials()
	r.SetBasicAuth(c.ProjectID, c.Secret)
	resp, err := other.Transport().RoundTrip(r)
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("%v, %v", resp, err)
	}
}

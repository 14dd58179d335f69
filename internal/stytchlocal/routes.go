package stytchlocal

import (
	"context"
	"net/http"
)

const redirectPath = "/v1/magic_links/redirect"

// route is a call of the API. A segment in braces matches any id.
type route struct {
	method, path string
	handle       func(*call) (response, error)
	public       bool // needs no credentials
}

type call struct {
	ctx context.Context
	w   http.ResponseWriter
	r   *http.Request
	id  string // the segment in braces, unescaped

	domain string // the second segment in braces, unescaped; most routes have none
}

func (c *call) decode(into any) error { return decode(c.w, c.r, into) }

// routes lists the API. If several paths match, the first decides.
func (s *Server) routes() []route {
	return []route{
		{method: "POST", path: "/v1/magic_links/email/login_or_create", handle: s.loginOrCreate},
		{method: "POST", path: "/v1/magic_links/email/send", handle: s.sendLink},
		{method: "POST", path: "/v1/magic_links/email/invite", handle: s.invite},
		{method: "POST", path: "/v1/magic_links/email/revoke_invite", handle: s.revokeInvite},
		{method: "POST", path: "/v1/magic_links/authenticate", handle: s.authenticateLink},
		{method: "POST", path: "/v1/magic_links", handle: s.createEmbeddedLink},

		{method: "POST", path: "/v1/otps/email/login_or_create", handle: s.loginOrCreateByCode},
		{method: "POST", path: "/v1/otps/email/send", handle: s.sendCode},
		{method: "POST", path: "/v1/otps/authenticate", handle: s.authenticateCode},

		{method: "POST", path: "/v1/totps", handle: s.createTOTP},
		{method: "POST", path: "/v1/totps/authenticate", handle: s.authenticateTOTP},
		{method: "POST", path: "/v1/totps/recover", handle: s.recoverTOTP},
		{method: "POST", path: "/v1/totps/recovery_codes", handle: s.listRecoveryCodes},

		{method: "POST", path: "/v1/users", handle: s.createUser},
		{method: "POST", path: "/v1/users/search", handle: s.searchUsers},
		{method: "DELETE", path: "/v1/users/emails/{email_id}", handle: s.deleteEmail},
		{method: "DELETE", path: "/v1/users/webauthn_registrations/{webauthn_registration_id}", handle: s.deleteRegistration},
		{method: "DELETE", path: "/v1/users/oauth/{oauth_user_registration_id}", handle: s.deleteProvider},
		{method: "DELETE", path: "/v1/users/totps/{totp_id}", handle: s.deleteTOTP},
		// Kinds of factors that do not exist here.
		{method: "DELETE", path: "/v1/users/phone_numbers/{id}", handle: notFound("phone_number_not_found")},
		{method: "DELETE", path: "/v1/users/passwords/{id}", handle: notFound("password_not_found")},
		{method: "DELETE", path: "/v1/users/biometric_registrations/{id}", handle: notFound("biometric_registration_not_found")},
		{method: "DELETE", path: "/v1/users/crypto_wallets/{id}", handle: notFound("crypto_wallet_not_found")},
		{method: "GET", path: "/v1/users/{user_id}", handle: s.getUser},
		{method: "PUT", path: "/v1/users/{user_id}", handle: s.updateUser},
		{method: "DELETE", path: "/v1/users/{user_id}", handle: s.deleteUser},
		{method: "PUT", path: "/v1/users/{user_id}/exchange_primary_factor", handle: s.exchangeEmail},

		{method: "POST", path: "/v1/webauthn/register/start", handle: s.startRegistration},
		{method: "POST", path: "/v1/webauthn/register", handle: s.register},
		{method: "POST", path: "/v1/webauthn/authenticate/start", handle: s.startAssertion},
		{method: "POST", path: "/v1/webauthn/authenticate", handle: s.authenticatePasskey},
		{method: "PUT", path: "/v1/webauthn/{webauthn_registration_id}", handle: s.nameRegistration},
		{method: "GET", path: "/v1/webauthn/credentials/{user_id}/{domain}", handle: s.listCredentials},

		{method: "POST", path: "/v1/oauth/authenticate", handle: s.authenticateOAuth},
		{method: "POST", path: "/v1/oauth/attach", handle: s.attachOAuth},

		{method: "GET", path: "/v1/sessions", handle: s.listSessions},
		{method: "POST", path: "/v1/sessions/authenticate", handle: s.authenticateSession},
		{method: "POST", path: "/v1/sessions/revoke", handle: s.revokeSession},
		{method: "GET", path: "/v1/sessions/jwks/{project_id}", handle: s.listKeys, public: true},

		{method: "GET", path: "/v1/debug/whoami", handle: s.whoami},
	}
}

func notFound(errorType string) func(*call) (response, error) {
	return func(*call) (response, error) {
		return nil, newError(http.StatusNotFound, errorType, "There is nothing of this id.")
	}
}

type whoamiResponse struct {
	meta
	ProjectID string `json:"project_id"`
	Name      string `json:"name"`
}

func (s *Server) whoami(*call) (response, error) {
	return &whoamiResponse{ProjectID: s.project.ProjectID, Name: s.opts.Product}, nil
}

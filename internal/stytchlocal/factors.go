package stytchlocal

import "time"

// factor is a method of authentication that a session was proven by. One of the objects
// describes it.
type factor struct {
	Type                string          `json:"type"`
	DeliveryMethod      string          `json:"delivery_method"`
	LastAuthenticatedAt time.Time       `json:"last_authenticated_at"`
	CreatedAt           time.Time       `json:"created_at"`
	UpdatedAt           time.Time       `json:"updated_at"`
	Email               *emailFactor    `json:"email_factor,omitempty"`
	Embedded            *embeddedFactor `json:"embeddable_magic_link_factor,omitempty"`
	WebAuthn            *webauthnFactor `json:"webauthn_factor,omitempty"`
	TOTP                *totpFactor     `json:"authenticator_app_factor,omitempty"`
	RecoveryCode        *recoveryFactor `json:"recovery_code_factor,omitempty"`
	Google              *oauthFactor    `json:"google_oauth_factor,omitempty"`
	GitHub              *oauthFactor    `json:"github_oauth_factor,omitempty"`
	Microsoft           *oauthFactor    `json:"microsoft_oauth_factor,omitempty"`
}

type emailFactor struct {
	EmailID      string `json:"email_id"`
	EmailAddress string `json:"email_address"`
}

type embeddedFactor struct {
	EmbeddedID string `json:"embedded_id"`
}

type webauthnFactor struct {
	RegistrationID string `json:"webauthn_registration_id"`
	Domain         string `json:"domain"`
	UserAgent      string `json:"user_agent"`
}

type totpFactor struct {
	TOTPID string `json:"totp_id"`
}

type recoveryFactor struct {
	RecoveryCodeID string `json:"totp_recovery_code_id"`
}

type oauthFactor struct {
	ID              string `json:"id"` // of the user's registration at the provider
	ProviderSubject string `json:"provider_subject"`
	EmailID         string `json:"email_id"`
}

// same reports whether two factors are the same method. All embedded links are, and all
// recovery codes.
func (f factor) same(g factor) bool {
	return f.Type == g.Type && f.DeliveryMethod == g.DeliveryMethod && f.methodID() == g.methodID()
}

// methodID returns the id of the address, device or account of a factor. It is empty if the
// method can be used only once.
func (f factor) methodID() string {
	switch {
	case f.Email != nil:
		return f.Email.EmailID
	case f.WebAuthn != nil:
		return f.WebAuthn.RegistrationID
	case f.TOTP != nil:
		return f.TOTP.TOTPID
	case f.Google != nil:
		return f.Google.ID
	case f.GitHub != nil:
		return f.GitHub.ID
	case f.Microsoft != nil:
		return f.Microsoft.ID
	}
	return ""
}

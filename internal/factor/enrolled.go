package factor

import "time"

// Factor is a passkey or an authenticator app that a user has set up. Times are UTC.
type Factor struct {
	ID           string // UUIDv7
	UserID       string
	Kind         Kind   // Passkey or TOTP
	ProviderID   string // the provider's id of it
	CredentialID string // of a passkey at its authenticator, base64url; empty for an authenticator app
	Name         string // chosen by the user
	CodesLeft    int    // unused recovery codes of an authenticator app
	CreatedAt    time.Time
	LastUsedAt   time.Time // zero if it was never used
}

package passkey

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
)

// Assertion is a browser's response to a Request, not verified yet.
type Assertion struct {
	parsed *protocol.ParsedCredentialAssertionData
}

// ParseAssertion parses a PublicKeyCredential with an assertion, as JSON. It returns
// ErrMalformed for anything else.
func ParseAssertion(text string) (a Assertion, err error) {
	defer recoverAs(&err, ErrMalformed)
	a.parsed, err = protocol.ParseCredentialRequestResponseBytes([]byte(text))
	if err != nil {
		return a, fmt.Errorf("%w: %s", ErrMalformed, describe(err))
	}
	return a, nil
}

// Challenge returns the challenge that the authenticator signed, in base64url without
// padding.
func (a Assertion) Challenge() string { return a.parsed.Response.CollectedClientData.Challenge }

// CredentialID returns the id of the passkey that was used.
func (a Assertion) CredentialID() []byte { return a.parsed.RawID }

// UserHandle returns the user handle of the passkey. Authenticators may leave it out if the
// Request named passkeys.
func (a Assertion) UserHandle() []byte { return a.parsed.Response.UserHandle }

// Verify checks the response, which must come from a passkey. It returns the passkey with
// the flags of this use, and its signature counter. The caller has checked the challenge.
func (a Assertion) Verify(c Credential, want Expected) (used Credential, signCount uint32, err error) {
	defer recoverAs(&err, errPanic)
	client, data := a.parsed.Response.CollectedClientData, a.parsed.Response.AuthenticatorData
	if err := checkClientData(client, want.Domain); err != nil {
		return used, 0, err
	}
	if !bytes.Equal(a.parsed.RawID, c.ID) {
		return used, 0, errors.New("the response is of another passkey")
	}
	err = a.parsed.Verify(
		client.Challenge, want.Domain, []string{client.Origin}, nil,
		protocol.TopOriginImplicitVerificationMode, "", want.UserVerification, true, c.PublicKey,
	)
	if err != nil {
		return used, 0, errors.New(describe(err))
	}
	if err := checkAuthenticatorData(data, want.Domain); err != nil {
		return used, 0, err
	}
	if data.Flags.HasBackupEligible() != c.BackupEligible {
		return used, 0, errors.New("whether the passkey may be backed up has changed")
	}
	if handle := a.UserHandle(); len(handle) > 0 && !bytes.Equal(handle, c.UserHandle) {
		return used, 0, errors.New("the passkey is of another user")
	}
	c.UserVerified, c.BackedUp = data.Flags.HasUserVerified(), data.Flags.HasBackupState()
	return c, data.Counter, nil
}

// IsNewer reports whether a signature counter may follow the stored one. A counter that
// does not grow is a sign of a copied authenticator; passkeys that are synchronized have
// none and always send 0.
func IsNewer(signCount uint32, stored int64) bool {
	return int64(signCount) > stored || signCount == 0 && stored == 0
}

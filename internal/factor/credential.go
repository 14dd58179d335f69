package factor

import (
	"encoding/base64"
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Errors of credentials.
var (
	ErrCredential       = errors.New("passkey refused")                         // cancelled, expired, of another address, or forged
	ErrUserVerification = errors.New("passkey used without verifying its user") // by fingerprint, face or PIN
)

// Limits on a credential in bytes. Browsers send about 1 KB.
const (
	maxCredential   = 16 << 10
	maxCredentialID = 1364 // of 1023 bytes in base64url: https://www.w3.org/TR/webauthn-3/#credential-id
)

// Credential is a passkey that was made or used, whose authenticator says that it verified
// its user. The provider checks everything else.
type Credential struct {
	ID            string // of the passkey at its authenticator, base64url
	Authenticator string // such as "iCloud Keychain"; empty if unknown
	JSON          string // for the provider
}

// credentialJSON is the result of PublicKeyCredential.toJSON, when a passkey was made
// (https://www.w3.org/TR/webauthn-3/#dictdef-registrationresponsejson) or used
// (https://www.w3.org/TR/webauthn-3/#dictdef-authenticationresponsejson).
type credentialJSON struct {
	ID         string         `json:"id"`
	RawID      string         `json:"rawId"`
	Type       string         `json:"type"`
	Attachment string         `json:"authenticatorAttachment,omitempty"`
	Extensions jsontext.Value `json:"clientExtensionResults,omitempty"`
	Response   struct {
		ClientData        string         `json:"clientDataJSON"`
		AuthenticatorData string         `json:"authenticatorData"`
		Signature         string         `json:"signature,omitempty"`
		UserHandle        string         `json:"userHandle,omitempty"`
		Attestation       string         `json:"attestationObject,omitempty"`
		Transports        []string       `json:"transports,omitempty"`
		PublicKey         string         `json:"publicKey,omitempty"`
		Algorithm         jsontext.Value `json:"publicKeyAlgorithm,omitempty"`
	} `json:"response"`
}

// ParseCredential parses the result of PublicKeyCredential.toJSON. It returns ErrCredential
// for another form, and ErrUserVerification unless the authenticator says that it verified
// its user, such as by a fingerprint or a PIN:
// https://www.w3.org/TR/webauthn-3/#authdata-flags. The provider checks the signature over
// that.
//
// JSON is encoded again, with known members only. Otherwise the provider might read what is
// checked here from another member, by a name that occurs twice or in other letters.
func ParseCredential(text string) (Credential, error) {
	var c credentialJSON
	if len(text) > maxCredential || json.Unmarshal([]byte(text), &c) != nil {
		return Credential{}, ErrCredential
	}
	data, err := base64.RawURLEncoding.DecodeString(c.Response.AuthenticatorData)
	if err != nil || len(data) <= flagsOffset {
		return Credential{}, ErrCredential
	}
	if _, err := base64.RawURLEncoding.DecodeString(c.ID); err != nil || c.ID == "" || len(c.ID) > maxCredentialID {
		return Credential{}, ErrCredential
	}
	if data[flagsOffset]&userVerified == 0 {
		return Credential{}, ErrUserVerification
	}
	again, err := json.Marshal(c)
	if err != nil {
		return Credential{}, ErrCredential
	}
	return Credential{ID: c.ID, Authenticator: authenticatorName(data), JSON: string(again)}, nil
}

// Parts of the authenticator data: https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data.
const (
	flagsOffset  = 32
	aaguidOffset = 37

	userVerified   = 0x04
	credentialData = 0x40
)

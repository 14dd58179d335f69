package passkey

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// Registration is a browser's response to a Creation, not verified yet.
type Registration struct {
	parsed *protocol.ParsedCredentialCreationData
}

// ParseRegistration parses a PublicKeyCredential with an attestation, as JSON. It returns
// ErrMalformed for anything else.
func ParseRegistration(text string) (r Registration, err error) {
	defer recoverAs(&err, ErrMalformed)
	r.parsed, err = protocol.ParseCredentialCreationResponseBytes([]byte(text))
	if err != nil {
		return r, fmt.Errorf("%w: %s", ErrMalformed, describe(err))
	}
	return r, nil
}

// Challenge returns the challenge that the authenticator signed, in base64url without
// padding.
func (r Registration) Challenge() string { return r.parsed.Response.CollectedClientData.Challenge }

// Verify checks the response and returns the new passkey with its signature counter. The
// caller has checked the challenge. The user handle is the one of the Creation.
func (r Registration) Verify(want Expected, userHandle []byte) (c Credential, signCount uint32, err error) {
	defer recoverAs(&err, errPanic)
	client := r.parsed.Response.CollectedClientData
	if err := checkClientData(client, want.Domain); err != nil {
		return c, 0, err
	}
	var params []protocol.CredentialParameter
	for _, algorithm := range algorithms {
		params = append(params, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: algorithm})
	}
	_, err = r.parsed.Verify(
		client.Challenge, want.UserVerification, true, want.Domain, []string{client.Origin}, nil,
		protocol.TopOriginImplicitVerificationMode, nil, params,
	)
	if err != nil {
		return c, 0, errors.New(describe(err))
	}
	data := r.parsed.Response.AttestationObject.AuthData
	if err := checkAuthenticatorData(data, want.Domain); err != nil {
		return c, 0, err
	}
	if !bytes.Equal(data.AttData.CredentialID, r.parsed.RawID) || len(data.AttData.CredentialID) == 0 {
		return c, 0, errors.New("the id is not that of the attested credential")
	}
	if err := checkPublicKey(data.AttData.CredentialPublicKey); err != nil {
		return c, 0, err
	}
	return Credential{
		ID: data.AttData.CredentialID, PublicKey: data.AttData.CredentialPublicKey, UserHandle: userHandle,
		Transports: transports(r.parsed.Response.Transports), UserVerified: data.Flags.HasUserVerified(),
		BackupEligible: data.Flags.HasBackupEligible(), BackedUp: data.Flags.HasBackupState(),
	}, data.Counter, nil
}

// knownTransports are the values of the specification. Others are left out, because a
// browser may refuse options that contain them.
var knownTransports = []protocol.AuthenticatorTransport{
	protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal,
}

func transports(got []protocol.AuthenticatorTransport) []string {
	var list []string
	for _, known := range knownTransports {
		if slices.Contains(got, known) {
			list = append(list, string(known))
		}
	}
	return list
}

// RSA keys must be long enough to be safe and short enough to store.
const minRSA, maxRSA = 256, 512 // of the modulus, in bytes

// checkPublicKey refuses a key whose curve or length does not belong to its algorithm.
func checkPublicKey(text []byte) error {
	key, err := webauthncose.ParsePublicKey(text)
	if err != nil {
		return errors.New("the public key can't be read")
	}
	ok := false
	switch key := key.(type) {
	case webauthncose.EC2PublicKeyData:
		ok = webauthncose.COSEAlgorithmIdentifier(key.Algorithm) == webauthncose.AlgES256 &&
			webauthncose.COSEEllipticCurve(key.Curve) == webauthncose.P256
	case webauthncose.OKPPublicKeyData:
		ok = webauthncose.COSEAlgorithmIdentifier(key.Algorithm) == webauthncose.AlgEdDSA && len(key.XCoord) == ed25519.PublicKeySize
	case webauthncose.RSAPublicKeyData:
		ok = webauthncose.COSEAlgorithmIdentifier(key.Algorithm) == webauthncose.AlgRS256 &&
			len(key.Modulus) >= minRSA && len(key.Modulus) <= maxRSA
	}
	if !ok {
		return errors.New("the public key is of a kind that the options do not contain")
	}
	return nil
}

// checkClientData checks where the page is that used the authenticator.
func checkClientData(client protocol.CollectedClientData, domain string) error {
	if !isOriginOf(client.Origin, domain) {
		return errors.New("the origin is not one of the domain")
	}
	if client.CrossOrigin || client.TopOrigin != "" {
		return errors.New("the page is in a frame of another origin")
	}
	return nil
}

// checkAuthenticatorData checks what the library leaves to its caller or accepts too
// easily: without an AppID, it takes a hash of zeros for that of the domain.
func checkAuthenticatorData(data protocol.AuthenticatorData, domain string) error {
	hash := sha256.Sum256([]byte(domain))
	if !bytes.Equal(data.RPIDHash, hash[:]) {
		return errors.New("the authenticator data is of another domain")
	}
	if data.Flags.HasBackupState() && !data.Flags.HasBackupEligible() {
		return errors.New("a passkey that can't be backed up is backed up")
	}
	return nil
}

var errPanic = errors.New("the credential can't be verified")

// recoverAs turns a panic of the library, which reads structures that strangers send, into
// an error.
func recoverAs(err *error, as error) {
	if recover() != nil {
		*err = as
	}
}

// describe returns the details of an error of the library, without the values that it
// compared.
func describe(err error) string {
	var known *protocol.Error
	if errors.As(err, &known) {
		return known.Details
	}
	return "unreadable"
}

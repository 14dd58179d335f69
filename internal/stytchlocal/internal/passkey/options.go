package passkey

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// Timeout is how long a browser waits for the authenticator.
const Timeout = 5 * time.Minute

// algorithms are the kinds of keys that a passkey may have, the preferred one first:
// https://www.iana.org/assignments/cose#algorithms
var algorithms = []webauthncose.COSEAlgorithmIdentifier{webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgRS256}

// Creation describes a passkey that a browser should create.
type Creation struct {
	Domain            string
	Challenge         []byte
	UserHandle        []byte // at most 64 bytes
	UserName          string // tells the user's accounts apart, such as an email address
	DisplayName       string
	AuthenticatorType string // platform, cross-platform, or empty for any
	Discoverable      bool   // the authenticator keeps the passkey and can offer it without knowing the user
	Exclude           []Credential
}

// Request describes which passkey a browser should use.
type Request struct {
	Domain    string
	Challenge []byte
	Allow     []Credential // empty: any discoverable one of the domain
}

// The dictionaries of the specification:
// https://www.w3.org/TR/webauthn-3/#dictionary-makecredentialoptions
type (
	creationOptions struct {
		RP                 entity       `json:"rp"`
		User               userEntity   `json:"user"`
		Challenge          string       `json:"challenge"`
		Params             []param      `json:"pubKeyCredParams"`
		Timeout            int64        `json:"timeout"`
		ExcludeCredentials []descriptor `json:"excludeCredentials"`
		Selection          selection    `json:"authenticatorSelection"`
		Attestation        string       `json:"attestation"`
	}
	requestOptions struct {
		Challenge        string       `json:"challenge"`
		Timeout          int64        `json:"timeout"`
		RPID             string       `json:"rpId"`
		AllowCredentials []descriptor `json:"allowCredentials"`
		UserVerification string       `json:"userVerification"`
	}
	entity struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	userEntity struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		DisplayName string `json:"displayName"`
	}
	param struct {
		Type      string `json:"type"`
		Algorithm int64  `json:"alg"`
	}
	descriptor struct {
		Type       string   `json:"type"`
		ID         string   `json:"id"`
		Transports []string `json:"transports,omitempty"`
	}
	selection struct {
		Attachment         string `json:"authenticatorAttachment,omitempty"`
		RequireResidentKey bool   `json:"requireResidentKey"`
		ResidentKey        string `json:"residentKey"`
		UserVerification   string `json:"userVerification"`
	}
)

// UserVerification is what options ask of the authenticator: to verify the user if it can.
const UserVerification = "preferred"

const publicKey = "public-key"

// JSON returns the options as JSON, with the bytes in an encoding.
func (c Creation) JSON(encoding *base64.Encoding) (string, error) {
	options := creationOptions{
		RP:                 entity{ID: c.Domain, Name: c.Domain},
		User:               userEntity{ID: encoding.EncodeToString(c.UserHandle), Name: c.UserName, DisplayName: c.DisplayName},
		Challenge:          encoding.EncodeToString(c.Challenge),
		Timeout:            Timeout.Milliseconds(),
		ExcludeCredentials: descriptors(c.Exclude, encoding),
		Selection:          selection{Attachment: c.AuthenticatorType, ResidentKey: "discouraged", UserVerification: UserVerification},
		Attestation:        "none",
	}
	for _, algorithm := range algorithms {
		options.Params = append(options.Params, param{Type: publicKey, Algorithm: int64(algorithm)})
	}
	if c.Discoverable {
		options.Selection.RequireResidentKey = true
		options.Selection.ResidentKey = "required"
	}
	text, err := json.Marshal(options)
	return string(text), err
}

// JSON returns the options as JSON, with the bytes in an encoding.
func (r Request) JSON(encoding *base64.Encoding) (string, error) {
	text, err := json.Marshal(requestOptions{
		Challenge: encoding.EncodeToString(r.Challenge), Timeout: Timeout.Milliseconds(), RPID: r.Domain,
		AllowCredentials: descriptors(r.Allow, encoding), UserVerification: UserVerification,
	})
	return string(text), err
}

func descriptors(credentials []Credential, encoding *base64.Encoding) []descriptor {
	list := []descriptor{}
	for _, c := range credentials {
		list = append(list, descriptor{Type: publicKey, ID: encoding.EncodeToString(c.ID), Transports: c.Transports})
	}
	return list
}

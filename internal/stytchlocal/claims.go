package stytchlocal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// claims are a caller's own claims of a session. Numbers are kept as written.
type claims map[string]any

// maxClaims is the size of a session's claims as JSON, in bytes.
const maxClaims = 4096

var reservedClaims = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

func (c *claims) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode((*map[string]any)(c)); err != nil {
		return badRequest("Field session_custom_claims must be an object.")
	}
	return nil
}

// check refuses names that are not the caller's to give.
func (c claims) check() error {
	for key := range c {
		switch {
		case slices.Contains(reservedClaims, key):
			return errReservedClaims
		case strings.HasPrefix(key, "https://stytch.com/"):
			return errStytchClaims
		}
	}
	return nil
}

// merge returns the claims after a change: key by key, also inside objects; null
// deletes. It returns nil if none are left.
func (c claims) merge(change claims) (claims, error) {
	if change == nil {
		return c, nil
	}
	merged := claims(mergeObjects(c, change))
	text, err := json.Marshal(merged)
	if err != nil {
		return nil, fmt.Errorf("write claims: %w", err)
	}
	if len(text) > maxClaims {
		return nil, errClaimsTooLarge
	}
	if len(merged) == 0 {
		return nil, nil
	}
	return merged, nil
}

func mergeObjects(old, change map[string]any) map[string]any {
	merged := make(map[string]any, len(old)+len(change))
	for key, value := range old {
		merged[key] = value
	}
	for key, value := range change {
		switch value := value.(type) {
		case nil:
			delete(merged, key)
		case map[string]any:
			inner, _ := merged[key].(map[string]any)
			merged[key] = mergeObjects(inner, value)
		default:
			merged[key] = value
		}
	}
	return merged
}

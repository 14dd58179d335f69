package stytchlocal

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// claims are a session's custom claims. Numbers keep their text.
type claims map[string]any

// maxClaims is the limit of a session's claims as JSON, in bytes.
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

// merge returns the claims after a change. It merges objects recursively; null deletes a
// key. It returns nil if no claims are left.
func (c claims) merge(change claims) (claims, error) {
	if change == nil {
		return c, nil
	}
	merged := claims(mergeObjects(c, change))
	text, err := json.Marshal(merged)
	switch {
	case err != nil:
		return nil, wrap("write claims", err)
	case len(text) > maxClaims:
		return nil, errClaimsTooLarge
	case len(merged) == 0:
		return nil, nil
	}
	return merged, nil
}

func mergeObjects(old, change map[string]any) map[string]any {
	merged := maps.Clone(old)
	if merged == nil {
		merged = map[string]any{}
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

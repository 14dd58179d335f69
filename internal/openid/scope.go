package openid

import (
	"slices"
	"strings"
)

// Scope is a list of scopes, separated by spaces, each once and in the order of Scopes.
type Scope string

// The scopes.
const (
	scopeOpenID  = "openid"
	scopeProfile = "profile"        // name, user name and groups
	scopeEmail   = "email"          // address
	scopeGroups  = "groups"         // groups
	scopeOffline = "offline_access" // a refresh token
)

// Scopes lists all scopes.
var Scopes = []string{scopeOpenID, scopeProfile, scopeEmail, scopeGroups, scopeOffline}

// parseScope returns the known scopes among those that are separated by spaces. Unknown ones are
// ignored (https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
func parseScope(text string) Scope {
	wanted := strings.Fields(text)
	var known []string
	for _, s := range Scopes {
		if slices.Contains(wanted, s) {
			known = append(known, s)
		}
	}
	return Scope(strings.Join(known, " "))
}

// Has reports whether a scope is in the list.
func (s Scope) Has(scope string) bool { return slices.Contains(strings.Fields(string(s)), scope) }

// HasGroups reports whether the claims in the scope include the user's groups.
func (s Scope) HasGroups() bool { return s.Has(scopeProfile) || s.Has(scopeGroups) }

// covers reports whether all scopes of another list are in this one.
func (s Scope) covers(other Scope) bool {
	return !slices.ContainsFunc(strings.Fields(string(other)), func(scope string) bool { return !s.Has(scope) })
}

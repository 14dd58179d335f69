package openid

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// protocolClaims are the claims of ID tokens that say nothing about the user.
var protocolClaims = setOf("iss aud exp iat auth_time nonce acr amr azp c_hash at_hash s_hash jti nbf verified_claims")

// idTokenClaims are the claims of ID tokens that need not be requested.
var idTokenClaims = setOf("iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash nbf jti sid s_hash txn")

// scopeClaims are the claims by the scope that requests them.
var scopeClaims = map[string][]string{
	"openid":  {"sub"},
	"profile": strings.Fields("name given_name family_name middle_name nickname profile picture website gender birthdate zoneinfo locale updated_at preferred_username"),
	"email":   {"email", "email_verified"},
	"address": {"address"},
	"phone":   {"phone_number", "phone_number_verified"},
}

// claimChecks are the checks of the claims of OpenID Connect Core 5.1.
var claimChecks = claimChecksOf()

func claimChecksOf() map[string]func(any) bool {
	checks := map[string]func(any) bool{
		"email_verified": isBoolean, "phone_number_verified": isBoolean, "updated_at": isNumber,
		"birthdate": isBirthdate, "address": isAddress, "_claim_names": isObject, "_claim_sources": isObject,
	}
	for name := range strings.FieldsSeq("sub name given_name family_name middle_name nickname preferred_username profile picture website email gender zoneinfo locale phone_number txn") {
		checks[name] = isText
	}
	return checks
}

func setOf(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		set[name] = true
	}
	return set
}

// isText reports whether a value is a string that says something.
func isText(value any) bool {
	text, ok := value.(string)
	return ok && strings.TrimSpace(text) != "" && !strings.EqualFold(text, "null")
}

func isBoolean(value any) bool {
	_, ok := value.(bool)
	return ok
}

func isNumber(value any) bool {
	_, ok := value.(json.Number)
	return ok
}

func isObject(value any) bool {
	_, ok := value.(map[string]any)
	return ok
}

// isBirthdate reports whether a value is a date, a date with the year 0000, or a year.
func isBirthdate(value any) bool {
	text, ok := value.(string)
	if !ok {
		return false
	}
	year, err := strconv.Atoi(text)
	if date, parseErr := time.Parse(time.DateOnly, text); parseErr == nil {
		year = date.Year()
		err = nil
	}
	return err == nil && (year == 0 && len(text) > 4 || year >= 1850 && year <= time.Now().Year())
}

// isAddress reports whether a value is an address whose members are strings.
func isAddress(value any) bool {
	members, ok := value.(map[string]any)
	if !ok || len(members) == 0 {
		return false
	}
	for _, name := range []string{"formatted", "street_address", "locality", "region", "postal_code", "country"} {
		member, ok := members[name]
		if ok && !isText(member) {
			return false
		}
	}
	return true
}

// checkStandardClaims checks the types of claims about the user, and the time they were changed.
func (r *run) checkStandardClaims(what string, claims object) {
	if len(claims) == 0 {
		r.fail("%s has no claims about the user", what)
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		check := claimChecks[name]
		if check != nil && !check(claims[name]) {
			r.fail("%s has the invalid %s %v", what, name, claims[name])
		}
	}
	if seconds, ok := claims.integer("updated_at"); ok {
		at := time.Unix(seconds, 0)
		if at.After(r.p.now().Add(clockSkew)) || at.Year() < 1990 {
			r.fail("%s has the updated_at %s", what, at.UTC())
		}
	}
}

// checkNotRequested warns of claims in an ID token that the scopes have not requested.
func (r *run) checkNotRequested(t idToken, scope string) {
	allowed := maps.Clone(idTokenClaims)
	for name := range strings.FieldsSeq(scope) {
		for _, claim := range scopeClaims[name] {
			allowed[claim] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.claims)) {
		if !allowed[name] {
			r.warn("the ID token has the claim %s, which was not requested", name)
		}
	}
}

// checkNoName warns of a name in an ID token for which the scope is openid alone.
func (r *run) checkNoName(t idToken) {
	if t.claims.text("name") != "" {
		r.warn("the ID token has the claim name, which was not requested there")
	}
}

// checkScopeClaims warns of claims that the scopes have requested and UserInfo doesn't have.
func (r *run) checkScopeClaims(info object, scope string) {
	for name := range strings.FieldsSeq(scope) {
		for _, claim := range scopeClaims[name] {
			if !info.has(claim) {
				r.warn("UserInfo does not have the claim %s of the scope %s", claim, name)
			}
		}
	}
}

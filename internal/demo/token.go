package demo

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// tokenView is the JWT of a request as the page shows it.
type tokenView struct {
	IsValid bool
	Problem string // why it isn't valid
	Claims  []claim
}

type claim struct{ Name, Value, Meaning string }

// meanings of the claims, in the order in which they are shown.
var meanings = []claim{
	{Name: "iss", Meaning: "who signed it: Guestlist"},
	{Name: "aud", Meaning: "which app it’s for: this one"},
	{Name: "sub", Meaning: "the user’s ID"},
	{Name: "email", Meaning: ""},
	{Name: "name", Meaning: ""},
	{Name: "preferred_username", Meaning: "the user name"},
	{Name: "groups", Meaning: ""},
	{Name: "sid", Meaning: "the session’s ID"},
	{Name: "iat", Meaning: "when it was signed"},
	{Name: "exp", Meaning: "until when it’s valid"},
}

// verify verifies a JWT as every app should.
func (o Options) verify(text string) tokenView {
	if text == "" {
		return tokenView{Problem: "This request has no token."}
	}
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return tokenView{Problem: "This isn’t a token that Guestlist has signed."}
	}
	var registered jwt.Claims
	var all map[string]any
	if err := parsed.Claims(o.Keys(), &registered, &all); err != nil {
		return tokenView{Problem: "The signature is not by one of Guestlist’s keys."}
	}
	expected := jwt.Expected{Issuer: o.Home.String(), AnyAudience: jwt.Audience{o.AppID}, Time: o.Now()}
	if err := registered.Validate(expected); err != nil {
		return tokenView{Problem: "It has expired, or is for another app."}
	}
	return tokenView{IsValid: true, Claims: claimsOf(all)}
}

func claimsOf(all map[string]any) []claim {
	var list []claim
	for _, known := range meanings {
		value, ok := all[known.Name]
		if !ok {
			continue
		}
		known.Value = format(known.Name, value)
		list = append(list, known)
		delete(all, known.Name)
	}
	known := len(list)
	for name, value := range all {
		list = append(list, claim{Name: name, Value: format(name, value)})
	}
	slices.SortFunc(list[known:], func(a, b claim) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// format returns the value of a claim as text.
func format(name string, value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		if name == "iat" || name == "exp" {
			return fmt.Sprintf("%.0f (%s)", v, time.Unix(int64(v), 0).UTC().Format("15:04:05 UTC"))
		}
	}
	b, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(b)
}

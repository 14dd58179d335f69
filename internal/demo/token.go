package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
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
	all := jwt.MapClaims{}
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodES256.Alg()}), jwt.WithIssuer(o.Home.String()), jwt.WithAudience(o.AppID),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(time.Minute), jwt.WithTimeFunc(o.Now),
	).ParseWithClaims(text, all, o.key)
	switch {
	case err == nil:
		return tokenView{IsValid: true, Claims: claimsOf(all)}
	case errors.Is(err, jwt.ErrTokenMalformed):
		return tokenView{Problem: "This isn’t a token that Guestlist has signed."}
	case errors.Is(err, jwt.ErrTokenInvalidClaims):
		return tokenView{Problem: "It has expired, or is for another app."}
	}
	return tokenView{Problem: "The signature is not by one of Guestlist’s keys."}
}

// key returns the key that a token names.
func (o Options) key(token *jwt.Token) (any, error) {
	for _, k := range o.Keys() {
		if k.ID == token.Header["kid"] {
			return k.Key, nil
		}
	}
	return nil, errors.New("unknown key")
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

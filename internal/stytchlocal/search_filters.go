package stytchlocal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

const maxFilterValues = 1000

type searchQuery struct {
	Operator string `json:"operator"`
	Operands []struct {
		Name  string          `json:"filter_name"`
		Value json.RawMessage `json:"filter_value"`
	} `json:"operands"`
}

type filter func(u *userObject) bool

// userSearch is a checked query.
type userSearch struct {
	filters []filter
	or      bool // one filter must match rather than all

	// The values of a filter that must match, so that only these users need to be read.
	// At most one is set.
	userIDs, addresses []string
}

func (s *userSearch) matchesAll() bool { return len(s.filters) == 0 }

func (s *userSearch) matches(u *userObject) bool {
	if s.matchesAll() {
		return true
	}
	for _, f := range s.filters {
		if f(u) == s.or {
			return s.or
		}
	}
	return !s.or
}

// compile checks a query. A nil query, or one without operands, matches all users.
func (q *searchQuery) compile() (*userSearch, error) {
	if q == nil {
		return &userSearch{}, nil
	}
	out := &userSearch{or: q.Operator == "OR"}
	if q.Operator != "AND" && q.Operator != "OR" && (q.Operator != "" || len(q.Operands) > 0) {
		return nil, searchError("invalid_operator", "The operator must be AND or OR.")
	}
	for _, o := range q.Operands {
		if o.Name == "" {
			return nil, searchError("missing_filter_name", "Each operand needs a filter_name.")
		}
		parse, ok := parsers[o.Name]
		if !ok {
			return nil, searchError("filter_name_not_recognized", "There is no filter "+o.Name+".")
		}
		if len(o.Value) == 0 || string(o.Value) == "null" {
			return nil, searchError("missing_filter_value", "Filter "+o.Name+" needs a filter_value.")
		}
		f, err := parse(o.Name, o.Value)
		if err != nil {
			return nil, err
		}
		out.filters = append(out.filters, f)
		if !out.or && len(out.userIDs) == 0 && len(out.addresses) == 0 {
			out.narrow(o.Name, o.Value)
		}
	}
	return out, nil
}

// narrow keeps the values of a filter by id or address.
func (s *userSearch) narrow(name string, value json.RawMessage) {
	switch name {
	case "user_id":
		s.userIDs, _ = parseStrings(name, value) // valid: it has been parsed before
	case "email_address":
		s.addresses, _ = parseStrings(name, value)
		for i, a := range s.addresses {
			s.addresses[i] = strings.ToLower(a)
		}
	}
}

type parser func(name string, value json.RawMessage) (filter, error)

// parsers holds all filters by name. Those for properties that no user has here match none.
var parsers = map[string]parser{
	"user_id": anyOf(func(u *userObject, want []string) bool { return slices.Contains(want, u.UserID) }),
	"email_address": anyOf(func(u *userObject, want []string) bool {
		return hasEmail(u, func(e emailObject) bool {
			return slices.ContainsFunc(want, func(w string) bool { return strings.ToLower(w) == e.Email })
		})
	}),
	"email_id": anyOf(func(u *userObject, want []string) bool {
		return hasEmail(u, func(e emailObject) bool { return slices.Contains(want, e.EmailID) })
	}),
	"phone_number": noneOf, "phone_id": noneOf,
	"crypto_wallet_id": noneOf, "crypto_wallet_address": noneOf,

	"webauthn_registration_id": anyOf(func(u *userObject, want []string) bool {
		return slices.ContainsFunc(u.WebAuthnRegistrations, func(r webauthnRegistrationObject) bool {
			return slices.Contains(want, r.RegistrationID)
		})
	}),
	"oauth_provider": anyOf(func(u *userObject, want []string) bool {
		return slices.ContainsFunc(u.Providers, func(p providerObject) bool {
			return slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, p.ProviderType) })
		})
	}),

	"totp_id": anyOf(func(u *userObject, want []string) bool {
		return slices.ContainsFunc(u.TOTPs, func(t totpObject) bool { return slices.Contains(want, t.TOTPID) })
	}),

	"email_address_fuzzy": fuzzy("email_address", func(u *userObject, part string) bool {
		return hasEmail(u, func(e emailObject) bool { return strings.Contains(e.Email, part) })
	}),
	"full_name_fuzzy": fuzzy("full_name", func(u *userObject, part string) bool {
		return strings.Contains(strings.ToLower(u.Name.full()), part)
	}),
	"phone_number_fuzzy": fuzzy("phone_number", func(*userObject, string) bool { return false }),

	"status": hasStatus,
	"email_verified": boolean(func(u *userObject) bool {
		return hasEmail(u, func(e emailObject) bool { return e.Verified })
	}),
	"phone_verified": never, "crypto_wallet_verified": never, "password_exists": never,

	"webauthn_registration_verified": boolean(func(u *userObject) bool {
		return slices.ContainsFunc(u.WebAuthnRegistrations, func(r webauthnRegistrationObject) bool { return r.Verified })
	}),
	"totp_verified": boolean(func(u *userObject) bool {
		return slices.ContainsFunc(u.TOTPs, func(t totpObject) bool { return t.Verified })
	}),

	"created_at_greater_than": createdAt(func(created, t time.Time) bool { return created.After(t) }),
	"created_at_less_than":    createdAt(func(created, t time.Time) bool { return created.Before(t) }),
	"created_at_between":      createdBetween,
}

var (
	noneOf = anyOf(func(*userObject, []string) bool { return false })
	never  = boolean(func(*userObject) bool { return false })
)

func hasEmail(u *userObject, match func(emailObject) bool) bool {
	return slices.ContainsFunc(u.Emails, match)
}

// parseValue decodes the value of a filter. The error names the expected type.
func parseValue[T any](name string, value json.RawMessage, kind, description string) (T, error) {
	var v T
	if json.Unmarshal(value, &v) != nil {
		return v, searchError("expected_"+kind, "Filter "+name+" takes "+description+".")
	}
	return v, nil
}

func parseStrings(name string, value json.RawMessage) ([]string, error) {
	values, err := parseValue[[]string](name, value, "array_of_string", "an array of strings")
	if len(values) > maxFilterValues {
		return nil, badRequest(fmt.Sprintf("Filter %s takes at most %d values.", name, maxFilterValues))
	}
	return values, err
}

func parseTime(name string, value json.RawMessage) (time.Time, error) {
	return parseValue[time.Time](name, value, "timestamp", "a time like 2021-12-29T12:33:09Z")
}

func anyOf(match func(u *userObject, want []string) bool) parser {
	return func(name string, value json.RawMessage) (filter, error) {
		want, err := parseStrings(name, value)
		return func(u *userObject) bool { return match(u, want) }, err
	}
}

// fuzzy returns the parser of a filter by a part of a property, ignoring case.
func fuzzy(property string, match func(u *userObject, part string) bool) parser {
	return func(name string, value json.RawMessage) (filter, error) {
		part, err := parseValue[string](name, value, "string", "a string")
		if err == nil && len([]rune(part)) < 3 {
			err = searchError(property+"_fuzzy_too_short", "Filter "+name+" takes at least three characters.")
		}
		part = strings.ToLower(part)
		return func(u *userObject) bool { return match(u, part) }, err
	}
}

func boolean(property func(u *userObject) bool) parser {
	return func(name string, value json.RawMessage) (filter, error) {
		want, err := parseValue[bool](name, value, "bool", "true or false")
		return func(u *userObject) bool { return property(u) == want }, err
	}
}

func hasStatus(name string, value json.RawMessage) (filter, error) {
	want, err := parseValue[string](name, value, "string", "a string")
	if err == nil && want != statusActive && want != statusPending {
		err = searchError("invalid_status_filter", "A status is active or pending.")
	}
	return func(u *userObject) bool { return u.Status == want }, err
}

func createdAt(match func(created, t time.Time) bool) parser {
	return func(name string, value json.RawMessage) (filter, error) {
		t, err := parseTime(name, value)
		return func(u *userObject) bool { return match(u.CreatedAt, t) }, err
	}
}

func createdBetween(name string, value json.RawMessage) (filter, error) {
	var span struct {
		From json.RawMessage `json:"greater_than"`
		To   json.RawMessage `json:"less_than"`
	}
	if json.Unmarshal(value, &span) != nil || span.From == nil || span.To == nil {
		return nil, searchError("expected_timestamp", "Filter "+name+" takes greater_than and less_than.")
	}
	from, err := parseTime(name, span.From)
	if err != nil {
		return nil, err
	}
	to, err := parseTime(name, span.To)
	return func(u *userObject) bool { return u.CreatedAt.After(from) && u.CreatedAt.Before(to) }, err
}

package stytchlocal

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxNames is how many values a filter may list.
const maxNames = 1000

type searchQuery struct {
	Operator string `json:"operator"`
	Operands []struct {
		Name  string          `json:"filter_name"`
		Value json.RawMessage `json:"filter_value"`
	} `json:"operands"`
}

// filter reports whether a user is wanted.
type filter func(u *userObject) bool

// userSearch is a query that has passed its checks.
type userSearch struct {
	filters []filter
	either  bool // one filter is enough

	// What one of the filters, all of which must hold, names; at most one is set.
	userIDs, addresses []string
}

func (s *userSearch) matchesAll() bool { return len(s.filters) == 0 }

func (s *userSearch) named() bool { return len(s.userIDs) > 0 || len(s.addresses) > 0 }

func (s *userSearch) matches(u *userObject) bool {
	if s.matchesAll() {
		return true
	}
	for _, f := range s.filters {
		if f(u) == s.either {
			return s.either
		}
	}
	return !s.either
}

// compile checks a query. No query, or one without operands, wants everyone.
func (q *searchQuery) compile() (*userSearch, error) {
	if q == nil {
		return &userSearch{}, nil
	}
	out := &userSearch{either: q.Operator == "OR"}
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
		if !out.either && !out.named() {
			out.note(o.Name, o.Value)
		}
	}
	return out, nil
}

// note keeps what a filter names, so that only those users need be looked at.
func (s *userSearch) note(name string, value json.RawMessage) {
	switch name {
	case "user_id":
		s.userIDs, _ = stringsOf(name, value) // parsed once already
	case "email_address":
		s.addresses, _ = stringsOf(name, value)
		for i, a := range s.addresses {
			s.addresses[i] = strings.ToLower(a)
		}
	}
}

type parser func(name string, value json.RawMessage) (filter, error)

// parsers knows every filter by its name. What no user here can have matches
// nobody.
var parsers = map[string]parser{
	"user_id": names(func(u *userObject, want []string) bool { return slices.Contains(want, u.UserID) }),
	"email_address": names(func(u *userObject, want []string) bool {
		return hasEmail(u, func(e emailObject) bool {
			return slices.ContainsFunc(want, func(w string) bool { return strings.ToLower(w) == e.Email })
		})
	}),
	"email_id": names(func(u *userObject, want []string) bool {
		return hasEmail(u, func(e emailObject) bool { return slices.Contains(want, e.EmailID) })
	}),
	"phone_number": names(nobody), "phone_id": names(nobody), "webauthn_registration_id": names(nobody), "totp_id": names(nobody),
	"crypto_wallet_id": names(nobody), "crypto_wallet_address": names(nobody), "oauth_provider": names(nobody),

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
	"phone_verified": boolean(never), "webauthn_registration_verified": boolean(never), "totp_verified": boolean(never),
	"crypto_wallet_verified": boolean(never), "password_exists": boolean(never),

	"created_at_greater_than": createdAfter, "created_at_less_than": createdBefore, "created_at_between": createdBetween,
}

func nobody(*userObject, []string) bool { return false }

func never(*userObject) bool { return false }

func hasEmail(u *userObject, wanted func(emailObject) bool) bool {
	return slices.ContainsFunc(u.Emails, wanted)
}

func stringsOf(name string, value json.RawMessage) ([]string, error) {
	var want []string
	if json.Unmarshal(value, &want) != nil {
		return nil, searchError("expected_array_of_string", "Filter "+name+" takes an array of strings.")
	}
	if len(want) > maxNames {
		return nil, badRequest(fmt.Sprintf("Filter %s takes at most %d values.", name, maxNames))
	}
	return want, nil
}

func names(match func(u *userObject, want []string) bool) parser {
	return func(name string, value json.RawMessage) (filter, error) {
		want, err := stringsOf(name, value)
		return func(u *userObject) bool { return match(u, want) }, err
	}
}

// fuzzy looks for a part of something, in whatever case.
func fuzzy(what string, match func(u *userObject, part string) bool) parser {
	return func(name string, value json.RawMessage) (filter, error) {
		var part string
		if json.Unmarshal(value, &part) != nil {
			return nil, searchError("expected_string", "Filter "+name+" takes a string.")
		}
		if len([]rune(part)) < 3 {
			return nil, searchError(what+"_fuzzy_too_short", "Filter "+name+" takes at least three characters.")
		}
		part = strings.ToLower(part)
		return func(u *userObject) bool { return match(u, part) }, nil
	}
}

func boolean(holds func(u *userObject) bool) parser {
	return func(name string, value json.RawMessage) (filter, error) {
		var want bool
		if json.Unmarshal(value, &want) != nil {
			return nil, searchError("expected_bool", "Filter "+name+" takes true or false.")
		}
		return func(u *userObject) bool { return holds(u) == want }, nil
	}
}

func hasStatus(name string, value json.RawMessage) (filter, error) {
	var want string
	if json.Unmarshal(value, &want) != nil {
		return nil, searchError("expected_string", "Filter "+name+" takes a string.")
	}
	if want != statusActive && want != statusPending {
		return nil, searchError("invalid_status_filter", "A status is active or pending.")
	}
	return func(u *userObject) bool { return u.Status == want }, nil
}

func timeOf(name string, value json.RawMessage) (t time.Time, err error) {
	if json.Unmarshal(value, &t) != nil {
		err = searchError("expected_timestamp", "Filter "+name+" takes a time like 2021-12-29T12:33:09Z.")
	}
	return t, err
}

func createdAfter(name string, value json.RawMessage) (filter, error) {
	t, err := timeOf(name, value)
	return func(u *userObject) bool { return u.CreatedAt.After(t) }, err
}

func createdBefore(name string, value json.RawMessage) (filter, error) {
	t, err := timeOf(name, value)
	return func(u *userObject) bool { return u.CreatedAt.Before(t) }, err
}

func createdBetween(name string, value json.RawMessage) (filter, error) {
	var span struct {
		From json.RawMessage `json:"greater_than"`
		To   json.RawMessage `json:"less_than"`
	}
	if json.Unmarshal(value, &span) != nil || span.From == nil || span.To == nil {
		return nil, searchError("expected_timestamp", "Filter "+name+" takes greater_than and less_than.")
	}
	from, err := timeOf(name, span.From)
	if err != nil {
		return nil, err
	}
	to, err := timeOf(name, span.To)
	return func(u *userObject) bool { return u.CreatedAt.After(from) && u.CreatedAt.Before(to) }, err
}

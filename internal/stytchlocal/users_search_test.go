package stytchlocal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"
)

func TestSearchUsers(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ids := map[string]string{}
		for i, person := range []struct{ key, first, last string }{{"ada", "Ada", "Lovelace"}, {"bob", "Bob", "Ünal"}, {"cyd", "", ""}, {"dan", "Dan", "Love"}} {
			made := f.ok("POST", "/v1/users", object{
				"email": person.key + "@example.com", "create_user_as_pending": i%2 == 1, "name": object{"first_name": person.first, "last_name": person.last},
			})
			ids[person.key] = made["user_id"].(string)
			f.clock.advance(time.Hour)
		}
		token, _ := f.link("cyd@example.com", nil)
		verified := f.ok("POST", "/v1/magic_links/authenticate", object{"token": token})

		noon := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
		at := func(hours int) string { return noon.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339Nano) }
		tests := []struct {
			name     string
			operator string
			filters  []any // name, value, name, value, …
			want     string
		}{
			{"finds everyone", "AND", nil, "ada bob cyd dan"},
			{"finds by user id", "AND", []any{"user_id", []string{ids["dan"], ids["ada"], "user-test-x"}}, "ada dan"},
			{"finds by address in any case", "AND", []any{"email_address", []string{"BOB@example.com"}}, "bob"},
			{"finds by email id", "AND", []any{"email_id", []string{verified["method_id"].(string)}}, "cyd"},
			{"finds nobody in an empty list", "AND", []any{"user_id", []string{}}, ""},
			{"finds nobody by phone", "AND", []any{"phone_number", []string{"+1"}}, ""},
			{"finds by part of an address", "AND", []any{"email_address_fuzzy", "DA@EX"}, "ada"},
			{"finds by part of a name", "AND", []any{"full_name_fuzzy", "love"}, "ada dan"},
			{"finds across the parts of a name", "AND", []any{"full_name_fuzzy", "a lovel"}, "ada"},
			{"finds names in any language and case", "AND", []any{"full_name_fuzzy", "üna"}, "bob"},
			{"finds by status", "AND", []any{"status", "pending"}, "bob dan"},
			{"finds the verified", "AND", []any{"email_verified", true}, "cyd"},
			{"finds the unverified", "AND", []any{"email_verified", false}, "ada bob dan"},
			{"finds those without password", "AND", []any{"password_exists", false}, "ada bob cyd dan"},
			{"finds those made later", "AND", []any{"created_at_greater_than", at(1)}, "cyd dan"},
			{"finds those made earlier", "AND", []any{"created_at_less_than", at(1)}, "ada"},
			{"finds those made between", "AND", []any{"created_at_between", object{"greater_than": at(0), "less_than": at(3)}}, "bob cyd"},
			{"joins by AND", "AND", []any{"status", "pending", "full_name_fuzzy", "love"}, "dan"},
			{"joins by AND beside a list", "AND", []any{"status", "pending", "user_id", []string{ids["ada"], ids["bob"]}}, "bob"},
			{"joins by OR", "OR", []any{"email_verified", true, "user_id", []string{ids["ada"]}}, "ada cyd"},
		}
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				operands := []map[string]any{}
				for i := 0; i < len(test.filters); i += 2 {
					operands = append(operands, map[string]any{"filter_name": test.filters[i], "filter_value": test.filters[i+1]})
				}
				found, err := f.sdk.Users.Search(context.WithoutCancel(t.Context()), &users.SearchParams{
					Query: &users.SearchUsersQuery{Operator: users.SearchUsersQueryOperator(test.operator), Operands: operands},
				})
				if err != nil {
					t.Fatal(err)
				}
				names := []string{}
				for _, u := range found.Results {
					name, _, _ := strings.Cut(u.Emails[0].Email, "@")
					names = append(names, name)
				}
				if got := strings.Join(names, " "); got != test.want || int(found.ResultsMetadata.Total) != len(names) {
					t.Errorf("found %q, total %d; want %q", got, found.ResultsMetadata.Total, test.want)
				}
			})
		}
	})
}

func TestSearchUsers_Pages(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		var want []string
		for i := range 7 {
			want = append(want, f.ok("POST", "/v1/users", object{"email": fmt.Sprintf("u%d@example.com", i)})["user_id"].(string))
		}
		queries := map[string]object{
			"everyone": nil,
			"filtered": {"operator": "AND", "operands": []object{{"filter_name": "status", "filter_value": "active"}}},
			"named":    {"operator": "AND", "operands": []object{{"filter_name": "user_id", "filter_value": want}}},
		}
		for name, query := range queries {
			t.Run(name, func(t *testing.T) {
				var got []string
				var cursor any
				for pages := 0; pages == 0 || cursor != nil; pages++ {
					body := object{"limit": 3, "cursor": cursor}
					if query != nil {
						body["query"] = query
					}
					page := f.ok("POST", "/v1/users/search", body)
					for _, u := range page["results"].([]any) {
						got = append(got, dig(u, "user_id").(string))
					}
					if total := dig(page, "results_metadata", "total"); total != 7.0 {
						t.Errorf("page %d: total is %v", pages, total)
					}
					cursor = dig(page, "results_metadata", "next_cursor")
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("all pages (-want +got):\n%s", diff)
				}
			})
		}
		exact := f.ok("POST", "/v1/users/search", object{"limit": 7})
		if next, there := exact["results_metadata"].(object)["next_cursor"]; next != nil || !there {
			t.Errorf("a page that just fits has cursor %v", next)
		}
	})
}

func TestSearchUsers_Invalid(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	filter := func(name string, value any) object {
		return object{"query": object{"operator": "AND", "operands": []object{{"filter_name": name, "filter_value": value}}}}
	}
	tests := []struct {
		name      string
		body      object
		errorType string
	}{
		{"refuses a limit of none", object{"limit": 0}, "user_search_invalid_limit"},
		{"refuses a limit of 1001", object{"limit": 1001}, "user_search_invalid_limit"},
		{"refuses a cursor that is none", object{"cursor": "x"}, "user_search_invalid_cursor"},
		{"refuses a cursor that is something else", object{"cursor": "e30"}, "user_search_invalid_cursor"},
		{"refuses another operator", object{"query": object{"operator": "NOT", "operands": []any{}}}, "user_search_invalid_operator"},
		{"refuses filters without operator", object{"query": object{"operands": []object{{"filter_name": "status", "filter_value": "active"}}}}, "user_search_invalid_operator"},
		{"refuses a filter without name", filter("", "x"), "user_search_missing_filter_name"},
		{"refuses a filter without value", filter("status", nil), "user_search_missing_filter_value"},
		{"refuses a filter it doesn't know", filter("shoe_size", 43), "user_search_filter_name_not_recognized"},
		{"refuses a string for a list", filter("user_id", "x"), "user_search_expected_array_of_string"},
		{"refuses a list for a string", filter("full_name_fuzzy", []string{"abc"}), "user_search_expected_string"},
		{"refuses a string for yes or no", filter("email_verified", "true"), "user_search_expected_bool"},
		{"refuses a day for a time", filter("created_at_greater_than", "2026-03-01"), "user_search_expected_timestamp"},
		{"refuses half a span", filter("created_at_between", object{"less_than": "2026-03-01T00:00:00Z"}), "user_search_expected_timestamp"},
		{"refuses another status", filter("status", "deleted"), "user_search_invalid_status_filter"},
		{"refuses two letters of an address", filter("email_address_fuzzy", "ab"), "user_search_email_address_fuzzy_too_short"},
		{"refuses two letters of a name", filter("full_name_fuzzy", "üü"), "user_search_full_name_fuzzy_too_short"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.refused("POST", "/v1/users/search", test.body, 400, test.errorType)
		})
	}
	for _, everyone := range []any{nil, object{}, object{"query": nil}, object{"query": object{}}, object{"query": object{"operator": "OR", "operands": []any{}}}, object{"cursor": ""}} {
		if got := f.ok("POST", "/v1/users/search", everyone); fmt.Sprint(got["results"]) != "[]" {
			t.Errorf("%v answers %v", everyone, got)
		}
	}
}

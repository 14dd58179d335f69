package stytchlocal_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFaultsJSON_GetReturnsWhatWasPut(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	const none = `{"rules":[],"clock_ms":0,"guestlist_clock_ms":0}`
	for _, row := range []struct{ put, get string }{
		{`{}`, none},
		{`{"rules":[{"route":"/v1/magic_links/*","kind":"status","status":500,"share":0.5,"delay_ms":0}], "clock_ms": 3600000}`,
			`{"rules":[{"route":"/v1/magic_links/*","kind":"status","status":500,"share":0.5,"delay_ms":0,"after":false}],"clock_ms":3600000,"guestlist_clock_ms":0}`},
		{`{"rules":[{"kind":"hang","after":true}]}`,
			`{"rules":[{"route":"","kind":"hang","status":0,"share":1,"delay_ms":0,"after":true}],"clock_ms":0,"guestlist_clock_ms":0}`},
		{`{"rules":[]}`, none},
	} {
		status, answer := f.put(row.put)
		if diff := cmp.Diff(row.get, answer); status != 200 || diff != "" {
			t.Errorf("PUT %s: %d %s", row.put, status, diff)
		}
		if _, _, text := f.page("GET", "/dev/faults.json"); strings.TrimSpace(text) != row.get {
			t.Errorf("GET after %s: %s", row.put, text)
		}
	}
}

func TestFaultsJSON_Invalid(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.faults(`{"clock_ms":1000}`)
	_, before := f.put(`{"clock_ms":1000}`)
	rule := func(text string) string { return `{"rules":[{"kind":"down"},` + text + `]}` }
	for _, row := range []struct{ name, body, want string }{
		{"no body", ``, "The body is not a JSON object of faults."},
		{"no JSON", `{"rules":`, "The body is not a JSON object of faults."},
		{"no object", `[]`, "The body is not a JSON object of faults."},
		{"something after it", `{} {}`, "The body must be one JSON object with nothing after it."},
		{"too large", `{"rules":[` + strings.Repeat(`{"kind":"down"},`, 5000) + `{"kind":"down"}]}`, "The body is not a JSON object of faults."},
		{"too many", `{"rules":[` + strings.Repeat(`{"kind":"down"},`, 100) + `{"kind":"down"}]}`, "At most 100 rules are allowed."},
		{"an unknown field", `{"clock":1}`, `There is no field "clock".`},
		{"an unknown field of a rule", rule(`{"kind":"down","delay":1}`), `There is no field "delay".`},
		{"a wrong type", `{"clock_ms":"1h"}`, "Field clock_ms can't be a JSON string."},
		{"a wrong type in a rule", rule(`{"kind":"down","share":"half"}`), "Field rules.share can't be a JSON string."},
		{"no kind", rule(`{"route":"*"}`), "Rule 2: The kind must be one of status, garbage, empty, cut, hang, slow, down."},
		{"an unknown kind", rule(`{"kind":"fire"}`), "Rule 2: The kind must be one of status, garbage, empty, cut, hang, slow, down."},
		{"a route elsewhere", rule(`{"kind":"down","route":"/dev/inbox"}`), `Rule 2: The route must be a path below /v1/, optionally with * at the end; "*" matches every call.`},
		{"a star in the middle", rule(`{"kind":"down","route":"/v1/*/search"}`), `Rule 2: The route must be a path below /v1/, optionally with * at the end; "*" matches every call.`},
		{"no status", rule(`{"kind":"status"}`), "Rule 2: The status must be between 400 and 599."},
		{"a status of success", rule(`{"kind":"status","status":200}`), "Rule 2: The status must be between 400 and 599."},
		{"a status of another kind", rule(`{"kind":"hang","status":500}`), "Rule 2: Only the kind status has a status."},
		{"a share below nothing", rule(`{"kind":"down","share":-0.1}`), "Rule 2: The share must be between 0 and 1."},
		{"a share above all", rule(`{"kind":"down","share":50}`), "Rule 2: The share must be between 0 and 1."},
		{"a delay into the past", rule(`{"kind":"slow","delay_ms":-1}`), "Rule 2: The delay must be between 0 and ten minutes."},
		{"a delay without end", rule(`{"kind":"slow","delay_ms":600001}`), "Rule 2: The delay must be between 0 and ten minutes."},
		{"slow without delay", rule(`{"kind":"slow"}`), "Rule 2: The kind slow needs a delay."},
		{"down after the call", rule(`{"kind":"down","after":true}`), "Rule 2: A slow call always takes effect, and a call without a connection never does."},
		{"a clock far away", `{"clock_ms":-999999999999}`, "A clock can be at most ten years ahead or behind."},
		{"a clock that can't be moved", `{"guestlist_clock_ms":1}`, "Guestlist's clock can't be set here."},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, answer := f.put(row.body)
			want := `{"error":"` + strings.ReplaceAll(row.want, `"`, `\"`) + `"}`
			if diff := cmp.Diff(want, answer); status != 400 || diff != "" {
				t.Errorf("%d %s", status, diff)
			}
		})
	}
	if _, _, text := f.page("GET", "/dev/faults.json"); strings.TrimSpace(text) != before {
		t.Errorf("what was refused has changed something: %s", text)
	}
}

package userio

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// statusRows lists columns about access with values that admit a user, and values that
// exclude it.
var statusRows = []struct {
	column  string
	in, out []string
}{
	{
		"status",
		[]string{
			"active", "ACTIVE", " Active ", "act\u200bive", "enabled", "provisioned", "invited", "Pending", "CONFIRMED", "FORCE_CHANGE_PASSWORD",
			"RESET_REQUIRED", "PASSWORD_EXPIRED", "subscribed", "Member", "Admin", "Primary Owner", "'active'",
		},
		[]string{
			"", " ", "suspended", "Suspended", "SUSPENDED", "suspended (admin)", "disabled", "blocked", "banned", "locked", "LOCKED_OUT", "archived",
			"deprovisioned", "deactivated", "deleted", "inactive", "in active", "in\u00adactive", "bounced", "unsubscribed", "cleaned", "UNCONFIRMED",
			"COMPROMISED", "STAGED", "Bot", "Multi-Channel Guest", "aktiv", "gesperrt", "áctive", "аctive", "ａｃｔｉｖｅ", "not active", "!active", "active (no)", "active, suspended",
			"active?", "activeactive", "true", "false", "1", "0", "-", "null", "unknown", "terminated", "pending deletion", "blocked_pending_approval",
		},
	},
	{"Status [READ ONLY]", []string{"Active"}, []string{"Suspended", "Archived", ""}},
	{"userStatus", []string{"ACTIVE"}, []string{"DEPROVISIONED", ""}},
	{"UserStatus", []string{"CONFIRMED", "EXTERNAL_PROVIDER"}, []string{"UNCONFIRMED", "ARCHIVED", "UNKNOWN"}},
	{"Account state", []string{"active"}, []string{"locked", "CA"}},
	{"state", []string{"active"}, []string{"ldap_blocked", "deactivated"}},
	{"Estado", []string{"active"}, []string{"activo", "bloqueado"}},
	{"Gesperrt", nil, []string{"WAHR", "ja", "true", "false"}},
	{"Aktiv", []string{"active"}, []string{"WAHR", "true", "nein"}},
	{"accountEnabled", []string{"true", "True", "TRUE", "yes", "Y", "1", "on", "enabled"}, []string{"false", "False", "no", "0", "", "WAHR", "vrai", "2", "null", "disabled", "true false", "not true"}},
	{"Account enabled", []string{"True"}, []string{"False", ""}},
	{"enabled", []string{"true"}, []string{"false", ""}},
	{"active", []string{"true", "Active"}, []string{"false", "Inactive", ""}},
	{"Active", []string{"1"}, []string{"0"}},
	{"is_active", []string{"t"}, []string{"f"}},
	{"isActive", []string{"yes"}, []string{"no"}},
	{"Active (yes/no)", []string{"yes"}, []string{"no"}},
	{"user active", []string{"yes"}, []string{"no"}},
	{"approved", []string{"yes"}, []string{"no", ""}},
	{"Sign-in allowed", []string{"Yes"}, []string{"No"}},
	{"Sign-in status", []string{"Allowed"}, []string{"Blocked"}},
	{"accountNonLocked", []string{"true"}, []string{"false"}},
	{"Blocked", []string{"false", "False", "FALSE", "no", "0", "", "n"}, []string{"true", "TRUE", "yes", "1", "x", "✓", "FALSCH", "faux", "active", "no, temporarily"}},
	{"blocked", []string{"false", `\N`, "NULL"}, []string{"true"}},
	{"Block credential", []string{"False"}, []string{"True"}},
	{"Sign-in blocked", []string{"No"}, []string{"Yes"}},
	{"banned", []string{"false"}, []string{"true"}},
	{"is_ban", []string{"0"}, []string{"1"}},
	{"locked", []string{"false"}, []string{"true"}},
	{"is_locked", []string{"false"}, []string{"true"}},
	{"lock_created_at", []string{""}, []string{"2026-11-01T10:00:00Z"}},
	{"lockout_expires_in_seconds", []string{""}, []string{"3600"}},
	{"disabled", []string{"false", ""}, []string{"true"}},
	{"Disabled", []string{"no"}, []string{"yes"}},
	{"disabled_at", []string{"", "never"}, []string{"2026-11-01"}},
	{"suspended", []string{"false"}, []string{"true"}},
	{"suspensionReason", []string{""}, []string{"ADMIN"}},
	{"archived", []string{"false"}, []string{"true"}},
	{"deleted", []string{"false"}, []string{"true"}},
	{"deleted_at", []string{"", "null", `\N`, "0"}, []string{"2026-11-01 10:00:00", "0000-00-00", "1780000000"}},
	{"deletedDateTime", []string{""}, []string{"2026-11-01T10:00:00Z"}},
	{"Soft deletion time stamp", []string{""}, []string{"11/1/2026"}},
	{"banned_until", []string{""}, []string{"2020-01-01", "infinity"}},
	{"UNSUB_TIME", []string{""}, []string{"2026-11-01 10:00:00"}},
	{"CLEAN_TIME", []string{""}, []string{"2026-11-01 10:00:00"}},
	{"deactivated", []string{"no"}, []string{"yes"}},
	{"inactive", []string{"false"}, []string{"true"}},
	{"Active/Inactive", []string{"Active"}, []string{"Inactive", "yes", "no", ""}},
	{"not blocked", nil, []string{"true", "false", ""}},
	{"Désactivé", []string{"false"}, []string{"oui", "true"}},
	{"Unapproved", nil, []string{"true", "false"}},
	{"disallowed", nil, []string{"true", "false"}},
	{"isNotEnabled", nil, []string{"true", "false"}},
	{"suspension_lifted", nil, []string{"true", "false"}},
	{"unblocked", nil, []string{"true", "false"}},
	{"active_ban", nil, []string{"true", "false"}},
	{"Статус", []string{"active"}, []string{"активен", "true"}},
	{"ステータス", []string{"Active"}, []string{"有効"}},
	{"Anmeldeinformationen blockieren", []string{"False"}, []string{"Wahr", "True"}},
	{"unlocked", nil, []string{"true", "false"}},
	{"Suspended status", []string{"Active"}, []string{"true", "false", "Suspended"}},
	{"New Status [UPLOAD ONLY]", []string{"", "Active"}, []string{"Suspended"}},
	{"invitationState", []string{"", "Accepted", "PendingAcceptance"}, []string{"Rejected"}},
	{"activated", []string{"2026-01-01T00:00:00.000Z", "true"}, []string{"", "false", "no"}},
	{"is_bot", []string{"false"}, []string{"true"}},
	{"Home State", []string{"CA", "", "New York"}, []string{"suspended"}},
	// Unknown columns with words that exclude in any column.
	{"Access", []string{"", "full", "2026-11-01"}, []string{"revoked", "Revoked ", "DISABLED"}},
	{"Type", []string{"member", "unsuspended", "suspended once"}, []string{"Suspended", "inactive", "de-activated", "locked out"}},
	// Columns about something else.
	{"dirSyncEnabled", []string{"", "false"}, nil},
	{"mfa_enabled", []string{"false"}, nil},
	{"billing-active", []string{"0"}, nil},
	{"last_active_at", []string{"", "2026-11-01"}, nil},
	{"status_text", []string{"On holiday", "blocked"}, nil},
	{"email_verified", []string{"false"}, nil},
	{"Estate", []string{"blocked view"}, nil},
	{"Active Directory ID", []string{"7", ""}, nil},
	{"LockoutEnabled", []string{"True", "False"}, nil},
	{"Statement", []string{"none"}, nil},
}

func TestRead_StatusColumns(t *testing.T) {
	t.Parallel()
	for _, row := range statusRows {
		for _, value := range row.in {
			if l := readStatus(t, row.column, value); l.Problem != "" {
				t.Errorf("%s %q: %s", row.column, value, l.Problem)
			}
		}
		for _, value := range row.out {
			l := readStatus(t, row.column, value)
			if !strings.HasPrefix(l.Problem, "Skipped: ") || !strings.Contains(l.Problem, visible(value)) || l.Number != 2 {
				t.Errorf("%s %q: line %d: %q", row.column, value, l.Number, l.Problem)
			}
		}
	}
}

// readStatus reads a table and JSON with one user and one column about access, which must
// agree.
func readStatus(t *testing.T, column, value string) Line {
	t.Helper()
	quoted := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	read := func(text string) Line {
		var lines []Line
		if _, err := Read(strings.NewReader(text), func(l Line) error { lines = append(lines, l); return nil }); err != nil || len(lines) != 1 {
			t.Fatalf("%s: %d people, %v", text, len(lines), err)
		}
		return lines[0]
	}
	table := read("email," + quoted(column) + "\nada@example.com," + quoted(value) + "\n")
	object, err := json.Marshal(map[string]string{"email": "ada@example.com", column: value})
	if err != nil {
		t.Fatal(err)
	}
	if l := read("[\n" + string(object) + "]"); !cmp.Equal(l, table) {
		t.Errorf("%s %q: JSON says %+v, a table %+v", column, value, l, table)
	}
	return table
}

func TestRead_StatusMembers(t *testing.T) {
	t.Parallel()
	for member, problem := range map[string]string{
		`"blocked":false`:                       "",
		`"blocked":null`:                        "",
		`"disabled":0`:                          "",
		`"enabled":true`:                        "",
		`"active":1`:                            "",
		`"blocked":true`:                        "blocked is “true”",
		`"disabled":1`:                          "disabled is “1”",
		`"enabled":false`:                       "enabled is “false”",
		`"enabled":null`:                        "enabled is empty",
		`"status":null`:                         "status is empty",
		`"status":1`:                            "status is “1”",
		`"status":true`:                         "status is “true”",
		`"status":["active"]`:                   "",
		`"status":["active","suspended"]`:       `status is “["active","suspended"]”`,
		`"status":[]`:                           "status is empty",
		`"blocked":[]`:                          "",
		`"account":{"status":"suspended"}`:      "account.status is “suspended”",
		`"metadata":{"flags":{"banned":true}}`:  "metadata.flags.banned is “true”",
		`"attributes":{"status":["suspended"]}`: "attributes.status is “suspended”",
		`"Attributes":[{"Name":"custom:status","Value":"suspended"}]`: "Attributes.custom:status is “suspended”",
		`"manager":{"status":"suspended"}`:                            "",
		`"status":{"value":"active"}`:                                 `status is “{"value":"active"}”`,
		`"blocked":{}`:                                                "blocked is “{}”",
		`"deleted_at":"2026-11-01"`:                                   "deleted_at is “2026-11-01”",
		`"status":"active","locked":true`:                             "locked is “true”",
		`"locked":false,"status":"x"`:                                 "status is “x”",
	} {
		_, err := Read(strings.NewReader(`{"email":"ada@example.com",`+member+`}`), func(l Line) error {
			if problem != "" {
				problem = "Skipped: " + problem + ". Only people that the file marks as active are imported."
			}
			if l.Problem != problem {
				t.Errorf("%s: %q, want %q", member, l.Problem, problem)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", member, err)
		}
	}
}

func TestRead_StateOfAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"email,City,State\na@example.com,Arlington,VA\n":                             "",
		"email,City,State\na@example.com,Arlington,\n":                               "",
		"email,City,State\na@example.com,Arlington,Suspended\n":                      "Skipped: State is “Suspended”. Only people that the file marks as active are imported.",
		"email,State\na@example.com,VA\n":                                            "Skipped: State is “VA”. Only people that the file marks as active are imported.",
		`{"email":"a@example.com","state":"VA","postalCode":"22201"}`:                "",
		`{"email":"a@example.com","state":"VA"}`:                                     "Skipped: state is “VA”. Only people that the file marks as active are imported.",
		"email,status,suspended,deleted_at\na@example.com,active,no,\n":              "",
		"email,status,suspended,deleted_at\na@example.com,active,no,2026-11-01\n":    "Skipped: deleted_at is “2026-11-01”. Only people that the file marks as active are imported.",
		"email,status,suspended,deleted_at\na@example.com,inactive,yes,2026-11-01\n": "Skipped: status is “inactive”. Only people that the file marks as active are imported.",
		"email,status,status\na@example.com,active,suspended\n":                      "Skipped: status is “suspended”. Only people that the file marks as active are imported.",
		"email,name,status\na@example.com\n":                                         "Skipped: status is empty. Only people that the file marks as active are imported.",
	} {
		if _, err := Read(strings.NewReader(text), func(l Line) error {
			if l.Problem != want {
				t.Errorf("%s: %q, want %q", text, l.Problem, want)
			}
			return nil
		}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzAdmits(f *testing.F) {
	for _, row := range statusRows {
		for _, value := range append(row.in, row.out...) {
			f.Add(value)
		}
	}
	f.Fuzz(func(t *testing.T, value string) {
		word := letters(value)
		if accessWord.admits(value) && !admittedWords[word] {
			t.Errorf("%q is an admitted word", value)
		}
		if accessGranted.admits(value) && !admittedWords[word] && !trueWords[word] {
			t.Errorf("%q is true", value)
		}
		if accessDenied.admits(value) && word != "" && !falseWords[word] && word != "n" {
			t.Errorf("%q is false", value)
		}
	})
}

package openid

import (
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestGuestlist(t *testing.T) {
	t.Parallel()
	Test(t, 0, StartGuestlist(t, testdb.SQLite(t), "", "RS256"))
}

// TestGuestlist_Otherwise checks that the outcomes do not depend on the base URL and the algorithm of ID
// tokens, except where a module wants the default.
func TestGuestlist_Otherwise(t *testing.T) {
	t.Parallel()
	p := StartGuestlist(t, testdb.SQLite(t), "/people", "ES256")
	want := readTable(t, 0)
	want["oidcc-idtoken-signature"] = Failed
	for _, m := range Modules {
		result := p.Run(t.Context(), m)
		if result.Outcome != want[m.Name] {
			t.Errorf("%s: %s, want %s: %q", m.Name, result.Outcome, want[m.Name], result.Reports)
		}
	}
}

// TestGuestlist_FailsNothing checks that no outcome in the table is a failure.
func TestGuestlist_FailsNothing(t *testing.T) {
	t.Parallel()
	outcomes := readTable(t, 0)
	for _, m := range Modules {
		switch outcomes[m.Name] {
		case Passed, Warned, Skipped:
		default:
			t.Errorf("%s: %q", m.Name, outcomes[m.Name])
		}
	}
}

package openid

import (
	"slices"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

// leftOut are the plans that Guestlist doesn't implement.
var leftOut = []string{signOutPlan, backChannelPlan}

func TestGuestlist(t *testing.T) {
	t.Parallel()
	Test(t, 0, StartGuestlist(t, testdb.SQLite(t)), leftOut...)
}

// TestGuestlist_FailsNothing checks that no outcome in the table is a failure.
func TestGuestlist_FailsNothing(t *testing.T) {
	t.Parallel()
	outcomes := readTable(t, 0)
	for _, m := range Modules {
		switch outcomes[m.Name] {
		case Passed, Warned, Skipped:
		default:
			if !slices.Contains(leftOut, m.Plan) {
				t.Errorf("%s: %q", m.Name, outcomes[m.Name])
			}
		}
	}
}

func TestMutations_Guestlist(t *testing.T) {
	t.Parallel()
	testMutations(t, StartGuestlist(t, testdb.SQLite(t)), readTable(t, 0))
}

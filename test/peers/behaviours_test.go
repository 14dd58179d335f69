package peers

import (
	"slices"
	"testing"
	"time"
)

// TestBehaviours_SameBehindEveryProxy runs the rows behind each proxy, one after another.
func TestBehaviours_SameBehindEveryProxy(t *testing.T) {
	t.Parallel()
	rows := slices.Concat(accessRows, toolRows, forgedRows, pathRows, handoverRows)
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, p, settings{})
			for _, row := range rows {
				t.Run(row.name, func(t *testing.T) {
					w.clock.Advance(2 * time.Minute) // for new sign-in links under the limits
					row.run(t, w.forTest(t))
				})
			}
		})
	}
}

package relyingparties

import "testing"

// TestBehaviours_SameInEveryTool runs the rows with each tool, one after another.
func TestBehaviours_SameInEveryTool(t *testing.T) {
	t.Parallel()
	for _, p := range parties {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, p)
			for _, row := range behaviours {
				t.Run(row.name, func(t *testing.T) { row.run(t, w.forTest(t)) })
			}
		})
	}
}

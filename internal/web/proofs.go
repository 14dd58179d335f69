package web

import (
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/factor"
)

// describeProofs says by which factors a session came in, and when each was last proven, in the
// order of their times: "Email link 2 hours ago, authenticator app just now". It returns "" for a
// session of an earlier release.
func describeProofs(now time.Time, proofs factor.Proofs) string {
	var parts []string
	for _, p := range oldestFirst(proofs) {
		parts = append(parts, p.Kind.Label()+" "+timeAgo(now, p.At))
	}
	text := strings.Join(parts, ", ")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] // labels begin with a letter of ASCII
}

// jsonFactor is a factor of a session.
type jsonFactor struct {
	Kind factor.Kind `json:"kind"`
	At   time.Time   `json:"at"` // when it was last proven
}

func newJSONFactors(proofs factor.Proofs) []jsonFactor {
	list := []jsonFactor{}
	for _, p := range oldestFirst(proofs) {
		list = append(list, jsonFactor{p.Kind, p.At})
	}
	return list
}

// oldestFirst returns proofs in the order in which they were proven.
func oldestFirst(proofs factor.Proofs) []factor.Proof {
	list := slices.Collect(proofs.All())
	slices.Reverse(list)
	return list
}

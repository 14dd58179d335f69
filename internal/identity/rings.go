package identity

import "sync/atomic"

// keyRings holds the keys as they were read at one time. It is not changed after that.
type keyRings struct {
	byAlgorithm map[Algorithm]keyRing
	jwks        atomic.Pointer[jwksDocument] // the last one made of these keys; nil if none was
}

func newKeyRings(byAlgorithm map[Algorithm]keyRing) *keyRings {
	return &keyRings{byAlgorithm: byAlgorithm}
}

// of returns the keys of an algorithm; empty if there are none.
func (r *keyRings) of(a Algorithm) keyRing { return r.byAlgorithm[a] }

// with returns the same rings but for that of an algorithm.
func (r *keyRings) with(a Algorithm, ring keyRing) *keyRings {
	changed := map[Algorithm]keyRing{a: ring}
	for _, other := range algorithms {
		if other != a {
			changed[other] = r.of(other)
		}
	}
	return newKeyRings(changed)
}

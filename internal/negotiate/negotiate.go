// Package negotiate reads in which codings a client takes an answer.
package negotiate

import (
	"net/http"
	"strconv"
	"strings"
)

// Negotiate returns which of the codings to send: the one the client gives the
// most weight in its Accept-Encoding header, of equals the first; empty if it
// takes none of them, would rather have the plain bytes, or does not say.
// https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding
func Negotiate(h http.Header, codings ...string) string {
	header := strings.Join(h["Accept-Encoding"], ",")
	best, most := "", 0.0
	for _, coding := range codings {
		if weight, _ := codingQuality(header, coding); weight > most {
			best, most = coding, weight
		}
	}
	if plain, listed := codingQuality(header, "identity"); listed && plain > most {
		return ""
	}
	return best
}

// codingQuality returns the weight that a header gives a coding, by name or else by "*",
// and whether it names it; one that can't be read is none.
func codingQuality(header, coding string) (weight float64, listed bool) {
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		switch name = strings.TrimSpace(name); {
		case strings.EqualFold(name, coding):
			return quality(params), true
		case name == "*":
			weight = quality(params)
		}
	}
	return weight, false
}

// quality reads "q=0.5".
func quality(params string) float64 {
	name, value, found := strings.Cut(params, "=")
	if !found {
		if strings.TrimSpace(params) == "" {
			return 1
		}
		return 0
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !strings.EqualFold(strings.TrimSpace(name), "q") || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}

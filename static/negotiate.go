package static

import (
	"net/http"
	"strconv"
	"strings"
)

// Negotiate returns the coding with the highest weight in the Accept-Encoding header, the
// first of equals. It returns "" if the header is missing, accepts none of the codings, or
// prefers identity.
// https://www.rfc-editor.org/rfc/rfc9110#name-accept-encoding
func Negotiate(h http.Header, codings ...string) string {
	header := strings.Join(h["Accept-Encoding"], ",")
	best, highest := "", 0.0
	for _, coding := range codings {
		if weight, _ := codingQuality(header, coding); weight > highest {
			best, highest = coding, weight
		}
	}
	if identity, listed := codingQuality(header, "identity"); listed && identity > highest {
		return ""
	}
	return best
}

// codingQuality returns the weight of a coding, from its own entry or else from "*", and
// whether it has its own entry.
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

// quality parses "q=0.5". Invalid parameters have quality 0.
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

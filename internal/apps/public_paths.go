package apps

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const maxPublicPath = 200 // bytes
var errPublicPath = fieldError("Write one path in a line, such as /health or /assets/*. A path has no query, and * only at its end after a slash.")

// ParsePublicPaths parses patterns of public paths, one in a line: an exact path, or one
// that ends in /* and matches everything below it. The error is a message for the field.
func ParsePublicPaths(s string) ([]string, error) {
	var patterns []string
	for line := range strings.Lines(s) {
		pattern := strings.TrimSpace(line)
		if pattern == "" || slices.Contains(patterns, pattern) {
			continue
		}
		prefix := strings.TrimSuffix(pattern, "/*")
		if pattern != "/*" && (!strings.HasPrefix(pattern, "/") || len(pattern) > maxPublicPath || strings.ContainsAny(prefix, "*?#%") || !isPlainPath(pattern)) {
			return nil, errPublicPath
		}
		patterns = append(patterns, pattern)
	}
	if len(patterns) > MaxPublicPaths {
		return nil, fieldError(fmt.Sprintf("Use at most %d public paths.", MaxPublicPaths))
	}
	return patterns, nil
}

// IsPublic reports whether a request target is open to everyone. target is as the browser
// sent it, undecoded; its query doesn't count. A path that servers may understand in
// different ways is never public: one with an encoded slash, backslash, dot or NUL, a
// backslash, an empty or dot segment, a semicolon, or an invalid escape.
func (a App) IsPublic(target string) bool {
	if len(a.PublicPaths) == 0 {
		return false
	}
	raw, _, _ := strings.Cut(target, "?")
	if hasAmbiguousEscape(raw) || strings.Contains(raw, "#") {
		return false
	}
	path, err := url.PathUnescape(raw)
	if err != nil || !isPlainPath(path) {
		return false
	}
	return slices.ContainsFunc(a.PublicPaths, func(pattern string) bool {
		if below, found := strings.CutSuffix(pattern, "*"); found {
			return strings.HasPrefix(path, below)
		}
		return path == pattern
	})
}

// hasAmbiguousEscape reports whether a path has an escape that changes its structure once
// decoded, or that another server decodes a second time.
func hasAmbiguousEscape(raw string) bool {
	lower := strings.ToLower(raw)
	for _, escape := range []string{"%2f", "%5c", "%00", "%2e", "%25", "%3b", "%23", "%3f"} {
		if strings.Contains(lower, escape) {
			return true
		}
	}
	return false
}

// isPlainPath reports whether a decoded path begins with a slash and has neither empty nor
// dot segments, nor characters that servers treat in different ways.
func isPlainPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "\\;") || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
		return false
	}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		if segment == "." || segment == ".." || segment == "" && i < len(segments)-1 {
			return false
		}
	}
	return true
}

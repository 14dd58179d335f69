package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/openid"
)

// readForm returns the fields of a posted form. It ignores the query.
func readForm(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, bodyError(err, errBadForm)
	}
	return r.PostForm, nil
}

// readJSONBody reads a body of type application/json.
func readJSONBody(r *http.Request) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, errContentType
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bodyError(err, errBadJSON)
	}
	return body, nil
}

// readJSON reads one JSON object into v. Unlike encoding/json, it refuses unknown fields, repeated
// fields, anything after the object, and text that is not UTF-8.
func readJSON(r *http.Request, v any) error {
	body, err := readJSONBody(r)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return errBadJSON
	}
	if err := json.Unmarshal(body, v, json.RejectUnknownMembers(true)); err != nil {
		return errBadJSON
	}
	return nil
}

// bodyError returns errTooLarge if err is about the size of a body, and otherwise the error given.
func bodyError(err, otherwise error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errTooLarge
	}
	return otherwise
}

// maxReturnPath limits the length of a path to return to after signing in.
const maxReturnPath = 512

// returnPages are the pages to return to, besides those below returnSections.
var (
	returnPages    = []string{"/apps", "/users", "/profile", "/activity", "/waiting", "/why", "/groups", openid.VerificationPath}
	returnSections = []string{"/users/", "/imports/", "/groups/", "/apps/", deviceSection}
)

// returnPath returns next if it is the path of one of our pages, and otherwise "". Every redirect
// to a path from a request is checked here: it leads to no other host, however that is spelled, and
// to no API route.
func (s *server) returnPath(next string) string {
	if s.isEnterPath(next) || s.isResumePath(next) {
		return next
	}
	u, err := url.Parse(next)
	switch {
	case err != nil, len(next) > maxReturnPath, u.IsAbs(), u.Host != "", u.User != nil, u.Fragment != "",
		strings.ContainsFunc(next, func(c rune) bool { return c <= ' ' || c == '\\' || c >= 0x7f }): // browsers escape these
		return ""
	case path.Clean(u.Path) != u.Path, strings.Contains(u.Path, "\\"): // a browser resolves "/users/../x"
		return ""
	case !slices.Contains(returnPages, u.Path) && !slices.ContainsFunc(returnSections, func(prefix string) bool { return strings.HasPrefix(u.Path, prefix) }):
		return ""
	}
	return u.RequestURI()
}

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
)

// readForm reads a posted form. Only the body counts, never the query.
func readForm(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, bodyError(err, errBadForm)
	}
	return r.PostForm, nil
}

// readJSONBody reads a body that calls itself JSON.
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

// readJSON reads a body of one JSON object into v, strictly: no unknown fields,
// no field twice, nothing behind it, UTF-8 (encoding/json lets all of these
// pass; the package used here is its successor).
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

func bodyError(err, otherwise error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return errTooLarge
	}
	return otherwise
}

// maxReturnPath is the longest address that a person is brought back to.
const maxReturnPath = 512

// returnPages are the pages that a person may be brought back to, besides those of one
// user or import.
var returnPages = []string{"/users", "/profile", "/activity", "/waiting", "/why"}

// returnPath returns the page that a person is to come back to if it is one of
// ours, else nothing. It is where redirects by input are decided, all of them:
// a path here, no other host however it is spelt, and no program's route.
func (s *server) returnPath(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil, len(next) > maxReturnPath, u.IsAbs(), u.Host != "", u.User != nil, u.Fragment != "",
		strings.ContainsFunc(next, func(c rune) bool { return c <= ' ' || c == '\\' || c >= 0x7f }): // browsers escape these
		return ""
	case path.Clean(u.Path) != u.Path, strings.Contains(u.Path, "\\"): // "/users/../x" is another page to a browser
		return ""
	case !slices.Contains(returnPages, u.Path) && !strings.HasPrefix(u.Path, "/users/") && !strings.HasPrefix(u.Path, "/imports/"):
		return ""
	}
	return u.RequestURI()
}

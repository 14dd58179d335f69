package stytchlocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody is the largest request body taken, in bytes.
const maxBody = 1 << 20

// meta is in every answer, good or bad.
type meta struct {
	StatusCode int    `json:"status_code"`
	RequestID  string `json:"request_id"`
}

func (m *meta) setMeta(status int, requestID string) { m.StatusCode, m.RequestID = status, requestID }

// response is a body that embeds meta. The SDKs refuse an empty body, so every call
// has one.
type response interface {
	setMeta(status int, requestID string)
}

// errorBody is the body of an error.
type errorBody struct {
	meta
	ErrorType    string `json:"error_type"`
	ErrorMessage string `json:"error_message"`
	ErrorURL     string `json:"error_url"`
}

// apiError is an error with a name of Stytch's, ready to be answered.
type apiError struct {
	status     int
	kind       string // Stytch's error_type
	message    string
	retryAfter time.Duration // for a 429
	allow      string        // for a 405
}

func (e *apiError) Error() string { return e.kind + ": " + e.message }

// write sends an answer with its status.
func write(w http.ResponseWriter, status int, requestID string, a response) {
	a.setMeta(status, requestID)
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(a) // the caller may be gone: nothing to be done about it
}

// writeError answers an API error.
func writeError(w http.ResponseWriter, requestID string, e *apiError) {
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.retryAfter+time.Second-1)/time.Second)))
	}
	if e.allow != "" {
		w.Header().Set("Allow", e.allow)
	}
	write(w, e.status, requestID, &errorBody{
		ErrorType:    e.kind,
		ErrorMessage: e.message,
		ErrorURL:     fmt.Sprintf("https://stytch.com/docs/api/errors/%d#%s", e.status, e.kind),
	})
}

// decode reads a JSON object into into. No body at all is an empty object; fields
// that into doesn't know are ignored, as Stytch does.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return badRequest("The request body is larger than 1 MiB.")
	case err != nil:
		return badRequest("The request body could not be read.")
	case !utf8.Valid(body):
		return badRequest("The request body is not UTF-8.")
	case strings.TrimSpace(string(body)) == "":
		return nil
	}
	err = json.Unmarshal(body, into)
	var wrongType *json.UnmarshalTypeError
	var named *apiError
	switch {
	case errors.As(err, &named):
		return named
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return badRequest("Field " + wrongType.Field + " has the wrong type.")
	case errors.As(err, &wrongType):
		return badRequest("The request body must be a JSON object.")
	case err != nil:
		return badRequest("The request body is not valid JSON.")
	}
	return nil
}

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

const maxBody = 1 << 20

// meta is part of every response, successful or not.
type meta struct {
	StatusCode int    `json:"status_code"`
	RequestID  string `json:"request_id"`
}

func (m *meta) setMeta(status int, requestID string) { m.StatusCode, m.RequestID = status, requestID }

// response is a body that embeds meta. Every call has one: the SDKs reject an empty body.
type response interface {
	setMeta(status int, requestID string)
}

type errorResponse struct {
	meta
	ErrorType    string `json:"error_type"`
	ErrorMessage string `json:"error_message"`
	ErrorURL     string `json:"error_url"`
}

func write(w http.ResponseWriter, status int, requestID string, res response) {
	res.setMeta(status, requestID)
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(res)
}

func writeError(w http.ResponseWriter, requestID string, e *apiError) {
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.retryAfter+time.Second-1)/time.Second)))
	}
	if e.allow != "" {
		w.Header().Set("Allow", e.allow)
	}
	write(w, e.status, requestID, &errorResponse{
		ErrorType:    e.kind,
		ErrorMessage: e.message,
		ErrorURL:     fmt.Sprintf("https://stytch.com/docs/api/errors/%d#%s", e.status, e.kind),
	})
}

// decode reads a JSON object. An empty body is an empty object. Like Stytch, it ignores
// unknown fields.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
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
	var known *apiError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return badRequest("Field " + wrongType.Field + " has the wrong type.")
	case errors.As(err, &wrongType):
		return badRequest("The request body must be a JSON object.")
	case err != nil:
		return badRequest("The request body is not valid JSON.")
	}
	return nil
}

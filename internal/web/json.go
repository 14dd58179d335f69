package web

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/idempotency"
)

const jsonType = "application/json; charset=utf-8"

// jsonError is the body of every error response.
type jsonError struct {
	Error  string            `json:"error"`
	Code   string            `json:"code,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
}

type jsonMessage struct {
	Message string `json:"message"`
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	writeResponse(w, status, jsonType, encodeJSON(v))
}

// encodeJSON returns a plain struct or map as one line of JSON.
func encodeJSON(v any) []byte {
	b, _ := json.Marshal(v, json.Deterministic(true)) // plain values can be encoded
	return append(b, '\n')
}

// marshalResponse returns the response that writeJSON would write.
func marshalResponse(status int, v any) idempotency.Response {
	return idempotency.Response{Status: status, Body: string(encodeJSON(v))}
}

// writeResponse writes a whole response.
func writeResponse(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

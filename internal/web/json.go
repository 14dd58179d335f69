package web

import (
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/idempotency"
)

const jsonType = "application/json; charset=utf-8"

// jsonError is the body of every refusal.
type jsonError struct {
	Error  string            `json:"error"`
	Fields map[string]string `json:"fields,omitempty"`
}

type jsonMessage struct {
	Message string `json:"message"`
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	b := newBuffer()
	defer buffers.Put(b)
	_ = json.MarshalWrite(b, v, json.Deterministic(true)) // plain structs into a buffer
	b.WriteByte('\n')
	writeResponse(w, r, status, jsonType, b)
}

// marshalResponse is what writeJSON would write, to be kept.
func marshalResponse(status int, v any) idempotency.Response {
	b, _ := json.Marshal(v, json.Deterministic(true)) // plain structs
	return idempotency.Response{Status: status, Body: string(b) + "\n"}
}

package web

import (
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/idempotency"
)

const jsonType = "application/json; charset=utf-8"

// jsonProblem is the body of every refusal.
type jsonProblem struct {
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
	send(w, r, status, jsonType, b)
}

// jsonAnswer is what writeJSON would write, to be kept.
func jsonAnswer(status int, v any) idempotency.Answer {
	b, _ := json.Marshal(v, json.Deterministic(true)) // plain structs
	return idempotency.Answer{Status: status, Body: string(b) + "\n"}
}

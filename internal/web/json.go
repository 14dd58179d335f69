package web

import (
	"net/http"

	"github.com/go-json-experiment/json"
)

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
	_ = json.MarshalWrite(b, v) // plain structs into a buffer
	b.WriteByte('\n')
	send(w, r, status, "application/json; charset=utf-8", b)
}

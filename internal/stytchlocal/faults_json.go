package stytchlocal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxFaults is the largest body of faults taken, in bytes.
const maxFaults = 64 << 10

// getFaults answers what is in force.
func (s *Server) getFaults(w http.ResponseWriter, r *http.Request) {
	writeDevJSON(w, http.StatusOK, s.faults())
}

// putFaults replaces all that is in force and answers what is then. An empty
// object ends everything.
func (s *Server) putFaults(w http.ResponseWriter, r *http.Request) {
	var f faultConfig
	problem := decodeStrictly(http.MaxBytesReader(w, r.Body, maxFaults), &f)
	if problem == "" {
		problem = f.check(s.opts.Program != nil)
	}
	if problem != "" {
		writeDevJSON(w, http.StatusBadRequest, map[string]string{"error": problem})
		return
	}
	s.setFaults(f)
	writeDevJSON(w, http.StatusOK, s.faults())
}

// UnmarshalJSON reads a rule. Its own decoder, because a share that is missing is
// the whole, has to be told to be strict again.
func (r *faultRule) UnmarshalJSON(text []byte) error {
	type plain faultRule
	p := plain{Share: 1}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&p)
	*r = faultRule(p)
	return err
}

// decodeStrictly reads one JSON value and nothing after it. It returns a sentence
// if it can't be read, or holds a field that into lacks.
func decodeStrictly(body io.Reader, into any) string {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return "There must be one JSON object and nothing after it."
		}
		return ""
	}
	var wrongType *json.UnmarshalTypeError
	unknown, isUnknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case isUnknown:
		return "There is no field " + unknown + "."
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return "Field " + wrongType.Field + " can't be a JSON " + wrongType.Value + "."
	}
	return "The body is not a JSON object of faults."
}

func writeDevJSON(w http.ResponseWriter, status int, body any) {
	pageHeaders(w)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // the caller may be gone: nothing to be done about it
}

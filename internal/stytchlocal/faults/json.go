package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/pages"
)

const maxBody = 64 << 10

func (i *Injector) getJSON(w http.ResponseWriter, _ *http.Request) {
	pages.WriteJSON(w, http.StatusOK, i.config())
}

// putJSON replaces all faults and responds with those in force. An empty object ends
// every fault.
func (i *Injector) putJSON(w http.ResponseWriter, r *http.Request) {
	var c config
	err := decodeStrictly(http.MaxBytesReader(w, r.Body, maxBody), &c)
	if err == nil {
		err = i.set(c)
	}
	if err != nil {
		pages.WriteJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	i.getJSON(w, r)
}

// UnmarshalJSON sets the default of Share. Its own decoder must also refuse
// unknown fields.
func (r *rule) UnmarshalJSON(text []byte) error {
	type plain rule
	p := plain{Share: 1}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&p)
	*r = rule(p)
	return err
}

// decodeStrictly reads exactly one JSON value without unknown fields. The error is a
// sentence for the user.
func decodeStrictly(body io.Reader, into any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return invalidInput("The body must be one JSON object with nothing after it.")
		}
		return nil
	}
	var wrongType *json.UnmarshalTypeError
	field, isUnknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case isUnknown:
		return invalidInput("There is no field " + field + ".")
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return invalidInput("Field " + wrongType.Field + " can't be a JSON " + wrongType.Value + ".")
	}
	return invalidInput("The body is not a JSON object of faults.")
}

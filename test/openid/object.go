package openid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// object is a JSON object. Its numbers are of type json.Number.
type object map[string]any

// parseObject parses a JSON object and nothing after it.
func parseObject(text []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var o object
	if err := decoder.Decode(&o); err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errors.New("null is no object")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the object")
	}
	return o, nil
}

// has reports whether there is a member with this name.
func (o object) has(name string) bool {
	_, ok := o[name]
	return ok
}

// text returns a string, or "" if the member is missing or of another type.
func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

// integer returns a whole number; ok is false if the member is missing or something else.
func (o object) integer(name string) (n int64, ok bool) {
	number, ok := o[name].(json.Number)
	if !ok {
		return 0, false
	}
	n, err := number.Int64()
	return n, err == nil
}

// boolean returns a boolean, or otherwise if the member is missing or of another type.
func (o object) boolean(name string, otherwise bool) bool {
	b, ok := o[name].(bool)
	if !ok {
		return otherwise
	}
	return b
}

// list returns an array of strings; ok is false if the member is missing or something else.
func (o object) list(name string) (values []string, ok bool) {
	elements, ok := o[name].([]any)
	if !ok {
		return nil, false
	}
	for _, element := range elements {
		value, ok := element.(string)
		if !ok {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

// answer is the answer to a request of a client.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request of a client.
func (r *run) do(request *http.Request) answer {
	response, err := r.http.Do(request)
	r.must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	r.must(err)
	return answer{response.StatusCode, response.Header, body}
}

// checkJSON fails the module unless the answer's media type is JSON.
func (r *run) checkJSON(what string, a answer) {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		r.fail("%s: Content-Type %q, want application/json", what, a.header.Get("Content-Type"))
	}
}

// get requests an address.
func (r *run) get(address string) answer {
	request, err := http.NewRequestWithContext(r.ctx, http.MethodGet, address, nil)
	r.must(err)
	return r.do(request)
}

// String returns what a report shows of an answer.
func (a answer) String() string {
	return fmt.Sprintf("status %d, %.300s", a.status, a.body)
}

package web

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/guestlist/guestlist/internal/directory"
)

// optional is a string field of a JSON object that tells missing from null. The zero value is
// missing.
type optional struct {
	given, null bool
	text        string
}

// UnmarshalJSONFrom reads a string or null.
func (o *optional) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	o.given, o.null = true, d.PeekKind() == 'n'
	return json.UnmarshalDecode(d, &o.text)
}

// edit returns nil if the field is missing, and the empty string for null.
func (o optional) edit() *string {
	if !o.given {
		return nil
	}
	return &o.text
}

// optionalValue is a field of a JSON object that tells missing from null. The zero value is missing.
type optionalValue[T any] struct {
	given, null bool
	value       T
}

// UnmarshalJSONFrom reads a value or null.
func (o *optionalValue[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	o.given, o.null = true, d.PeekKind() == 'n'
	return json.UnmarshalDecode(d, &o.value)
}

// asText returns the field for refuseNull.
func (o optionalValue[T]) asText() optional { return optional{given: o.given, null: o.null} }

// refuseNull returns an error that names the fields that are null.
func refuseNull(fields map[string]optional) error {
	refused := map[string]string{}
	for name, field := range fields {
		if field.null {
			refused[name] = "This field can't be null. Leave it out instead."
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return &directory.ValidationError{Fields: refused}
}

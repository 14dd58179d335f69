package directory

import (
	"strings"

	"github.com/guestlist/guestlist/internal/text"
)

// Email is an address that has passed ParseEmail.
type Email struct {
	Display    string // as typed, without surrounding space and invisible characters
	Normalized string // what it is compared by and sent to: lower-cased, the domain in ASCII
}

// String returns the address as typed.
func (e Email) String() string { return e.Display }

// Domain is the part behind the @ in its compared form.
func (e Email) Domain() string {
	_, domain, _ := strings.Cut(e.Normalized, "@")
	return domain
}

// Mailbox is the compared form without a tag: many mail servers deliver
// name+tag@example.com to name@example.com
// (https://www.rfc-editor.org/rfc/rfc5233#section-1). An address that begins with
// the plus sign is its own.
func (e Email) Mailbox() string {
	local, domain, _ := strings.Cut(e.Normalized, "@")
	if name, _, tagged := strings.Cut(local, "+"); tagged && name != "" {
		local = name
	}
	return local + "@" + domain
}

// MaxEmail is the length of the longest address, in bytes.
const MaxEmail = text.MaxAddress

// errEmail is what people read beside the field.
const errEmail = fieldError("Enter one e-mail address, like ada@example.com.")

// ParseEmail reads one address by the grammar of text.ParseAddress. The error is
// a sentence for the field.
func ParseEmail(s string) (Email, error) {
	typed, key, ok := text.ParseAddress(s)
	if !ok {
		return Email{}, errEmail
	}
	return Email{Display: typed, Normalized: key}, nil
}

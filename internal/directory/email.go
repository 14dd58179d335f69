package directory

import (
	"strings"

	"github.com/guestlist/guestlist/internal/text"
)

// Email is an address that has passed ParseEmail.
type Email struct {
	Display    string // as typed, without surrounding space and invisible characters
	Normalized string // compared and sent to: lower case, the domain in ASCII
}

// String returns the address as typed.
func (e Email) String() string { return e.Display }

// Domain returns the part after the @, normalized.
func (e Email) Domain() string {
	_, domain, _ := strings.Cut(e.Normalized, "@")
	return domain
}

// Mailbox returns the normalized address without a tag: many mail servers deliver
// name+tag@example.com to name@example.com (https://www.rfc-editor.org/rfc/rfc5233#section-1).
// An address that begins with the plus sign is returned as it is.
func (e Email) Mailbox() string {
	local, domain, _ := strings.Cut(e.Normalized, "@")
	if name, _, tagged := strings.Cut(local, "+"); tagged && name != "" {
		local = name
	}
	return local + "@" + domain
}

// MaxEmail is the maximum length of an address in bytes.
const MaxEmail = text.MaxAddress

// ParseEmail parses one address by the grammar of text.ParseAddress. The error is a
// message for the field.
func ParseEmail(s string) (Email, error) {
	typed, key, ok := text.ParseAddress(s)
	if !ok {
		return Email{}, fieldError("Enter one email address, like ada@example.com.")
	}
	return Email{Display: typed, Normalized: key}, nil
}

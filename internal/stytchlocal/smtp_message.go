package stytchlocal

import (
	"fmt"

	gomail "github.com/wneessen/go-mail"
)

// message writes a mail as it travels: what a relay signs by DKIM and a spam
// filter looks for is there, from the start and in one form. The library encodes
// names and subject, breaks no line later than it may, and refuses a header that
// would become two.
func (m *SMTP) message(letter Mail) (*gomail.Msg, error) {
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	out.FromMailAddress(m.from)
	if err := out.To(letter.To); err != nil {
		return nil, fmt.Errorf("smtp: recipient: %w", err)
	}
	out.SetMessageIDWithValue(letter.ID + "@" + m.domain())
	out.SetDateWithValue(letter.Date)
	out.SetGenHeader("Auto-Submitted", "auto-generated") // answered by no out-of-office notice: RFC 3834
	out.Subject(letter.Subject)
	out.SetBodyString(gomail.TypeTextPlain, letter.Text)
	out.AddAlternativeString(gomail.TypeTextHTML, letter.HTML)
	return out, nil
}

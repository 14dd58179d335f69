package mail

import "time"

// Code is an email with a passcode.
type Code struct {
	To       string        // the recipient's address
	Name     string        // the recipient's name; may be empty
	Code     string        // six digits
	Lifetime time.Duration // how long the code works
}

// Message returns the email. Product is the name of the program in its text. The subject
// begins with the code, so that a notification shows it; the body has it in one piece, so
// that it can be copied.
func (c Code) Message(product string, now time.Time) (Message, error) {
	d := data{
		Title: c.Code[:3] + " " + c.Code[3:] + " is your %s sign-in code", To: c.To, Code: c.Code,
		Lead:       "It works once and expires in " + formatLifetime(c.Lifetime) + ".",
		Unexpected: "Didn’t request this? You can ignore this email: no one can sign in without the code.",
	}
	return d.message("code", c.Name, product, now)
}

package session

import "github.com/guestlist/guestlist/internal/directory"

// DiagnosisJSON is the result of Service.Diagnose as programs see it, in the API and on the command line.
type DiagnosisJSON struct {
	Email     string              `json:"email"`
	User      *directory.UserJSON `json:"user"` // null if no user has the address
	CanSignIn bool                `json:"can_sign_in"`
	Findings  []FindingJSON       `json:"findings"`
}

// FindingJSON is a Finding as programs see it.
type FindingJSON struct {
	Code   string `json:"code"`
	Blocks bool   `json:"blocks"`
	Text   string `json:"text"`
	Action string `json:"action"`
}

// NewDiagnosisJSON converts what Service.Diagnose returned for an address.
func NewDiagnosisJSON(email directory.Email, found *directory.User, findings []Finding) DiagnosisJSON {
	d := DiagnosisJSON{Email: email.Normalized, CanSignIn: true}
	if found != nil {
		u := directory.NewUserJSON(*found)
		d.User = &u
	}
	for _, f := range findings {
		d.CanSignIn = d.CanSignIn && !f.Blocks
		d.Findings = append(d.Findings, FindingJSON{f.Code, f.Blocks, f.Text, f.Action})
	}
	return d
}

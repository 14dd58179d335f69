package apps

import "time"

// RequestJSON is a request as programs see it: in the API and on the command line.
type RequestJSON struct {
	ID        string          `json:"id"`
	State     RequestState    `json:"state"`
	App       RequestAppJSON  `json:"app"`
	User      RequestUserJSON `json:"user"`
	Note      string          `json:"note"`
	CreatedAt time.Time       `json:"created_at"`
	DecidedAt *time.Time      `json:"decided_at"` // null while it is pending
	DecidedBy *string         `json:"decided_by"` // id of an administrator; null while it is pending, and for the command line
	Reason    string          `json:"reason"`     // why it was denied; may be empty
}

// RequestAppJSON is the app of a request.
type RequestAppJSON struct {
	ID     string   `json:"id"`
	Name   string   `json:"name"`
	Groups []string `json:"groups"` // names of the groups that open it
}

// RequestUserJSON is the user of a request.
type RequestUserJSON struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// NewRequestJSON converts a request.
func NewRequestJSON(r Request) RequestJSON {
	j := RequestJSON{
		ID: r.ID, State: r.State, Note: r.Note, CreatedAt: r.CreatedAt, Reason: r.Reason,
		App:  RequestAppJSON{ID: r.App.ID, Name: r.App.Name, Groups: []string{}},
		User: RequestUserJSON{ID: r.User.ID, Name: r.User.Name, Email: r.User.Email.Display},
	}
	for _, g := range r.App.Groups {
		j.App.Groups = append(j.App.Groups, g.Name)
	}
	if at := r.DecidedAt; !at.IsZero() {
		j.DecidedAt = &at
	}
	if by := r.DecidedBy; by != "" {
		j.DecidedBy = &by
	}
	return j
}

package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

// usersPage is the list.
type usersPage struct {
	layoutData
	Q, Role, Status, Sort string // what is asked for
	Errors                map[string]string
	Columns               []column
	Rows                  []userRow
	Total                 int
	More                  bool // than Total
	ByWord                bool // a search found too many to sort or count
	Filtered              bool // by search, role or status
	Stuck                 bool // a call to Stytch did not succeed at once
	PrevURL, NextURL      string
	Exported              string // the query that exports what is shown, on all pages
	PrevLabel, NextLabel  string
	Form                  inviteForm // in the dialog
	InviteLifetime        time.Duration
}

// column is a heading that sorts.
type column struct {
	Label, URL string
	Order      string // as aria-sort has it: ascending, descending, none
}

func (s *server) showUsers(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	view := usersPage{
		layoutData: s.sectionLayout(w, r, "People", "users"), Q: v.Get("q"), Role: v.Get("role"), Status: v.Get("status"),
		InviteLifetime: s.opts.InviteDuration,
	}
	view.List = newListState(v)
	view.Filtered = view.Q != "" || view.Role != "" || view.Status != ""
	query, err := s.queryFromRequest(v)
	var list directory.Page
	if err == nil {
		list, err = s.opts.Directory.ListUsers(r.Context(), query)
	}
	var invalid *directory.ValidationError
	if errors.As(err, &invalid) {
		view.Errors = invalid.Fields
		return s.render(w, r, http.StatusUnprocessableEntity, "users", view)
	}
	if err != nil {
		return err
	}
	jobs, err := s.opts.Directory.ListInviteJobs(r.Context(), list.Users)
	if err != nil {
		return err
	}
	if view.Stuck, err = s.opts.Directory.HasStuckJobs(r.Context()); err != nil {
		return err
	}
	view.Rows, view.Total, view.More, view.ByWord, view.Sort = s.userRows(list.Users, jobs, view.List), list.Total, list.More, list.RelevanceOrder, string(query.Sort)
	view.Columns, view.Exported = columns(v, query.Sort), listURL(v, map[string]string{"cursor": "", "limit": ""})
	if list.RelevanceOrder {
		view.Columns = columns(v, "") // none of them sorts it
	}
	view.PrevLabel, view.NextLabel = pagerLabels(query, list)
	view.NextURL = withCursor(v, s.sealCursor(query.Sort, list.Next, false))
	view.PrevURL = withCursor(v, s.sealCursor(query.Sort, list.Prev, true))
	return s.render(w, r, http.StatusOK, "users", view)
}

// pagerLabels are the words of the links to the page before and the next. Where
// a page was cut because enough was looked at for once, nobody knows whether there
// is another, and the link does not promise one.
func pagerLabels(query directory.Query, list directory.Page) (prev, next string) {
	prev, next = "← Previous", "Next →"
	switch cut := list.RelevanceOrder && len(list.Users) < query.Limit; {
	case cut && query.Backward:
		prev = "← Look further"
	case cut:
		next = "Look further →"
	}
	return prev, next
}

// columns are the headings; one that sorts already turns the order round.
func columns(v url.Values, current directory.Sort) []column {
	all := []struct {
		label string
		sort  directory.Sort
	}{{"Name", directory.ByName}, {"Address", directory.ByEmail}, {"Added", directory.ByCreated}, {"Last seen", directory.ByLastSeen}}
	columns := make([]column, len(all))
	for i, c := range all {
		next, order := c.sort, "none"
		switch current {
		case c.sort:
			next, order = c.sort.Reverse(), "ascending"
		case c.sort.Reverse():
			order = "descending"
		}
		columns[i] = column{Label: c.label, URL: listURL(v, map[string]string{"sort": string(next), "cursor": ""}), Order: order}
	}
	return columns
}

func withCursor(v url.Values, cursor string) string {
	if cursor == "" {
		return ""
	}
	return listURL(v, map[string]string{"cursor": cursor})
}

// listURL is the list's own, asking for what v asks for but for the changes;
// what is empty is left out.
func listURL(v url.Values, changes map[string]string) string {
	q := url.Values{}
	for _, name := range []string{"q", "role", "status", "sort", "limit", "cursor"} {
		value, changed := changes[name]
		if !changed {
			value = v.Get(name)
		}
		if value != "" {
			q.Set(name, value)
		}
	}
	return "?" + q.Encode()
}

// inviteForm is what was typed to invite somebody.
type inviteForm struct {
	Email, Name, Role string
	Errors            map[string]string // beside the fields
}

// invitePage is the form on a page of its own: for browsers without scripts, and
// to show what is wrong with it.
type invitePage struct {
	layoutData
	Form           inviteForm
	InviteLifetime time.Duration
}

func (s *server) showInvite(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	return s.inviteForm(w, r, http.StatusOK, inviteForm{Email: typed.Get("email"), Name: typed.Get("name"), Role: typed.Get("role")})
}

func (s *server) inviteForm(w http.ResponseWriter, r *http.Request, status int, form inviteForm) error {
	view := invitePage{layoutData: s.sectionLayout(w, r, "Invite people", "users"), Form: form, InviteLifetime: s.opts.InviteDuration}
	return s.render(w, r, status, "invite", view)
}

func (s *server) inviteUser(w http.ResponseWriter, r *http.Request) error {
	posted, err := readForm(r)
	if err != nil {
		return err
	}
	form := inviteForm{Email: posted.Get("email"), Name: posted.Get("name"), Role: posted.Get("role")}
	u, err := s.opts.Directory.Invite(r.Context(), actorOf(r), directory.UserInput{Email: form.Email, Name: form.Name, Role: form.Role})
	var invalid *directory.ValidationError
	switch {
	case errors.As(err, &invalid):
		form.Errors = invalid.Fields
		return s.inviteForm(w, r, http.StatusUnprocessableEntity, form)
	case errors.Is(err, directory.ErrEmailTaken):
		form.Errors = map[string]string{"email": "This address is on the list already."}
		return s.inviteForm(w, r, http.StatusConflict, form)
	case err != nil:
		return err
	}
	return s.inviteRedirect(w, r, "/users"+listStateOf(r).Back(), u)
}

// inviteRedirect goes on to a page and says there whether the mail has left.
func (s *server) inviteRedirect(w http.ResponseWriter, r *http.Request, path string, u directory.User) error {
	state, err := s.loadInvitation(r, u)
	if err != nil {
		return err
	}
	if !state.Pending && !state.Refused {
		return s.redirectWithMessage(w, r, path, "Invitation sent to "+u.Email.Display+".")
	}
	message := u.Email.Display + " is on the list, but the mail has not left yet. " + state.Reason
	if state.Pending {
		message += " It will be tried again by itself."
	}
	return s.redirectWith(w, r, path, session.Message{Text: message, Warning: true})
}

// loadInvitation says how it stands with a person's invitation.
func (s *server) loadInvitation(r *http.Request, u directory.User) (directory.Invitation, error) {
	jobs, err := s.opts.Directory.ListJobs(r.Context(), u.Email)
	return u.Invitation(jobs, s.opts.InviteDuration, s.opts.Now()), err
}

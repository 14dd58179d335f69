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
	Q, Role, Status, Sort string // as requested
	Errors                map[string]string
	Columns               []column
	Rows                  []userRow
	Total                 int
	More                  bool // there are more than Total
	ByWord                bool // a search matched too many to sort or count
	Filtered              bool // by search, role or status
	Stuck                 bool // an outbox job failed at least once
	PrevURL, NextURL      string
	Exported              string // query of the export links, for all pages
	PrevLabel, NextLabel  string
	Form                  inviteForm // of the dialog
	InviteLifetime        time.Duration
}

// column is a heading that sorts.
type column struct {
	Label, URL string
	Order      string // for aria-sort: ascending, descending or none
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
	if invalid := invalidFields(err); invalid != nil {
		view.Errors = invalid
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
	if view.Form.Choices, err = s.groupChoices(r, nil); err != nil {
		return err
	}
	view.Rows = s.userRows(list.Users, jobs, view.List)
	view.Total, view.More, view.ByWord = list.Total, list.More, list.RelevanceOrder
	view.Sort = string(query.Sort)
	view.Columns = columns(v, query.Sort)
	if list.RelevanceOrder {
		view.Columns = columns(v, "") // results are in order of relevance
	}
	view.Exported = listURL(v, map[string]string{"cursor": "", "limit": ""})
	view.PrevLabel, view.NextLabel = pagerLabels(query, list)
	view.NextURL = withCursor(v, s.sealCursor(query.Sort, list.Next, false))
	view.PrevURL = withCursor(v, s.sealCursor(query.Sort, list.Prev, true))
	return s.render(w, r, http.StatusOK, "users", view)
}

// pagerLabels returns the labels of the links to the previous and next page. If a search stopped
// early, there may be no further matches, so the label doesn't promise a page.
func pagerLabels(query directory.Query, list directory.Page) (prev, next string) {
	prev, next = "← Previous", "Next →"
	switch cut := list.RelevanceOrder && len(list.Users) < query.Limit; {
	case cut && query.Backward:
		prev = "← Keep looking"
	case cut:
		next = "Keep looking →"
	}
	return prev, next
}

// columns returns the headings. The current one reverses the order.
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

// listURL returns the list's query with changes to some parameters. Empty ones are left out.
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

// inviteForm is what was typed to invite someone.
type inviteForm struct {
	Email, Name, Role string
	Choices           groupChoices
	Until             string            // last day of a guest; empty for no end
	Errors            map[string]string // by field
}

// invitePage has the form on a page of its own, for browsers without scripts and to show errors.
type invitePage struct {
	layoutData
	Form           inviteForm
	InviteLifetime time.Duration
}

func (s *server) showInvite(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	return s.inviteForm(w, r, http.StatusOK, readInviteForm(typed), typed)
}

// readInviteForm returns the form as typed, without its choices.
func readInviteForm(form url.Values) inviteForm {
	return inviteForm{Email: form.Get("email"), Name: form.Get("name"), Role: form.Get("role"), Until: form.Get("until")}
}

// inviteForm shows the form. typed has the chosen groups.
func (s *server) inviteForm(w http.ResponseWriter, r *http.Request, status int, form inviteForm, typed url.Values) error {
	var err error
	if form.Choices, err = s.groupChoices(r, typed["groups"]); err != nil {
		return err
	}
	form.Choices.Names = typed.Get("group_names")
	view := invitePage{layoutData: s.sectionLayout(w, r, "Invite people", "users"), Form: form, InviteLifetime: s.opts.InviteDuration}
	return s.render(w, r, status, "invite", view)
}

func (s *server) inviteUser(w http.ResponseWriter, r *http.Request, form url.Values) error {
	view := readInviteForm(form)
	groups, err := s.chosenGroups(r, form)
	if err == nil && view.Until != "" && len(groups) == 0 {
		err = &directory.ValidationError{Fields: map[string]string{"until": "Choose the groups this date is for, or leave it empty."}}
	}
	var u directory.User
	if err == nil {
		u, err = s.opts.Directory.Invite(r.Context(), actorOf(r), directory.UserInput{Email: view.Email, Name: view.Name, Role: view.Role, Groups: groups, Until: view.Until})
	}
	invalid := invalidFields(err)
	switch {
	case invalid != nil:
		view.Errors = invalid
		return s.inviteForm(w, r, http.StatusUnprocessableEntity, view, form)
	case errors.Is(err, directory.ErrEmailTaken):
		view.Errors = map[string]string{"email": "This address is already on the list."}
		return s.inviteForm(w, r, http.StatusConflict, view, form)
	case err != nil:
		return err
	}
	return s.inviteRedirect(w, r, "/users"+listStateOf(r).Back(), u)
}

// inviteRedirect redirects to a page that says whether the invitation was sent.
func (s *server) inviteRedirect(w http.ResponseWriter, r *http.Request, path string, u directory.User) error {
	state, err := s.loadInvitation(r, u)
	if err != nil {
		return err
	}
	if !state.Pending && !state.Refused {
		return s.redirectWithMessage(w, r, path, "Invitation sent to "+u.Email.Display+".")
	}
	message := u.Email.Display + " was added, but the email hasn’t been sent yet. " + state.Reason
	if state.Pending {
		message += " We’ll keep trying."
	}
	return s.redirectWith(w, r, path, session.Message{Text: message, Warning: true})
}

// loadInvitation returns the state of a user's invitation.
func (s *server) loadInvitation(r *http.Request, u directory.User) (directory.Invitation, error) {
	jobs, err := s.opts.Directory.ListJobs(r.Context(), u.Email)
	return u.Invitation(jobs, s.opts.InviteDuration, s.opts.Now()), err
}

package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
)

// maxGroupRows is the number of groups or members on a page.
const maxGroupRows = 100

// maxEndingRows is the number of memberships in the list of those that end soon.
const maxEndingRows = 20

// groupsPage lists the groups.
type groupsPage struct {
	layoutData
	Groups  []directory.Group
	Ending  []membershipRow // that end within a week, or ended in the last
	Name    string          // of the form
	Errors  map[string]string
	NextURL string
	Paged   bool // this isn't the first page
}

func (s *server) showGroups(w http.ResponseWriter, r *http.Request) error {
	typed, _ := s.draft(w, r)
	return s.groupsPage(w, r, http.StatusOK, groupsPage{Name: typed.Get("name")})
}

func (s *server) groupsPage(w http.ResponseWriter, r *http.Request, status int, view groupsPage) error {
	view.layoutData = s.sectionLayout(w, r, "Groups", "groups")
	after := r.URL.Query().Get("after")
	view.Paged = after != ""
	list, err := s.opts.Groups.Page(r.Context(), after, maxGroupRows+1)
	if err != nil {
		return err
	}
	if len(list) > maxGroupRows {
		list = list[:maxGroupRows]
		view.NextURL = "?" + url.Values{"after": {list[maxGroupRows-1].Key()}}.Encode()
	}
	view.Groups = list
	if !view.Paged {
		if view.Ending, err = s.endingRows(r); err != nil {
			return err
		}
	}
	return s.render(w, r, status, "groups", view)
}

// endingRows returns the memberships that end soon or have just ended.
func (s *server) endingRows(r *http.Request) ([]membershipRow, error) {
	list, err := s.opts.Groups.Ending(r.Context(), directory.EndWarning, maxEndingRows)
	if err != nil {
		return nil, err
	}
	var rows []membershipRow
	for _, m := range list {
		u := m.User
		row := s.membershipRow(m.Membership)
		row.Title, row.Path, row.Detail = u.DisplayName(), "/users/"+u.ID, m.GroupName
		row.Object = u.DisplayName() + " in " + m.GroupName
		row.Action, row.Back = "/groups/"+m.GroupID+"/members/"+u.ID, "groups"
		rows = append(rows, row)
	}
	return rows, nil
}

func (s *server) createGroup(w http.ResponseWriter, r *http.Request, form url.Values) error {
	view := groupsPage{Name: form.Get("name")}
	g, err := s.opts.Groups.Create(r.Context(), originOf(r), view.Name)
	status, fields := groupFormErrors(err)
	switch {
	case fields != nil:
		view.Errors = fields
		return s.groupsPage(w, r, status, view)
	case err != nil:
		return err
	}
	return s.redirectWithMessage(w, r, "/groups/"+g.ID, g.Name+" was created. Add its members.")
}

// groupFormErrors returns the messages for the fields of a group, and the status to answer with.
// fields is nil for other errors.
func groupFormErrors(err error) (status int, fields map[string]string) {
	switch {
	case errors.Is(err, directory.ErrGroupTaken):
		return http.StatusConflict, map[string]string{"name": "Another group has this name."}
	case errors.Is(err, directory.ErrTooManyGroups):
		return http.StatusConflict, map[string]string{"name": "There are 10,000 groups already. Remove one first."}
	}
	return http.StatusUnprocessableEntity, invalidFields(err)
}

// withGroup passes the group in the route's {id} to a handler.
func (s *server) withGroup(next func(w http.ResponseWriter, r *http.Request, g directory.Group) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		g, err := s.opts.Groups.Get(r.Context(), r.PathValue("id"))
		if err != nil {
			return groupError(err)
		}
		return next(w, r, g)
	}
}

// groupError returns errGroupNotFound for a group that doesn't exist, and otherwise the error given.
func groupError(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return errGroupNotFound
	}
	return err
}

// groupPage shows one group.
type groupPage struct {
	layoutData
	Group   directory.Group
	Name    string // of the form
	Errors  map[string]string
	Members []membershipRow
	NextURL string
	Paged   bool // this isn't the first page of members
	Apps    []apps.App
	Add     addMemberForm
	Failed  failedEnd
}

// addMemberForm is the form that adds a member, as typed.
type addMemberForm struct {
	Who, Until string
	Matches    []directory.User // to choose from, if Who is a name
	Errors     map[string]string
}

func (s *server) showGroup(w http.ResponseWriter, r *http.Request, g directory.Group) error {
	view := groupPage{Group: g, Name: g.Name}
	if typed, ok := s.draft(w, r); ok {
		if typed.Has("name") {
			view.Name = typed.Get("name")
		}
		view.Add = addMemberForm{Who: typed.Get("who"), Until: typed.Get("until")}
	}
	return s.groupPage(w, r, http.StatusOK, view)
}

// groupPage completes the page for view.Group.
func (s *server) groupPage(w http.ResponseWriter, r *http.Request, status int, view groupPage) error {
	g := view.Group
	view.layoutData = s.sectionLayout(w, r, g.Name, "groups")
	after := r.URL.Query().Get("after")
	view.Paged = after != ""
	members, err := s.opts.Groups.Members(r.Context(), g.ID, after, maxGroupRows+1)
	if err != nil {
		return err
	}
	if len(members) > maxGroupRows {
		members = members[:maxGroupRows]
		view.NextURL = "?" + url.Values{"after": {members[maxGroupRows-1].UserID}}.Encode()
	}
	for _, m := range members {
		row := s.membershipRow(m.Membership)
		row.Title, row.Path, row.Object = m.User.DisplayName(), "/users/"+m.UserID, m.User.DisplayName()
		if m.User.Name != "" {
			row.Detail = m.User.Email.Display
		}
		row.Action = "/groups/" + g.ID + "/members/" + m.UserID
		row.Leave = row.Action + "/remove" + afterQuery(r)
		row.Action += afterQuery(r)
		view.Failed.apply(&row, m.UserID)
		view.Members = append(view.Members, row)
	}
	if view.Apps, err = s.opts.Apps.ListOfGroup(r.Context(), g.ID); err != nil {
		return err
	}
	return s.render(w, r, status, "group", view)
}

// afterQuery returns the query that leads back to the same page of members.
func afterQuery(r *http.Request) string {
	after := r.URL.Query().Get("after")
	if after == "" {
		return ""
	}
	return "?" + url.Values{"after": {after}}.Encode()
}

func (s *server) renameGroup(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id, name := r.PathValue("id"), form.Get("name")
	g, err := s.opts.Groups.Rename(r.Context(), originOf(r), id, name)
	if err == nil {
		return s.redirectWithMessage(w, r, "/groups/"+id, "Saved "+g.Name+".")
	}
	status, fields := groupFormErrors(err)
	if fields == nil {
		return groupError(err)
	}
	g, err = s.opts.Groups.Get(r.Context(), id)
	if err != nil {
		return groupError(err)
	}
	return s.groupPage(w, r, status, groupPage{Group: g, Name: name, Errors: fields})
}

// addMember adds a user to a group: the one chosen among matches, or the one with the address
// typed. For a name, it shows the matches.
func (s *server) addMember(w http.ResponseWriter, r *http.Request, form url.Values) error {
	g, err := s.opts.Groups.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return groupError(err)
	}
	add := addMemberForm{Who: form.Get("who"), Until: form.Get("until"), Errors: map[string]string{}}
	until, err := directory.ParseUntil(add.Until, s.opts.Now())
	if err != nil {
		add.Errors["until"] = err.Error()
	}
	u, err := s.findMember(r, form.Get("user"), &add)
	if err != nil {
		return err
	}
	if u.ID != "" && len(add.Errors) == 0 {
		err = s.opts.Groups.Join(r.Context(), originOf(r), g.ID, u.ID, until)
		switch {
		case err == nil:
			return s.redirectWithMessage(w, r, "/groups/"+g.ID, u.DisplayName()+" was added to "+g.Name+".")
		case !errors.Is(err, directory.ErrAlreadyMember):
			return groupError(err)
		}
		add.Errors["who"] = u.DisplayName() + " is in this group already."
	}
	return s.groupPage(w, r, http.StatusUnprocessableEntity, groupPage{Group: g, Name: g.Name, Add: add})
}

// maxMatches is the number of people offered for a name.
const maxMatches = 10

// findMember returns the user with an id, or with the address typed. If there is none, the user is
// zero, and the form has an error or matches to choose from.
func (s *server) findMember(r *http.Request, id string, add *addMemberForm) (directory.User, error) {
	if id != "" {
		return s.opts.Directory.GetUser(r.Context(), id)
	}
	if email, err := directory.ParseEmail(add.Who); err == nil {
		u, err := s.opts.Directory.GetUserByEmail(r.Context(), email)
		if errors.Is(err, directory.ErrNotFound) {
			add.Errors["who"] = email.Display + " isn’t on the list. Invite them first."
			return directory.User{}, nil
		}
		return u, err
	}
	terms, err := directory.ParseSearch(add.Who)
	if err != nil {
		add.Errors["who"] = err.Error()
		return directory.User{}, nil
	}
	if len(terms) == 0 {
		add.Errors["who"] = "Write an email address, or part of a name to search for."
		return directory.User{}, nil
	}
	page, err := s.opts.Directory.ListUsers(r.Context(), directory.Query{Terms: terms, Sort: directory.ByName, Limit: maxMatches + 1})
	if err != nil {
		return directory.User{}, err
	}
	add.Matches = page.Users
	switch {
	case len(add.Matches) == 0:
		add.Errors["who"] = "No one on the list matches. Invite them first."
	case len(add.Matches) > maxMatches:
		add.Matches = add.Matches[:maxMatches]
		add.Errors["who"] = "Many people match. Choose one below, or write more of the name."
	default:
		add.Errors["who"] = "Choose the person below."
	}
	return directory.User{}, nil
}

// changeMember changes the end of a membership, on the group's page or in the list of those that
// end soon.
func (s *server) changeMember(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id, userID := r.PathValue("id"), r.PathValue("user")
	text, err := s.changeEnd(r, id, userID, form)
	fields := invalidFields(err)
	switch {
	case fields != nil:
		g, err := s.opts.Groups.Get(r.Context(), id)
		if err != nil {
			return groupError(err)
		}
		return s.groupPage(w, r, http.StatusUnprocessableEntity, groupPage{Group: g, Name: g.Name, Failed: failedEnd{userID, form.Get("until"), fields["until"]}})
	case err != nil:
		return groupError(err)
	case form.Get("back") == "groups":
		return s.redirectWithMessage(w, r, "/groups", text)
	}
	return s.redirectWithMessage(w, r, "/groups/"+id+afterQuery(r), text)
}

func (s *server) removeMember(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	text, err := s.endMembership(r, id, r.PathValue("user"))
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, "/groups/"+id+afterQuery(r), text)
}

// removeGroupPage asks before a group is removed.
type removeGroupPage struct {
	layoutData
	Group      directory.Group
	Apps       []apps.App
	Closed     []apps.App // apps that only this group opens
	HasMembers bool
}

func (s *server) showRemoveGroup(w http.ResponseWriter, r *http.Request, g directory.Group) error {
	view := removeGroupPage{layoutData: s.sectionLayout(w, r, "Remove "+g.Name+"?", "groups"), Group: g}
	all, err := s.opts.Apps.List(r.Context())
	if err != nil {
		return err
	}
	for _, a := range all {
		switch {
		case a.Audience != apps.Groups || !a.OpensTo(g.ID):
		case len(a.Groups) == 1:
			view.Closed = append(view.Closed, a)
		default:
			view.Apps = append(view.Apps, a)
		}
	}
	members, err := s.opts.Groups.Members(r.Context(), g.ID, "", 1)
	if err != nil {
		return err
	}
	view.HasMembers = len(members) > 0
	return s.render(w, r, http.StatusOK, "group_remove", view)
}

func (s *server) removeGroup(w http.ResponseWriter, r *http.Request, g directory.Group) error {
	if err := s.opts.Groups.Remove(r.Context(), originOf(r), g.ID); err != nil {
		return groupError(err)
	}
	return s.redirectWithMessage(w, r, "/groups", g.Name+" was removed. Its members stay on the list.")
}

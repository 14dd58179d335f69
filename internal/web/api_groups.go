package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/idempotency"
)

// withGroupJSON passes the group in the route's {id} to a handler of the API.
func (s *server) withGroupJSON(next func(w http.ResponseWriter, r *http.Request, g directory.Group) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		g, err := s.opts.Groups.Get(r.Context(), r.PathValue("id"))
		if err != nil {
			return asNotFound(err, errGroupNotFound)
		}
		return next(w, r, g)
	}
}

// asNotFound returns notFound for directory.ErrNotFound, and otherwise the error given.
func asNotFound(err, notFound error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return notFound
	}
	return err
}

type jsonGroups struct {
	Groups     []directory.GroupJSON `json:"groups"`
	NextCursor *string               `json:"next_cursor"` // null on the last page
}

// Pages of groups and of their members.
const (
	defaultPage = 50
	maxPage     = 200
)

// parsePage reads the limit and cursor of a list. The error is a *directory.ValidationError.
func parsePage(v url.Values, things string) (limit int, cursor string, err error) {
	fields := map[string]string{}
	limit = defaultPage
	readLimit(v, &limit, maxPage, things, fields)
	if len(fields) > 0 {
		return 0, "", &directory.ValidationError{Fields: fields}
	}
	return limit, v.Get("cursor"), nil
}

func (s *server) apiListGroups(w http.ResponseWriter, r *http.Request) error {
	limit, cursor, err := parsePage(r.URL.Query(), "groups")
	if err != nil {
		return err
	}
	after := ""
	if cursor != "" {
		var ok bool
		if after, ok = s.opts.Cookies.Unseal("groups", cursor); !ok {
			return directory.ErrCursor
		}
	}
	groups, err := s.opts.Groups.Page(r.Context(), after, limit+1)
	if err != nil {
		return err
	}
	answer := jsonGroups{Groups: []directory.GroupJSON{}}
	if len(groups) > limit {
		groups = groups[:limit]
		next := s.opts.Cookies.Seal("groups", groups[limit-1].Key())
		answer.NextCursor = &next
	}
	for _, g := range groups {
		answer.Groups = append(answer.Groups, directory.NewGroupJSON(g))
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// readGroupName reads the name of a group to create or rename.
func readGroupName(r *http.Request) (string, error) {
	var body struct {
		Name optional `json:"name"`
	}
	if err := readJSON(r, &body); err != nil {
		return "", err
	}
	return body.Name.text, refuseNull(map[string]optional{"name": body.Name})
}

func (s *server) apiCreateGroup(r *http.Request) (directory.Group, error) {
	name, err := readGroupName(r)
	if err != nil {
		return directory.Group{}, err
	}
	return s.opts.Groups.CreateOnce(r.Context(), actorOf(r), name)
}

func (s *server) createdGroupResponse(_ *http.Request, g directory.Group) (idempotency.Response, error) {
	a := marshalResponse(http.StatusCreated, directory.NewGroupJSON(g))
	a.Location = s.url("/api/groups/" + g.ID)
	return a, nil
}

func (s *server) apiGetGroup(w http.ResponseWriter, r *http.Request, g directory.Group) error {
	g, err := s.opts.Groups.Count(r.Context(), g)
	if err != nil {
		return asNotFound(err, errGroupNotFound)
	}
	writeJSON(w, http.StatusOK, directory.NewGroupJSON(g))
	return nil
}

func (s *server) apiRenameGroup(w http.ResponseWriter, r *http.Request) error {
	name, err := readGroupName(r)
	if err != nil {
		return err
	}
	g, err := s.opts.Groups.Rename(r.Context(), originOf(r), r.PathValue("id"), name)
	if err != nil {
		return asNotFound(err, errGroupNotFound)
	}
	return s.apiGetGroup(w, r, g)
}

func (s *server) apiRemoveGroup(w http.ResponseWriter, r *http.Request) error {
	if err := s.opts.Groups.Remove(r.Context(), originOf(r), r.PathValue("id")); err != nil {
		return asNotFound(err, errGroupNotFound)
	}
	writeJSON(w, http.StatusOK, jsonMessage{"success"})
	return nil
}

type jsonMembers struct {
	Members    []directory.MemberJSON `json:"members"`
	NextCursor *string                `json:"next_cursor"` // null on the last page
}

func (s *server) apiListMembers(w http.ResponseWriter, r *http.Request, g directory.Group) error {
	limit, cursor, err := parsePage(r.URL.Query(), "members")
	if err != nil {
		return err
	}
	if len(cursor) > 36 { // longer than an id
		return directory.ErrCursor
	}
	members, err := s.opts.Groups.Members(r.Context(), g.ID, cursor, limit+1)
	if err != nil {
		return err
	}
	answer := jsonMembers{Members: []directory.MemberJSON{}}
	if len(members) > limit {
		members = members[:limit]
		answer.NextCursor = &members[limit-1].UserID
	}
	for _, m := range members {
		answer.Members = append(answer.Members, directory.NewMemberJSON(m, s.opts.Now()))
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// apiAddMember adds a user, given by address or id, or changes the end of their membership.
func (s *server) apiAddMember(w http.ResponseWriter, r *http.Request, g directory.Group) error {
	var body struct {
		User  optional `json:"user"`
		Until optional `json:"until"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if err := refuseNull(map[string]optional{"user": body.User}); err != nil {
		return err
	}
	u, err := s.findUser(r, "user", body.User.text)
	if err != nil {
		return err
	}
	return s.setMember(w, r, g, u.ID, body.Until.text)
}

// findUser returns the user with an address or id that was given in a field. If there is none, the
// error is a *directory.ValidationError.
func (s *server) findUser(r *http.Request, field, addressOrID string) (u directory.User, err error) {
	invalid := func(text string) error {
		return &directory.ValidationError{Fields: map[string]string{field: text}}
	}
	if strings.Contains(addressOrID, "@") {
		email, err := directory.ParseEmail(addressOrID)
		if err != nil {
			return directory.User{}, invalid(err.Error())
		}
		u, err = s.opts.Directory.GetUserByEmail(r.Context(), email)
		if errors.Is(err, directory.ErrNotFound) {
			return u, invalid("No one on the list has this address.")
		}
		return u, err
	}
	if addressOrID == "" {
		return u, invalid("Enter an address or id.")
	}
	u, err = s.opts.Directory.GetUser(r.Context(), addressOrID)
	if errors.Is(err, directory.ErrNotFound) {
		return u, invalid("No one on the list has this id.")
	}
	return u, err
}

// apiSetMember adds the user in the path, or changes the end of their membership.
func (s *server) apiSetMember(w http.ResponseWriter, r *http.Request, g directory.Group) error {
	var body struct {
		Until optional `json:"until"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	return s.setMember(w, r, g, r.PathValue("user"), body.Until.text)
}

// setMember makes a user a member until a time as typed, and answers with the member.
func (s *server) setMember(w http.ResponseWriter, r *http.Request, g directory.Group, userID, typed string) error {
	until, err := directory.ParseUntil(typed, s.opts.Now())
	if err != nil {
		return &directory.ValidationError{Fields: map[string]string{"until": err.Error()}}
	}
	err = s.opts.Groups.Join(r.Context(), originOf(r), g.ID, userID, until)
	if err != nil && !errors.Is(err, directory.ErrAlreadyMember) {
		return err
	}
	u, err := s.opts.Directory.GetUser(r.Context(), userID)
	if err != nil {
		return err
	}
	memberships, err := s.opts.Groups.Memberships(r.Context(), userID)
	if err != nil {
		return err
	}
	m := directory.Membership{Until: until, CreatedAt: time.Time{}}
	for _, found := range memberships {
		if found.GroupID == g.ID {
			m = found
		}
	}
	writeJSON(w, http.StatusOK, directory.NewMemberJSON(directory.GroupMember{Membership: m, User: u}, s.opts.Now()))
	return nil
}

func (s *server) apiRemoveMember(w http.ResponseWriter, r *http.Request, g directory.Group) error {
	if err := s.opts.Groups.Leave(r.Context(), originOf(r), g.ID, r.PathValue("user")); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, jsonMessage{"success"})
	return nil
}

package web

import (
	"errors"
	"net/http"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/idempotency"
)

type jsonUsers struct {
	Users      []directory.UserJSON `json:"users"`
	NextCursor *string              `json:"next_cursor"` // null on the last page
	Total      int                  `json:"total"`       // counted up to 10,000; of this page if by_word
	TotalMore  bool                 `json:"total_more"`  // there are more, or may be if by_word
	ByWord     bool                 `json:"by_word"`     // in order of relevance, not of sort
}

func (s *server) apiListUsers(w http.ResponseWriter, r *http.Request) error {
	query, err := s.queryFromRequest(r.URL.Query())
	if err != nil {
		return err
	}
	page, err := s.opts.Directory.ListUsers(r.Context(), query)
	if err != nil {
		return err
	}
	answer := jsonUsers{Users: make([]directory.UserJSON, len(page.Users)), Total: page.Total, TotalMore: page.More, ByWord: page.RelevanceOrder}
	for i, u := range page.Users {
		answer.Users[i] = directory.NewUserJSON(u)
	}
	if page.Next != nil {
		next := s.sealCursor(query.Sort, page.Next, false)
		answer.NextCursor = &next
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// createUserRequest describes a user to add.
type createUserRequest struct {
	Email  optional                `json:"email"`
	Name   optional                `json:"name"`
	Role   optional                `json:"role"`
	Groups optionalValue[[]string] `json:"groups"` // ids or names
	Until  optional                `json:"until"`
}

// readEntry reads a user to add. A name that is null is empty, and an until that is null no end.
func (s *server) readEntry(r *http.Request) (directory.UserInput, error) {
	var body createUserRequest
	if err := readJSON(r, &body); err != nil {
		return directory.UserInput{}, err
	}
	entry := directory.UserInput{Email: body.Email.text, Name: body.Name.text, Role: body.Role.text, Until: body.Until.text}
	if err := refuseNull(map[string]optional{"role": body.Role, "groups": body.Groups.asText()}); err != nil {
		return entry, err
	}
	var err error
	entry.Groups, err = s.opts.Groups.Resolve(r.Context(), body.Groups.value)
	return entry, err
}

// apiCreateUser adds a user without an email.
func (s *server) apiCreateUser(r *http.Request) (directory.User, error) {
	entry, err := s.readEntry(r)
	if err != nil {
		return directory.User{}, err
	}
	return s.opts.Directory.Add(r.Context(), actorOf(r), entry)
}

func (s *server) createdResponse(_ *http.Request, u directory.User) (idempotency.Response, error) {
	a := marshalResponse(http.StatusCreated, map[string]string{"id": u.ID})
	a.Location = s.url("/api/users/" + u.ID)
	return a, nil
}

// apiInviteUser sends an invitation, and adds the user if necessary. An existing user joins the
// groups that they aren't in.
func (s *server) apiInviteUser(r *http.Request) (directory.User, error) {
	entry, err := s.readEntry(r)
	if err != nil {
		return directory.User{}, err
	}
	n, err := entry.Validate(originOf(r), true, s.opts.Now())
	if err != nil {
		return directory.User{}, err
	}
	if len(entry.Groups) == 0 {
		return s.opts.Directory.InviteOrReinvite(r.Context(), actorOf(r), entry)
	}
	until := n.Memberships[0].Until
	existing, err := s.opts.Directory.GetUserByEmail(r.Context(), n.User.Email)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return directory.User{}, err
	}
	// First, so that a repeated request that only has to answer finds the memberships written.
	if err == nil && existing.Status != directory.Suspended {
		if err := s.opts.Groups.JoinMissing(r.Context(), originOf(r), existing.ID, entry.Groups, until); err != nil {
			return directory.User{}, err
		}
	}
	u, err := s.opts.Directory.InviteOrReinvite(r.Context(), actorOf(r), entry)
	if err != nil {
		return u, err
	}
	return u, s.opts.Groups.JoinMissing(r.Context(), originOf(r), u.ID, entry.Groups, until) // if another request has added them
}

func (s *server) invitedResponse(r *http.Request, u directory.User) (idempotency.Response, error) {
	state, err := s.loadInvitation(r, u)
	switch {
	case err != nil:
		return idempotency.Response{}, err
	case state.Refused:
		return marshalResponse(http.StatusBadGateway, jsonError{Error: "magic link refused: " + state.Reason}), nil
	case state.Pending: // the user is added, and the outbox keeps trying
		return marshalResponse(http.StatusAccepted, jsonMessage{"magic link not sent yet: " + state.Reason}), nil
	}
	return marshalResponse(http.StatusOK, jsonMessage{"magic link sent"}), nil
}

func (s *server) apiGetUser(w http.ResponseWriter, _ *http.Request, u directory.User) error {
	writeJSON(w, http.StatusOK, directory.NewUserJSON(u))
	return nil
}

type jsonMemberships struct {
	Groups []directory.MembershipJSON `json:"groups"`
}

func (s *server) apiListMemberships(w http.ResponseWriter, r *http.Request, u directory.User) error {
	memberships, err := s.opts.Groups.Memberships(r.Context(), u.ID)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, jsonMemberships{directory.NewMembershipsJSON(memberships, s.opts.Now())})
	return nil
}

// apiEditUser changes the fields given. A missing field stays as it is; a name that is null is
// removed.
func (s *server) apiEditUser(w http.ResponseWriter, r *http.Request) error {
	var edit struct {
		Name   optional `json:"name"`
		Role   optional `json:"role"`
		Status optional `json:"status"`
	}
	if err := readJSON(r, &edit); err != nil {
		return err
	}
	if err := refuseNull(map[string]optional{"role": edit.Role, "status": edit.Status}); err != nil {
		return err
	}
	u, err := s.opts.Directory.Edit(r.Context(), actorOf(r), r.PathValue("id"), directory.Edit{
		Name: edit.Name.edit(), Role: edit.Role.edit(), Status: edit.Status.edit(),
	})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, directory.NewUserJSON(u))
	return nil
}

func (s *server) apiRemoveUser(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.opts.Directory.Remove(r.Context(), actorOf(r), r.PathValue("id")); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, jsonMessage{"success"})
	return nil
}

package web

import (
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
	Email optional `json:"email"`
	Name  optional `json:"name"`
	Role  optional `json:"role"`
}

// readEntry reads a user to add. A name that is null is empty.
func readEntry(r *http.Request) (directory.UserInput, error) {
	var body createUserRequest
	if err := readJSON(r, &body); err != nil {
		return directory.UserInput{}, err
	}
	entry := directory.UserInput{Email: body.Email.text, Name: body.Name.text, Role: body.Role.text}
	return entry, refuseNull(map[string]optional{"role": body.Role})
}

// apiCreateUser adds a user without an email.
func (s *server) apiCreateUser(r *http.Request) (directory.User, error) {
	entry, err := readEntry(r)
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

// apiInviteUser sends an invitation, and adds the user if necessary.
func (s *server) apiInviteUser(r *http.Request) (directory.User, error) {
	entry, err := readEntry(r)
	if err != nil {
		return directory.User{}, err
	}
	return s.opts.Directory.InviteOrReinvite(r.Context(), actorOf(r), entry)
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

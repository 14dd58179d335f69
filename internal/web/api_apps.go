package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// withAppJSON passes the app in the route's {id} to a handler of the API.
func (s *server) withAppJSON(next func(w http.ResponseWriter, r *http.Request, a apps.App) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := s.opts.Apps.Get(r.Context(), r.PathValue("id"))
		if err != nil {
			return asNotFound(err, errAppNotFound)
		}
		return next(w, r, a)
	}
}

type jsonApps struct {
	Apps []apps.AppJSON `json:"apps"`
}

func (s *server) apiListApps(w http.ResponseWriter, r *http.Request) error {
	list, err := s.opts.Apps.List(r.Context())
	if err != nil {
		return err
	}
	answer := jsonApps{Apps: make([]apps.AppJSON, len(list))}
	for i, a := range list {
		answer.Apps[i] = apps.NewAppJSON(a)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// appRequest describes an app to create, or the fields of an app to change.
type appRequest struct {
	Name          optional                `json:"name"`
	URL           optional                `json:"url"`
	HomeURL       optional                `json:"home_url"`
	Audience      optional                `json:"audience"`
	Groups        optionalValue[[]string] `json:"groups"` // ids or names
	Upstream      optional                `json:"upstream"`
	PublicPaths   optionalValue[[]string] `json:"public_paths"`
	AllowRequests optionalValue[bool]     `json:"allow_requests"`
	Enabled       optionalValue[bool]     `json:"enabled"`
}

// readAppInput reads an app. Fields that aren't given stay as in the input. An address, link or
// upstream that is null is removed.
func (s *server) readAppInput(r *http.Request, in apps.Input) (apps.Input, error) {
	var body appRequest
	if err := readJSON(r, &body); err != nil {
		return in, err
	}
	if err := refuseNull(map[string]optional{
		"name": body.Name, "audience": body.Audience, "groups": body.Groups.asText(), "public_paths": body.PublicPaths.asText(),
		"allow_requests": body.AllowRequests.asText(), "enabled": body.Enabled.asText(),
	}); err != nil {
		return in, err
	}
	for _, field := range []struct {
		given optional
		value *string
	}{{body.Name, &in.Name}, {body.URL, &in.URL}, {body.HomeURL, &in.HomeURL}, {body.Audience, &in.Audience}, {body.Upstream, &in.Upstream}} {
		if field.given.given {
			*field.value = field.given.text
		}
	}
	if body.PublicPaths.given {
		in.PublicPaths = strings.Join(body.PublicPaths.value, "\n")
	}
	if body.AllowRequests.given {
		in.AllowRequests = body.AllowRequests.value
	}
	if body.Enabled.given {
		in.Enabled = &body.Enabled.value
	}
	if !body.Groups.given {
		return in, nil
	}
	if len(body.Groups.value) > 0 && in.Audience == string(apps.Everyone) {
		return in, &directory.ValidationError{Fields: map[string]string{"groups": "Groups open the app only if its audience is groups."}}
	}
	groups, err := s.opts.Groups.Resolve(r.Context(), body.Groups.value)
	in.GroupIDs = nil
	for _, g := range groups {
		in.GroupIDs = append(in.GroupIDs, g.ID)
	}
	return in, err
}

func (s *server) apiCreateApp(r *http.Request) (apps.App, error) {
	in, err := s.readAppInput(r, apps.Input{})
	if err != nil {
		return apps.App{}, err
	}
	return s.opts.Apps.CreateOnce(r.Context(), actorOf(r), in)
}

func (s *server) createdAppResponse(_ *http.Request, a apps.App) (idempotency.Response, error) {
	answer := marshalResponse(http.StatusCreated, apps.NewAppJSON(a))
	answer.Location = s.url("/api/apps/" + a.ID)
	return answer, nil
}

func (s *server) apiGetApp(w http.ResponseWriter, _ *http.Request, a apps.App) error {
	writeJSON(w, http.StatusOK, apps.NewAppJSON(a))
	return nil
}

// apiEditApp changes the fields given. A missing field stays as it is.
func (s *server) apiEditApp(w http.ResponseWriter, r *http.Request, a apps.App) error {
	in, err := s.readAppInput(r, a.Input())
	if err != nil {
		return err
	}
	edited, err := s.opts.Apps.Edit(r.Context(), originOf(r), a.ID, in)
	if err != nil {
		return asNotFound(err, errAppNotFound)
	}
	writeJSON(w, http.StatusOK, apps.NewAppJSON(edited))
	return nil
}

func (s *server) apiRemoveApp(w http.ResponseWriter, r *http.Request, a apps.App) error {
	if err := s.opts.Apps.Remove(r.Context(), originOf(r), a.ID); err != nil {
		return asNotFound(err, errAppNotFound)
	}
	writeJSON(w, http.StatusOK, jsonMessage{"success"})
	return nil
}

type jsonAppTokens struct {
	Tokens []apps.TokenJSON `json:"tokens"`
}

func (s *server) apiListAppTokens(w http.ResponseWriter, r *http.Request, a apps.App) error {
	list, err := s.opts.Apps.ListTokens(r.Context(), a.ID)
	if err != nil {
		return err
	}
	answer := jsonAppTokens{Tokens: make([]apps.TokenJSON, len(list))}
	for i, t := range list {
		answer.Tokens[i] = apps.NewTokenJSON(t)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// jsonCreatedToken is a token with its secret, which is shown this once.
type jsonCreatedToken struct {
	apps.TokenJSON
	Secret string `json:"token"`
}

// apiCreateAppToken creates a token for a user, given by address or id, or for a service. It takes
// no Idempotency-Key, because the response would be stored with the token.
func (s *server) apiCreateAppToken(w http.ResponseWriter, r *http.Request, a apps.App) error {
	var body struct {
		Name optional           `json:"name"`
		User optional           `json:"user"` // null for a service
		Days optionalValue[int] `json:"days"`
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	if err := refuseNull(map[string]optional{"name": body.Name, "days": body.Days.asText()}); err != nil {
		return err
	}
	var u directory.User
	if body.User.text != "" {
		var err error
		if u, err = s.findUser(r, "user", body.User.text); err != nil {
			return err
		}
	}
	t, secret, err := s.opts.Apps.CreateToken(r.Context(), originOf(r), a, u, apps.TokenRequest{
		ID: apps.NewTokenID(), Name: body.Name.text, UserID: u.ID, Days: strconv.Itoa(body.Days.value),
	})
	if err != nil {
		return asNotFound(err, errAppNotFound)
	}
	middleware.NoCompression(w.Header()) // the response contains the token
	writeJSON(w, http.StatusCreated, jsonCreatedToken{apps.NewTokenJSON(t), secret})
	return nil
}

func (s *server) apiRevokeAppToken(w http.ResponseWriter, r *http.Request, a apps.App) error {
	err := s.opts.Apps.RevokeToken(r.Context(), originOf(r), a, r.PathValue("token"))
	if errors.Is(err, directory.ErrNotFound) {
		return errAppTokenNotFound
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, jsonMessage{"success"})
	return nil
}

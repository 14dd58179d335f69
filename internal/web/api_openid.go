package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

func (s *server) apiGetClient(w http.ResponseWriter, r *http.Request, a apps.App) error {
	c, err := s.opts.Clients.Get(r.Context(), a.ID)
	if err != nil {
		return asNoClient(err)
	}
	writeJSON(w, http.StatusOK, openid.NewClientJSON(c, s.opts.OpenID.Issuer()))
	return nil
}

// apiSaveClient creates or replaces the client of an app. A missing field has its default.
func (s *server) apiSaveClient(w http.ResponseWriter, r *http.Request, a apps.App) error {
	in, err := readClientInput(r)
	if err != nil {
		return err
	}
	_, notFound := s.opts.Clients.Get(r.Context(), a.ID)
	c, err := s.opts.Clients.Save(r.Context(), originOf(r), a, in)
	if err != nil {
		return asNotFound(err, errAppNotFound)
	}
	status := http.StatusOK
	if errors.Is(notFound, directory.ErrNotFound) {
		status = http.StatusCreated
	}
	writeJSON(w, status, openid.NewClientJSON(c, s.opts.OpenID.Issuer()))
	return nil
}

func readClientInput(r *http.Request) (openid.ClientInput, error) {
	var body struct {
		Public            optionalValue[bool]     `json:"public"`
		Algorithm         optional                `json:"id_token_signed_response_alg"`
		RedirectURIs      optionalValue[[]string] `json:"redirect_uris"`
		PostLogoutURIs    optionalValue[[]string] `json:"post_logout_redirect_uris"`
		BackchannelLogout optional                `json:"backchannel_logout_uri"`
	}
	if err := readJSON(r, &body); err != nil {
		return openid.ClientInput{}, err
	}
	if err := refuseNull(map[string]optional{
		"public": body.Public.asText(), "id_token_signed_response_alg": body.Algorithm, "redirect_uris": body.RedirectURIs.asText(),
		"post_logout_redirect_uris": body.PostLogoutURIs.asText(),
	}); err != nil {
		return openid.ClientInput{}, err
	}
	fields := map[string]string{}
	lines := func(field string, list []string) string {
		if slices.ContainsFunc(list, func(uri string) bool { return strings.ContainsAny(uri, "\r\n") }) {
			fields[field] = "An address can’t contain a line break."
		}
		return strings.Join(list, "\n")
	}
	in := openid.ClientInput{
		Public: body.Public.value, Algorithm: body.Algorithm.text, RedirectURIs: lines("redirect_uris", body.RedirectURIs.value),
		PostLogoutURIs: lines("post_logout_redirect_uris", body.PostLogoutURIs.value), BackchannelLogout: body.BackchannelLogout.text,
	}
	if len(fields) > 0 {
		return in, &directory.ValidationError{Fields: fields}
	}
	return in, nil
}

func (s *server) apiRemoveClient(w http.ResponseWriter, r *http.Request, a apps.App) error {
	if err := s.opts.Clients.Remove(r.Context(), originOf(r), a); err != nil {
		return asNoClient(err)
	}
	writeJSON(w, http.StatusOK, jsonMessage{"success"})
	return nil
}

type jsonSecrets struct {
	Secrets []openid.SecretJSON `json:"secrets"`
}

func (s *server) apiListSecrets(w http.ResponseWriter, r *http.Request, a apps.App) error {
	if _, err := s.opts.Clients.Get(r.Context(), a.ID); err != nil {
		return asNoClient(err)
	}
	list, err := s.opts.Clients.ListSecrets(r.Context(), a.ID)
	if err != nil {
		return err
	}
	answer := jsonSecrets{Secrets: make([]openid.SecretJSON, len(list))}
	for i, v := range list {
		answer.Secrets[i] = openid.NewSecretJSON(v)
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// jsonCreatedSecret is a secret with its text, which is shown this once.
type jsonCreatedSecret struct {
	openid.SecretJSON
	Text string `json:"secret"`
}

// apiCreateSecret creates a secret. It takes no Idempotency-Key, because the response would be stored
// with the secret.
func (s *server) apiCreateSecret(w http.ResponseWriter, r *http.Request, a apps.App) error {
	var body struct {
		Days optionalValue[int] `json:"days"` // null for no end
	}
	if err := readJSON(r, &body); err != nil {
		return err
	}
	days := body.Days.value
	if !body.Days.given || !body.Days.null && (days == 0 || !slices.Contains(openid.SecretLifetimes, days)) {
		return &directory.ValidationError{Fields: map[string]string{"days": "Choose 30, 90 or 365 days, or null for no end."}}
	}
	v, text, err := s.opts.Clients.CreateSecret(r.Context(), originOf(r), a, time.Duration(days)*24*time.Hour)
	if err != nil {
		return asNoClient(err)
	}
	middleware.NoCompression(w.Header()) // the response contains the secret
	writeJSON(w, http.StatusCreated, jsonCreatedSecret{openid.NewSecretJSON(v), text})
	return nil
}

func (s *server) apiRevokeSecret(w http.ResponseWriter, r *http.Request, a apps.App) error {
	if err := s.opts.Clients.RevokeSecret(r.Context(), originOf(r), a, r.PathValue("secret")); err != nil {
		return asNotFound(err, errSecretNotFound)
	}
	writeJSON(w, http.StatusOK, jsonMessage{"success"})
	return nil
}

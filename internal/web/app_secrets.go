package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/openid/recipe"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// appOpenID is the part of an app's page about OpenID Connect.
type appOpenID struct {
	Client    openid.Client // zero if the app has none
	Values    []copiedValue
	Secrets   []listedSecret
	Max       int  // the most secrets a client may have
	Working   bool // a secret hasn't ended
	EndsSoon  bool // one ends within openid.SecretNotice
	Draft     secretForm
	Lifetimes []lifetime
	Secret    string // the secret just created, shown this once; empty if none was
	Settings  string // that secret with what belongs to it, as lines for an environment file
	Tool      string // id of the recipe to show first; empty for none
	Tools     []toolSettings
}

// toolSettings are the settings of a tool for the app's client.
type toolSettings struct {
	recipe.Recipe
	Text      string
	WrongKind bool // the client is public and the tool needs a secret, or the other way round
}

// fillTools sets the settings of every tool, with the new secret if there is one.
func (o *appOpenID) fillTools(a apps.App, issuer string) {
	c := recipe.Client{Issuer: issuer, ID: a.ID, Secret: o.Secret, AppURL: toolURL(a)}
	if a.Audience == apps.Groups {
		for _, g := range a.Groups {
			c.Groups = append(c.Groups, g.Name)
		}
	}
	o.Tools = nil
	for _, tool := range recipe.All() {
		o.Tools = append(o.Tools, toolSettings{tool, tool.Settings(c), tool.Public != o.Client.Public})
	}
}

// Exists reports whether the app has a client.
func (o appOpenID) Exists() bool { return o.Client.ID != "" }

// IsFull reports whether the client has as many secrets as it may have.
func (o appOpenID) IsFull() bool { return len(o.Secrets) >= o.Max }

// copiedValue is a value to copy into the app's settings.
type copiedValue struct{ ID, Label, Value string }

type listedSecret struct {
	openid.Secret
	By        string // name of the administrator who created it; empty if there is none any more
	IsExpired bool
	EndsSoon  bool
}

// secretForm is a secret as typed.
type secretForm struct {
	ID, Days string
	Tool     string // id of the recipe to show afterwards; empty for none
	Errors   map[string]string
}

// lifetime is a choice of how long a secret works.
type lifetime struct {
	Days  int
	Label string
}

var secretLifetimes = func() []lifetime {
	labels := map[int]string{0: "No end", 365: "1 year", 90: "90 days", 30: "30 days"}
	list := make([]lifetime, len(openid.SecretLifetimes))
	for i, days := range openid.SecretLifetimes {
		list[i] = lifetime{days, labels[days]}
	}
	return list
}()

// newSecretForm returns an empty form. Its ID makes sure that it creates one secret however often
// it is sent.
func newSecretForm() secretForm {
	return secretForm{ID: openid.NewSecretID(), Days: "0"}
}

// completeAppOpenID sets what the page needs besides the form and a new secret.
func (s *server) completeAppOpenID(r *http.Request, a apps.App, part *appOpenID) error {
	c, err := s.opts.Clients.Get(r.Context(), a.ID)
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	secrets, err := s.opts.Clients.ListSecrets(r.Context(), a.ID)
	if err != nil {
		return err
	}
	names, err := s.creators(r, secrets)
	if err != nil {
		return err
	}
	for _, v := range secrets {
		part.add(listedSecret{Secret: v, By: names[v.CreatedBy]}, s.opts.Now())
	}
	part.Client, part.Max, part.Lifetimes = c, openid.MaxSecrets, secretLifetimes
	issuer := s.opts.OpenID.Issuer()
	part.Values = []copiedValue{{"issuer", "Issuer", issuer}, {"discovery", "Discovery URL", issuer + openid.DiscoveryPath}, {"client-id", "Client ID", c.ID}}
	if part.Draft.ID == "" {
		part.Draft = newSecretForm()
	}
	if tool, found := recipe.Find(cmp.Or(part.Draft.Tool, r.URL.Query().Get("tool"))); found {
		part.Tool, part.Draft.Tool = tool.ID, tool.ID
	}
	part.fillTools(a, issuer)
	return nil
}

// add adds a secret to the list.
func (o *appOpenID) add(v listedSecret, now time.Time) {
	v.IsExpired = v.Expired(now)
	v.EndsSoon = !v.IsExpired && v.Expired(now.Add(openid.SecretNotice))
	o.Working = o.Working || !v.IsExpired
	o.EndsSoon = o.EndsSoon || v.EndsSoon
	o.Secrets = append(o.Secrets, v)
}

// creators returns the names of the users who created secrets, by id.
func (s *server) creators(r *http.Request, secrets []openid.Secret) (map[string]string, error) {
	names := map[string]string{"": "the command line"}
	for _, v := range secrets {
		if _, known := names[v.CreatedBy]; known {
			continue
		}
		u, err := s.opts.Directory.GetUser(r.Context(), v.CreatedBy)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return nil, err
		}
		names[v.CreatedBy] = ""
		if err == nil {
			names[v.CreatedBy] = u.DisplayName()
		}
	}
	return names, nil
}

// createSecret shows the new secret, this once. So it doesn't redirect on success.
func (s *server) createSecret(w http.ResponseWriter, r *http.Request, form url.Values) error {
	a, err := s.opts.Apps.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return appError(err)
	}
	typed := secretForm{ID: form.Get("id"), Days: form.Get("days"), Tool: form.Get("tool")}
	view := appPage{App: a, Form: savedForm(a)}
	view.OpenID.Draft = typed
	// First: once the secret is created, nothing may keep it from being shown.
	if err := s.completeApp(w, r, &view, savedGroups(a)); err != nil {
		return err
	}
	part := &view.OpenID
	created, secret, err := s.opts.Clients.RequestSecret(r.Context(), originOf(r), a, openid.SecretRequest{ID: typed.ID, Days: typed.Days})
	invalid := invalidFields(err)
	switch {
	case invalid != nil && invalid["id"] != "":
		return errBadForm
	case invalid != nil:
		part.Draft.Errors = invalid
		return s.render(w, r, http.StatusUnprocessableEntity, "app", view)
	case errors.Is(err, openid.ErrSecretExists):
		return s.redirectWith(w, r, "/apps/"+a.ID, session.Message{Warning: true, Text: "A secret is shown only once, when it’s created. If you haven’t saved it, create another and revoke that one."})
	case err != nil:
		return asNoClient(err)
	}
	middleware.NoCompression(w.Header()) // the response contains the secret
	older := part.Secrets
	part.Secrets = nil
	part.add(listedSecret{Secret: created, By: viewer(r).User.DisplayName()}, s.opts.Now())
	part.Secrets = append(part.Secrets, older...)
	part.Secret = secret
	part.Settings = "OIDC_ISSUER=" + s.opts.OpenID.Issuer() + "\nOIDC_CLIENT_ID=" + a.ID + "\nOIDC_CLIENT_SECRET=" + secret + "\n"
	part.fillTools(a, s.opts.OpenID.Issuer())
	part.Draft = newSecretForm()
	part.Draft.Tool = part.Tool
	view.Message = session.Message{Text: "Secret …" + created.Hint + " created."}
	return s.render(w, r, http.StatusOK, "app", view)
}

// revokeSecretPage asks before a secret is revoked, with the template for tokens.
type revokeSecretPage struct {
	layoutData
	Token named
	Owner string // the app
	Path  string
	Back  string
}

type named struct{ Name string }

func (s *server) showRevokeSecret(w http.ResponseWriter, r *http.Request, a apps.App) error {
	v, err := s.secret(r, a)
	if err != nil {
		return err
	}
	back := "/apps/" + a.ID
	name := secretName(v)
	return s.render(w, r, http.StatusOK, "revoke", revokeSecretPage{
		layoutData: s.sectionLayout(w, r, "Revoke "+name+"?", "apps"), Token: named{name}, Owner: a.Name, Path: back + "/secrets/" + v.ID + "/revoke", Back: back,
	})
}

func secretName(v openid.Secret) string { return "secret …" + v.Hint }

// secret returns the secret in the route's {secret} of an app's client, or errSecretNotFound.
func (s *server) secret(r *http.Request, a apps.App) (openid.Secret, error) {
	list, err := s.opts.Clients.ListSecrets(r.Context(), a.ID)
	if err != nil {
		return openid.Secret{}, err
	}
	i := slices.IndexFunc(list, func(v openid.Secret) bool { return v.ID == r.PathValue("secret") })
	if i < 0 {
		return openid.Secret{}, errSecretNotFound
	}
	return list[i], nil
}

func (s *server) revokeSecret(w http.ResponseWriter, r *http.Request, a apps.App) error {
	v, err := s.secret(r, a)
	if err != nil {
		return err
	}
	err = s.opts.Clients.RevokeSecret(r.Context(), originOf(r), a, v.ID)
	if err != nil {
		return asNotFound(err, errSecretNotFound)
	}
	return s.redirectWithMessage(w, r, "/apps/"+a.ID, revoked(secretName(v)))
}

package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/guestlist/guestlist/internal/session"
)

// provider is another provider whose accounts users may sign in with.
type provider struct {
	ID   string // in addresses, such as "google"
	Name string // for people
}

// providerNames are the names of providers by their ids.
var providerNames = map[string]string{"google": "Google", "github": "GitHub", "microsoft": "Microsoft"}

// providers returns the configured providers.
func (s *server) providers() []provider {
	var all []provider
	for _, id := range s.opts.OAuth {
		all = append(all, provider{id, providerNames[id]})
	}
	return all
}

// toProviderPage leads on to another provider by itself.
type toProviderPage struct {
	layoutData
	Provider provider
	URL      string
}

// startOAuth sends the browser to another provider, to sign in with an account there. It answers a
// page that loads the provider's: browsers apply the policy for forms to the redirects that follow
// one as well (https://www.w3.org/TR/CSP3/#directive-form-action), and the login service redirects to
// the provider, which redirects on within hosts that only it knows.
func (s *server) startOAuth(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id := r.PathValue("provider")
	if !slices.Contains(s.opts.OAuth, id) {
		return errPageNotFound
	}
	if err := s.opts.Sessions.Ready(r.Context()); err != nil { // the browser would be sent to a service that is down
		return err
	}
	flow, _ := s.opts.Cookies.Flow(r)
	if next := s.keepTicket(w, r, s.returnPath(form.Get("next"))); next != "" || flow.Returned {
		flow.ReturnPath, flow.Returned = next, false
	}
	address := s.opts.OAuthURL(id, flow.StartOAuth(s.opts.Now()))
	if err := s.opts.Cookies.SetFlow(w, r, flow); err != nil {
		return err
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Refresh", "0;url="+address)
	chosen := provider{id, providerNames[id]}
	return s.render(w, r, http.StatusOK, "to_provider", toProviderPage{layoutData: s.layout(r, "Taking you to "+chosen.Name), Provider: chosen, URL: address})
}

// finishOAuthWithError answers a browser that comes back from another provider without a token: the
// user cancelled there, or the provider refused.
func (s *server) finishOAuthWithError(w http.ResponseWriter, r *http.Request, reason string, flow session.SignInFlow) error {
	if reason != "access_denied" {
		return errOAuthFailed
	}
	target := "/?cancelled"
	if flow.ReturnPath != "" && !flow.Returned {
		target += "&" + url.Values{"next": {flow.ReturnPath}}.Encode()
	}
	return s.redirect(w, r, target)
}

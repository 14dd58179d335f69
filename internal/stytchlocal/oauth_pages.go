package stytchlocal

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/pages"
)

// The routes of a browser that signs in by OAuth: the first is Stytch's, the second plays
// the provider.
const (
	oauthStartPrefix = "/v1/public/oauth/"
	oauthStartSuffix = "/start"
	oauthPagePrefix  = "/dev/oauth/"
)

// maxScopes is the limit of the custom scopes of a sign-in, in bytes.
const maxScopes = 1000

// The errors of the start route.
var (
	errNoPublicToken         = newError(http.StatusBadRequest, "public_token_required", "Give the project's public token.")
	errPublicTokenNotFound   = newError(http.StatusNotFound, "public_token_not_found", "The public token is not one of this project.")
	errOAuthRedirectNotFound = newError(http.StatusBadRequest, "no_match_for_provided_oauth_url", "The URL is not one of the project's redirect URLs.")
)

// oauthFlow is a checked request to sign in by OAuth.
type oauthFlow struct {
	provider            oauthProvider
	loginURL, signupURL string
	codeChallenge       string // may be empty
	attachToken         string // may be empty
	customScopes        string
}

// scopes returns what the sign-in asks the provider for.
func (f *oauthFlow) scopes(p oauthProvider) []string {
	return append(append([]string{}, p.scopes...), strings.Fields(f.customScopes)...)
}

// oauthParameters are the query parameters of the start route that have an effect here.
var oauthParameters = []string{
	"public_token", "login_redirect_url", "signup_redirect_url", "code_challenge", "custom_scopes", "oauth_attach_token",
}

// oauthQuery returns the parameters of a request to the start route or the provider's page,
// without any others, such as the key of the developer pages.
func oauthQuery(r *http.Request) string {
	given, query := r.URL.Query(), url.Values{}
	for _, name := range oauthParameters {
		if given.Has(name) {
			query.Set(name, given.Get(name))
		}
	}
	return query.Encode()
}

// parseOAuthFlow checks the parameters of the start route, which the provider's page gets
// as well.
func (s *Server) parseOAuthFlow(providerKey string, query url.Values) (*oauthFlow, error) {
	provider, err := findProvider(providerKey)
	if err != nil {
		return nil, err
	}
	switch token := query.Get("public_token"); {
	case token == "":
		return nil, errNoPublicToken
	case !equal(token, s.project.PublicToken):
		return nil, errPublicTokenNotFound
	}
	f := &oauthFlow{
		provider: provider, codeChallenge: query.Get("code_challenge"), attachToken: query.Get("oauth_attach_token"), customScopes: query.Get("custom_scopes"),
	}
	switch {
	case f.codeChallenge != "" && !challengePattern.MatchString(f.codeChallenge):
		return nil, errInvalidChallenge
	case f.attachToken != "" && !tokenPattern.MatchString(f.attachToken):
		return nil, errOAuthTokenNotFound
	case len(f.customScopes) > maxScopes:
		return nil, badRequest("custom_scopes must not be longer than 1000 bytes.")
	}
	for _, target := range []struct {
		kind    string
		address string
		checked *string
	}{
		{kindLogin, query.Get("login_redirect_url"), &f.loginURL},
		{kindSignup, query.Get("signup_redirect_url"), &f.signupURL},
	} {
		if s.checkRedirectURL(target.kind, target.address) != nil {
			return nil, errOAuthRedirectNotFound
		}
		if *target.checked, err = s.redirectURL(target.kind, target.address); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// isOAuthStart reports whether an escaped path is the start route, and of which provider.
func isOAuthStart(path string) (provider string, ok bool) {
	provider, ok = strings.CutPrefix(path, oauthStartPrefix)
	if !ok {
		return "", false
	}
	provider, ok = strings.CutSuffix(provider, oauthStartSuffix)
	return provider, ok && provider != "" && !strings.Contains(provider, "/")
}

// startOAuth sends a browser to the page that plays the provider. That page is for
// developers and asks for their key, which this route, like Stytch's, does not.
func (s *Server) startOAuth(w http.ResponseWriter, r *http.Request, provider string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refused := newError(http.StatusMethodNotAllowed, "method_not_allowed", "The route does not take this method.")
		refused.allow = "GET, HEAD"
		writeError(w, newRequestID(), refused)
		return
	}
	if _, err := s.parseOAuthFlow(provider, r.URL.Query()); err != nil {
		s.writeErrorOf(w, r, newRequestID(), err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, oauthPagePrefix+provider+"?"+oauthQuery(r), http.StatusFound)
}

// oauthPage plays a provider.
type oauthPage struct {
	Stylesheet string
	Provider   string // its name
	Action     string // where the form goes
	Target     string // the app's host
	Email      string // as typed
	Verified   bool
	Problem    string // why the form was refused; empty if it was not
	Refused    bool   // the flow can't go on: Problem is all there is
	Home       string
}

// showOAuthPage shows the page that plays a provider.
func (s *Server) showOAuthPage(w http.ResponseWriter, r *http.Request) {
	flow, err := s.parseOAuthFlow(r.PathValue("provider"), r.URL.Query())
	if err != nil {
		s.refuseOAuth(w, r, err)
		return
	}
	s.renderOAuthPage(w, r, http.StatusOK, flow, oauthPage{Verified: true})
}

func (s *Server) renderOAuthPage(w http.ResponseWriter, r *http.Request, status int, flow *oauthFlow, page oauthPage) {
	page.Stylesheet, page.Provider, page.Home = s.opts.Stylesheet, flow.provider.name, s.opts.BaseURL+"/"
	page.Action = oauthPagePrefix + flow.provider.key + "?" + oauthQuery(r)
	targets := []string{origin(flow.loginURL), origin(flow.signupURL)}
	page.Target = strings.TrimPrefix(strings.TrimPrefix(targets[0], "https://"), "http://")
	pages.SetHeaders(w)
	pages.AllowForm(w, targets...) // browsers apply the rule for forms to the redirect after one as well
	pages.Render(w, r, s.opts.Log, status, pageTemplates().Lookup("oauth.html"), page)
}

func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil { // was parsed before
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// refuseOAuth shows why a sign-in can't go on.
func (s *Server) refuseOAuth(w http.ResponseWriter, r *http.Request, err error) {
	page := oauthPage{Stylesheet: s.opts.Stylesheet, Home: s.opts.BaseURL + "/", Refused: true}
	status := http.StatusServiceUnavailable
	var known *apiError
	switch {
	case errors.As(err, &known):
		status, page.Problem = known.status, known.message
	case errors.Is(err, errAccountOfOther):
		status, page.Problem = http.StatusConflict, "This account belongs to another user already."
	default:
		s.opts.Log.Error("cannot sign in by OAuth", "error", s.opts.Explain(err))
		page.Problem = "The database can’t be reached. Go back and try again in a minute."
	}
	s.render(w, r, status, "oauth.html", page)
}

// submitOAuthPage signs in with the account typed into the page, or gives up.
func (s *Server) submitOAuthPage(w http.ResponseWriter, r *http.Request) {
	flow, err := s.parseOAuthFlow(r.PathValue("provider"), r.URL.Query())
	if err != nil {
		s.refuseOAuth(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if r.PostFormValue("action") == "cancel" {
		redirectBack(w, flow.loginURL, url.Values{
			"stytch_token_type": {"oauth"}, "error": {"access_denied"}, "error_description": {"The sign-in was cancelled at the provider."},
		})
		return
	}
	typed, verified := r.PostFormValue("email"), r.PostFormValue("verified") != ""
	email, err := parseEmail(typed)
	if err != nil {
		s.renderOAuthPage(w, r, http.StatusUnprocessableEntity, flow, oauthPage{
			Email: typed, Verified: verified, Problem: "Enter an email address, such as ada@example.com.",
		})
		return
	}
	token, created, err := s.signInAt(r.Context(), flow, oauthAccount{provider: flow.provider, email: email, verified: verified})
	if err != nil {
		s.refuseOAuth(w, r, err)
		return
	}
	target := flow.loginURL
	if created {
		target = flow.signupURL
	}
	redirectBack(w, target, url.Values{"stytch_token_type": {"oauth"}, "token": {token}})
}

// redirectBack sends a browser back to the app, with parameters added to the address.
func redirectBack(w http.ResponseWriter, address string, query url.Values) {
	pages.SetHeaders(w)
	w.Header().Set("Location", withQuery(address, query))
	w.WriteHeader(http.StatusSeeOther)
}

// withQuery adds parameters to an address and keeps its own.
func withQuery(address string, query url.Values) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + query.Encode()
}

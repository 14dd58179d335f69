package web

import (
	"net/http"
	"net/url"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/session"
)

// profilePage is the viewer's own page.
type profilePage struct {
	layoutData
	Sessions      []profileSession
	Passkeys      *passkeysSection // nil if passkeys don't work at the base URL
	Authenticator authenticatorSection
	Tokens        *tokensSection // nil unless the viewer is an administrator
}

type profileSession struct {
	session.Session
	Current bool // this browser's session
}

func (s *server) showProfile(w http.ResponseWriter, r *http.Request) error {
	typed, restored := s.draft(w, r)
	view, err := s.profile(w, r)
	if err != nil {
		return err
	}
	if part := view.Tokens; restored && part != nil {
		part.Draft.Name, part.Draft.Scope, part.Draft.Days = typed.Get("name"), typed.Get("scope"), typed.Get("days")
	}
	return s.render(w, r, http.StatusOK, "profile", view)
}

// profile returns the page before any change.
func (s *server) profile(w http.ResponseWriter, r *http.Request) (profilePage, error) {
	current := viewer(r)
	list, err := s.opts.Sessions.List(r.Context(), current.UserID)
	if err != nil {
		return profilePage{}, err
	}
	view := profilePage{layoutData: s.sectionLayout(w, r, "Your profile", "profile")}
	for _, v := range list {
		view.Sessions = append(view.Sessions, profileSession{v, v.TokenHash == current.TokenHash})
	}
	factors, err := s.opts.Factors.List(r.Context(), current.UserID)
	if err != nil {
		return profilePage{}, err
	}
	view.Authenticator = newAuthenticatorSection(factors)
	if view.Passkeys = s.newPasskeysSection(factors); view.Passkeys != nil {
		view.Passkeys.Gone = view.Message.GonePasskey
	}
	if current.User.IsActiveAdmin() {
		view.Tokens, err = s.tokens(r)
	}
	return view, err
}

// endOwnSessions ends one session by its ID, all "others", or "all" including this one. The last
// two revoke the links sent so far and, if requested, the API tokens.
func (s *server) endOwnSessions(w http.ResponseWriter, r *http.Request, form url.Values) error {
	current, which := viewer(r), form.Get("session")
	message := ""
	switch which {
	case "all", "others":
		o := directory.SignOut{Reason: "signed out", Tokens: form.Has("tokens")}
		if which == "others" {
			o.KeepSession = current.TokenHash
		}
		ended, err := s.opts.Directory.SignOut(r.Context(), actorOf(r), current.UserID, o)
		if err != nil {
			return err
		}
		message = endedAll(ended)
	default:
		n, err := s.opts.Sessions.Revoke(r.Context(), originOf(r), current.UserID, "signed out", func(v session.Session) bool { return v.StytchSessionID == which })
		if err != nil {
			return err
		}
		message = "Ended " + humanize.Plural(n, "session") + "."
	}
	if which == "all" || which == current.StytchSessionID {
		s.opts.Cookies.ClearToken(w, r)
		s.opts.Cookies.ForgetLast(w, r)
		return s.redirect(w, r, "/?signed-out")
	}
	return s.redirectWithMessage(w, r, "/profile", message)
}

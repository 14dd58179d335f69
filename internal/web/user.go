package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/session"
)

// userPage shows one user.
type userPage struct {
	layoutData
	User       directory.User
	Badge      string // style of the badge with the label
	Label      string // status as text
	InvitedBy  string // display name; empty if unknown or removed
	Self       bool   // the user is the viewer
	Name, Role string // values of the form
	Errors     map[string]string
	Invitation directory.Invitation
	Waiting    []jobRow // outbox jobs besides a pending invitation
	Sessions   []session.Session
	Factors    userFactors
	Tokens     []listedToken
	Events     []eventRow
	MoreEvents bool
	Groups     userGroups
}

func (s *server) showUser(w http.ResponseWriter, r *http.Request, u directory.User) error {
	view := userPage{User: u, Name: u.Name, Role: string(u.Role)}
	if typed, ok := s.draft(w, r); ok {
		view.Name, view.Role = typed.Get("name"), typed.Get("role")
	}
	return s.userPage(w, r, http.StatusOK, view)
}

// userPage completes the page for view.User.
func (s *server) userPage(w http.ResponseWriter, r *http.Request, status int, view userPage) error {
	u := view.User
	view.layoutData = s.sectionLayout(w, r, u.DisplayName(), "users")
	view.Self = u.ID == viewer(r).UserID
	jobs, err := s.opts.Directory.ListJobs(r.Context(), u.Email)
	if err != nil {
		return err
	}
	view.Badge, view.Label = s.badge(u, jobs), u.Label(jobs, s.opts.InviteDuration, s.opts.Now())
	view.Invitation, view.Waiting = u.Invitation(jobs, s.opts.InviteDuration, s.opts.Now()), otherJobs(jobs)
	if err := s.findCancelled(r, u, &view.Invitation); err != nil {
		return err
	}
	trail, more, err := s.opts.Events.ListEvents(r.Context(), event.Query{Person: u.ID, Limit: 5})
	if err != nil {
		return err
	}
	view.Events, view.MoreEvents = eventLines(trail), more != ""
	for i := range view.Events {
		view.Events[i].About = ""
	}
	if view.Sessions, err = s.opts.Sessions.List(r.Context(), u.ID); err != nil {
		return err
	}
	factors, err := s.opts.Factors.List(r.Context(), u.ID)
	if err != nil {
		return err
	}
	view.Factors = newUserFactors(factors)
	if err := s.completeUserGroups(r, u, &view.Groups); err != nil {
		return err
	}
	tokens, err := s.opts.Tokens.List(r.Context(), u.ID)
	if err != nil {
		return err
	}
	view.Tokens = s.listed(tokens)
	if u.InvitedBy != "" {
		by, err := s.opts.Directory.GetUser(r.Context(), u.InvitedBy)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return err
		}
		view.InvitedBy = by.DisplayName()
	}
	return s.render(w, r, status, "user", view)
}

// userFactors is what a user has set up to sign in with, besides their email.
type userFactors struct {
	Passkeys []factor.Factor
	App      factor.Factor
	HasApp   bool
}

func newUserFactors(factors []factor.Factor) userFactors {
	var u userFactors
	u.App, u.HasApp = factor.FindTOTP(factors)
	for _, f := range factors {
		if f.Kind == factor.Passkey {
			u.Passkeys = append(u.Passkeys, f)
		}
	}
	return u
}

// findCancelled sets when the invitation of a suspended user was cancelled, if an earlier release
// did that without storing it. The audit log tells.
func (s *server) findCancelled(r *http.Request, u directory.User, i *directory.Invitation) error {
	if u.Status != directory.Suspended || !i.Sent.IsZero() || !i.Cancelled.IsZero() {
		return nil
	}
	sent, _, err := s.opts.Events.ListEvents(r.Context(), event.Query{Kind: event.InviteSent, About: u.Email.Normalized, Limit: 1})
	if err == nil && len(sent) > 0 && sent[0].SubjectID == u.ID {
		i.Cancelled = sent[0].At
	}
	return err
}

// userPath returns the path of a user's page that keeps the part of the list the request came from.
func userPath(r *http.Request, id string) string { return "/users/" + id + listStateOf(r).Carry() }

func (s *server) editUser(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id, name, role := r.PathValue("id"), form.Get("name"), form.Get("role")
	u, err := s.opts.Directory.Edit(r.Context(), actorOf(r), id, directory.Edit{Name: &name, Role: &role})
	if err == nil {
		return s.redirectWithMessage(w, r, userPath(r, id), "Saved "+u.DisplayName()+".")
	}
	view := userPage{Name: name, Role: role}
	status := http.StatusUnprocessableEntity
	invalid := invalidFields(err)
	switch {
	case invalid != nil:
		view.Errors = invalid
	case errors.Is(err, directory.ErrLastAdmin):
		view.Errors = map[string]string{"role": "This is the last active administrator. Make someone else who is active an administrator first."}
		status = http.StatusConflict
	default:
		return err
	}
	if view.User, err = s.opts.Directory.GetUser(r.Context(), id); err != nil {
		return err
	}
	return s.userPage(w, r, status, view)
}

func (s *server) inviteUserAgain(w http.ResponseWriter, r *http.Request) error {
	u, err := s.opts.Directory.Reinvite(r.Context(), actorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.inviteRedirect(w, r, userPath(r, u.ID), u)
}

// endUserSessions ends one session of a user by its ID, or all of them. Ending all revokes the
// links sent so far and, if requested, the user's API tokens.
func (s *server) endUserSessions(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id, which := r.PathValue("id"), form.Get("session")
	if which == "" {
		ended, err := s.opts.Directory.SignOut(r.Context(), actorOf(r), id, directory.SignOut{
			Reason: "ended by an administrator", Tokens: form.Has("tokens"),
		})
		if err != nil {
			return err
		}
		return s.redirectWithMessage(w, r, userPath(r, id), endedAll(ended))
	}
	n, err := s.opts.Sessions.Revoke(r.Context(), originOf(r), id, "ended by an administrator", func(v session.Session) bool { return v.StytchSessionID == which })
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, userPath(r, id), "Ended "+humanize.Plural(n, "session")+".")
}

// endedAll returns the message after all sessions of a user were ended.
func endedAll(ended directory.Ended) string {
	text := "Ended " + humanize.Plural(ended.Sessions, "session")
	if ended.Tokens > 0 {
		text += " and " + humanize.Plural(ended.Tokens, "API token")
	}
	return text + ". Links that were sent before no longer work."
}

func (s *server) suspendUser(w http.ResponseWriter, r *http.Request) error {
	return s.setStatus(w, r, directory.Suspended, " is suspended and signed out everywhere.")
}

func (s *server) reinstateUser(w http.ResponseWriter, r *http.Request) error {
	return s.setStatus(w, r, directory.Active, " can sign in again.")
}

func (s *server) setStatus(w http.ResponseWriter, r *http.Request, status directory.Status, message string) error {
	want := string(status)
	u, err := s.opts.Directory.Edit(r.Context(), actorOf(r), r.PathValue("id"), directory.Edit{Status: &want})
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, userPath(r, u.ID), u.DisplayName()+message)
}

// removePage asks before a user is removed.
type removePage struct {
	layoutData
	User directory.User
	Self bool
}

func (s *server) showRemove(w http.ResponseWriter, r *http.Request, u directory.User) error {
	title := "Remove " + u.DisplayName() + "?"
	return s.render(w, r, http.StatusOK, "remove", removePage{s.sectionLayout(w, r, title, "users"), u, u.ID == viewer(r).UserID})
}

func (s *server) removeUser(w http.ResponseWriter, r *http.Request) error {
	u, err := s.opts.Directory.Remove(r.Context(), actorOf(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, "/users"+listStateOf(r).Back(), u.Email.Display+" was removed and signed out everywhere.")
}

package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/session"
)

// renewPage asks for how long to renew a membership.
type renewPage struct {
	layoutData
	User   directory.User
	Member directory.Membership
	Ended  bool
	Apps   []apps.App // that the group opens
	Days   []int
	Errors map[string]string
}

func (s *server) showRenew(w http.ResponseWriter, r *http.Request, u directory.User) error {
	return s.renewPage(w, r, http.StatusOK, u, nil)
}

func (s *server) renewPage(w http.ResponseWriter, r *http.Request, status int, u directory.User, invalid map[string]string) error {
	m, err := s.opts.Groups.Membership(r.Context(), r.PathValue("group"), u.ID)
	if err != nil {
		return err
	}
	opened, err := s.opts.Apps.ListOfGroup(r.Context(), m.GroupID)
	if err != nil {
		return err
	}
	return s.render(w, r, status, "renew", renewPage{
		layoutData: s.sectionLayout(w, r, "Renew "+u.DisplayName()+"’s access", "requests"), User: u, Member: m,
		Ended: !m.Active(s.opts.Now()), Apps: opened, Days: directory.RenewDays, Errors: invalid,
	})
}

// renewMembership extends a membership. The field ends is the end that the form showed, so that a
// form that is sent twice extends it once.
func (s *server) renewMembership(w http.ResponseWriter, r *http.Request, form url.Values) error {
	u, err := s.opts.Directory.GetUser(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	days := directory.RenewDays[0]
	if form.Has("days") {
		days, _ = strconv.Atoi(form.Get("days")) // 0 is refused
	}
	m, extended, err := s.extend(r, r.PathValue("group"), u.ID, days, form.Get("ends"))
	invalid := invalidFields(err)
	switch {
	case invalid != nil:
		return s.renewPage(w, r, http.StatusUnprocessableEntity, u, invalid)
	case err != nil:
		return err
	case extended:
		return s.redirectWithMessage(w, r, "/requests", u.DisplayName()+" stays in "+m.GroupName+" until "+humanize.FormatEnd(m.Until)+".")
	}
	text := u.DisplayName() + "’s membership of " + m.GroupName + " was already changed. It has no end date."
	if !m.Until.IsZero() {
		text = u.DisplayName() + "’s membership of " + m.GroupName + " was already changed. It ends on " + humanize.FormatEnd(m.Until) + "."
	}
	return s.redirectWith(w, r, "/requests", session.Message{Warning: true, Text: text})
}

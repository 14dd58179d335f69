package web

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
)

// extensionDays is by how many days the button to renew a membership extends it.
const extensionDays = 30

// membershipRow is a membership in a list: of a group's members, of a user's groups, or of those
// that end soon.
type membershipRow struct {
	directory.Membership
	Title, Path string // what is listed and its page
	Detail      string // more about it; may be empty
	Object      string // for labels of buttons: the person or group
	Action      string // path that changes the end
	Leave       string // path that ends the membership; empty if the list doesn't offer that
	Back        string // value of the field back; may be empty
	End         string // Until as text; empty if there is none
	Seen        string // Until as the form returns it
	Day         string // the last day, as typed
	Days        int    // extensionDays
	Error       string // about Day
	Badge       string // text of the badge that warns of the end; empty if there is none
	Over        bool   // it has ended
}

// membershipRow returns the row for a membership without what depends on the list.
func (s *server) membershipRow(m directory.Membership) membershipRow {
	now := s.opts.Now()
	row := membershipRow{Membership: m, Days: extensionDays, Over: !m.Active(now)}
	if m.Until.IsZero() {
		return row
	}
	row.Seen = m.Until.Format(time.RFC3339Nano)
	row.End, row.Day = humanize.FormatEnd(m.Until), lastDay(m.Until).Format(time.DateOnly)
	switch {
	case row.Over:
		row.Badge = "Ended"
	case m.Ending(now):
		row.Badge = endsIn(m.Until, now)
	}
	return row
}

// lastDay returns the last day of a membership, in UTC.
func lastDay(until time.Time) time.Time { return until.UTC().Add(-time.Nanosecond) }

// endsIn says when a membership ends that ends within some days: "Ends today", "Ends in 3 days".
func endsIn(until, now time.Time) string {
	last := lastDay(until).Truncate(24 * time.Hour)
	switch days := int(math.Round(last.Sub(now.UTC().Truncate(24*time.Hour)).Hours() / 24)); days {
	case 0:
		return "Ends today"
	case 1:
		return "Ends tomorrow"
	default:
		return "Ends in " + humanize.Plural(days, "day")
	}
}

// changeEnd changes the end of a user's membership as a form says: by a number of days from the
// end that the form showed, or to a date or none. It returns a message about the result. The error
// is a *directory.ValidationError for the field until, directory.ErrNotMember, or one of the
// service.
func (s *server) changeEnd(r *http.Request, groupID, userID string, form url.Values) (string, error) {
	if form.Get("days") != "" {
		return s.renew(r, groupID, userID, form)
	}
	m, err := s.opts.Groups.Membership(r.Context(), groupID, userID)
	if err != nil {
		return "", err
	}
	until, err := directory.ParseUntil(form.Get("until"), s.opts.Now())
	if err != nil {
		return "", &directory.ValidationError{Fields: map[string]string{"until": err.Error()}}
	}
	err = s.opts.Groups.Join(r.Context(), originOf(r), groupID, userID, until)
	if err != nil && !errors.Is(err, directory.ErrAlreadyMember) {
		return "", err
	}
	if until.IsZero() {
		return "Membership in " + m.GroupName + " has no end date now.", nil
	}
	return endsOn(m.GroupName, until), nil
}

// renew extends a membership by the days in a form, once for each end that a form showed.
func (s *server) renew(r *http.Request, groupID, userID string, form url.Values) (string, error) {
	days, err := strconv.Atoi(form.Get("days"))
	if err != nil || days != extensionDays {
		return "", errBadForm
	}
	m, _, err := s.extend(r, groupID, userID, days, form.Get("seen"))
	switch {
	case err != nil:
		return "", err
	case m.Until.IsZero():
		return "This membership has no end date.", nil
	}
	return endsOn(m.GroupName, m.Until), nil
}

// extend extends a membership by a number of days, once for each end that a form showed. It
// returns the membership as it is now, and false if it was changed already, such as by a second
// click. Errors: errBadForm, and those of directory.Groups.Renew and Membership.
func (s *server) extend(r *http.Request, groupID, userID string, days int, shown string) (m directory.Membership, extended bool, err error) {
	seen, err := time.Parse(time.RFC3339Nano, shown)
	if err != nil {
		return m, false, errBadForm
	}
	group, until, err := s.opts.Groups.Renew(r.Context(), originOf(r), groupID, userID, days, seen)
	if errors.Is(err, directory.ErrRenewed) || errors.Is(err, directory.ErrNoEnd) {
		m, err = s.opts.Groups.Membership(r.Context(), groupID, userID)
		return m, false, err
	}
	return directory.Membership{GroupID: groupID, GroupName: group.Name, UserID: userID, Until: until}, true, err
}

// endsOn says when a membership ends.
func endsOn(group string, until time.Time) string {
	return "Membership in " + group + " ends on " + humanize.FormatEnd(until) + "."
}

// addUserToGroup adds a user to a group, on the user's page.
func (s *server) addUserToGroup(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id := r.PathValue("id")
	u, err := s.opts.Directory.GetUser(r.Context(), id)
	if err != nil {
		return err
	}
	add := addGroupForm{Name: form.Get("group_names"), Until: form.Get("until")}
	if chosen := form.Get("groups"); chosen != "" {
		add.Group = chosen
	}
	until, untilErr := directory.ParseUntil(add.Until, s.opts.Now())
	groups, err := s.chosenGroups(r, form)
	switch fields := invalidFields(err); {
	case fields != nil:
		add.Errors = fields
	case err != nil:
		return err
	case len(groups) != 1:
		add.Errors = map[string]string{"groups": "Choose a group."}
	case untilErr != nil:
		add.Errors = map[string]string{"until": untilErr.Error()}
	}
	if add.Errors == nil {
		err = s.opts.Groups.Join(r.Context(), originOf(r), groups[0].ID, id, until)
		switch {
		case errors.Is(err, directory.ErrAlreadyMember):
			add.Errors = map[string]string{"groups": "They’re in this group already."}
		case err != nil:
			return groupError(err)
		default:
			return s.redirectWithMessage(w, r, userPath(r, id), u.DisplayName()+" was added to "+groups[0].Name+".")
		}
	}
	view := userPage{User: u, Name: u.Name, Role: string(u.Role)}
	view.Groups.Add = add
	return s.userPage(w, r, http.StatusUnprocessableEntity, view)
}

// changeUserMembership changes the end of a membership, on the user's page.
func (s *server) changeUserMembership(w http.ResponseWriter, r *http.Request, form url.Values) error {
	id, groupID := r.PathValue("id"), r.PathValue("group")
	text, err := s.changeEnd(r, groupID, id, form)
	fields := invalidFields(err)
	switch {
	case fields != nil:
		u, err := s.opts.Directory.GetUser(r.Context(), id)
		if err != nil {
			return err
		}
		view := userPage{User: u, Name: u.Name, Role: string(u.Role)}
		view.Groups.Failed = failedEnd{groupID, form.Get("until"), fields["until"]}
		return s.userPage(w, r, http.StatusUnprocessableEntity, view)
	case err != nil:
		return err
	}
	return s.redirectWithMessage(w, r, userPath(r, id), text)
}

// failedEnd is an end that was refused.
type failedEnd struct{ ID, Typed, Error string } // ID is of the group or user in the row

// apply shows the refused end in its row.
func (f failedEnd) apply(row *membershipRow, id string) {
	if f.Error != "" && f.ID == id {
		row.Day, row.Error = f.Typed, f.Error
	}
}

// leaveGroup ends a membership, on the user's page.
func (s *server) leaveGroup(w http.ResponseWriter, r *http.Request) error {
	id, groupID := r.PathValue("id"), r.PathValue("group")
	text, err := s.endMembership(r, groupID, id)
	if err != nil {
		return err
	}
	return s.redirectWithMessage(w, r, userPath(r, id), text)
}

// endMembership removes a user from a group and returns a message about it.
func (s *server) endMembership(r *http.Request, groupID, userID string) (string, error) {
	g, err := s.opts.Groups.Get(r.Context(), groupID)
	if err != nil {
		return "", groupError(err)
	}
	u, err := s.opts.Directory.GetUser(r.Context(), userID)
	if err != nil {
		return "", err
	}
	if err := s.opts.Groups.Leave(r.Context(), originOf(r), groupID, userID); err != nil {
		return "", err
	}
	return u.DisplayName() + " was removed from " + g.Name + ".", nil
}

// addGroupForm is the form that adds a user to a group, as typed.
type addGroupForm struct {
	Group  string // id
	Name   string // if there are too many groups to list
	Until  string
	Errors map[string]string
}

// userGroups is the part of a user's page about groups and apps.
type userGroups struct {
	Rows       []membershipRow
	Choices    groupChoices // those the user isn't in
	Add        addGroupForm
	Failed     failedEnd
	GuestUntil string // last day of a guest; empty unless the user is one
	GuestOver  bool
	GuestSoon  bool // it is within a week
	Apps       []userApp
	MoreApps   int
}

// userApp is an app that a user may open, or could open until a membership ended.
type userApp struct {
	ID, Name, URL string
	Why           string
	Open          bool
}

// maxUserApps is the number of apps on a user's page.
const maxUserApps = 50

// completeUserGroups sets what the page needs besides the form.
func (s *server) completeUserGroups(r *http.Request, u directory.User, part *userGroups) error {
	list, err := s.opts.Groups.Memberships(r.Context(), u.ID)
	if err != nil {
		return err
	}
	in := map[string]bool{}
	for _, m := range list {
		in[m.GroupID] = true
		row := s.membershipRow(m)
		row.Title, row.Path, row.Object = m.GroupName, "/groups/"+m.GroupID, m.GroupName
		row.Action = "/users/" + u.ID + "/groups/" + m.GroupID
		row.Leave = row.Action + "/leave" + listStateOf(r).Carry()
		row.Action += listStateOf(r).Carry()
		part.Failed.apply(&row, m.GroupID)
		part.Rows = append(part.Rows, row)
	}
	now := s.opts.Now()
	if until, guest := directory.GuestUntil(list); guest {
		last := directory.Membership{Until: until}
		part.GuestUntil, part.GuestOver, part.GuestSoon = lastDay(until).Format("2 January 2006"), !last.Active(now), last.Ending(now)
	}
	if part.Choices, err = s.groupChoices(r, nil); err != nil {
		return err
	}
	var rest []directory.Group
	for _, g := range part.Choices.Groups {
		if !in[g.ID] {
			rest = append(rest, g)
		}
	}
	part.Choices.Groups = rest
	access, err := s.opts.Apps.ListAccess(r.Context(), u)
	if err != nil {
		return err
	}
	if len(access) > maxUserApps {
		part.MoreApps, access = len(access)-maxUserApps, access[:maxUserApps]
	}
	for _, a := range access {
		part.Apps = append(part.Apps, userApp{ID: a.App.ID, Name: a.App.Name, URL: a.App.URL(), Why: accessReason(a), Open: a.Decision == apps.Allowed})
	}
	return nil
}

// accessReason says why a user may open an app, or no longer may.
func accessReason(a apps.AppAccess) string {
	var names []string
	for _, m := range a.Through {
		names = append(names, m.GroupName)
	}
	switch {
	case a.Decision == apps.SwitchedOff:
		return "Closed while the app is switched off"
	case a.Decision == apps.Suspended:
		return "Closed while they’re suspended"
	case a.Decision == apps.MembershipEnded:
		return "Closed since their membership in " + strings.Join(names, ", ") + " ended"
	case a.App.Audience == apps.Everyone:
		return "Open to everyone on the list"
	}
	return "Through " + strings.Join(names, ", ")
}

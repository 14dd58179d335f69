package directory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// Group is a set of users that opens apps. Times are UTC.
type Group struct {
	ID        string // UUIDv7
	Name      string // as typed, without commas, at most MaxGroupName characters
	CreatedAt time.Time

	Members int // number of members, including ended memberships; set in lists only
	Apps    int // number of apps it opens; set in lists only
}

// Key returns the form of the name in which it is unique.
func (g Group) Key() string { return GroupKey(g.Name) }

// GroupKey returns the form in which a group's name is compared: in lower case.
func GroupKey(name string) string { return strings.ToLower(name) }

// Membership is a user's place in a group. Times are UTC.
type Membership struct {
	GroupID   string
	GroupName string // set where memberships are read, not where they are written
	UserID    string
	Until     time.Time // it ends at this time; zero if it has no end
	AddedBy   string    // id of the administrator; empty if added by the program
	CreatedAt time.Time
}

// Active reports whether the membership hasn't ended.
func (m Membership) Active(now time.Time) bool { return m.Until.IsZero() || now.Before(m.Until) }

// EndWarning is how long before its end a membership is reported as ending, and its user and
// the administrators are warned. A membership that is shorter from the start causes no warning.
const EndWarning = 7 * 24 * time.Hour

// Ending reports whether the membership ends within EndWarning. An ended one doesn't.
func (m Membership) Ending(now time.Time) bool {
	return !m.Until.IsZero() && m.Active(now) && m.Until.Sub(now) < EndWarning
}

// Extended returns the end of the membership extended by a number of days: counted from its
// end, or from now if that has passed, to the end of a day in UTC.
func (m Membership) Extended(days int, now time.Time) time.Time {
	from := m.Until
	if from.Before(now) {
		from = now
	}
	from = from.UTC().AddDate(0, 0, days)
	midnight := from.Truncate(24 * time.Hour)
	if midnight.Before(from) {
		midnight = midnight.AddDate(0, 0, 1)
	}
	return midnight
}

// GuestUntil returns when a user's last membership ends, if they have some and each has an
// end. Such a user is a guest.
func GuestUntil(memberships []Membership) (until time.Time, guest bool) {
	for _, m := range memberships {
		if m.Until.IsZero() {
			return time.Time{}, false
		}
		if m.Until.After(until) {
			until = m.Until
		}
	}
	return until, len(memberships) > 0
}

// ActiveGroupNames returns the names of the groups whose memberships haven't ended, sorted.
func ActiveGroupNames(memberships []Membership, now time.Time) []string {
	var names []string
	for _, m := range memberships {
		if m.Active(now) {
			names = append(names, m.GroupName)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Limits of groups.
const (
	MaxGroupName = 60    // characters
	MaxGroups    = 10000 // groups in all
)

// Errors of groups.
var (
	ErrGroupTaken     = errors.New("a group with this name exists already")
	ErrTooManyGroups  = fmt.Errorf("there are %d groups already: remove one first", MaxGroups)
	ErrAlreadyMember  = errors.New("already in this group")
	ErrNotMember      = errors.New("not in this group")
	ErrNoGroup        = errors.New("this group doesn’t exist any more")
	errGroupNameEmpty = fieldError("Name the group.")
	errGroupNameComma = fieldError("A group’s name can’t contain a comma, because apps receive the names separated by commas.")
	errPastEnd        = fieldError("Choose a date in the future.")
	errUntilAlone     = fieldError("Choose a group too: the date is when they leave it.")
)

// ParseGroupName parses the name of a group. The error is a message for the field.
func ParseGroupName(s string) (string, error) {
	name, err := ParseName(s)
	switch {
	case err != nil:
		return "", err
	case name == "":
		return "", errGroupNameEmpty
	case strings.Contains(name, ","):
		return "", errGroupNameComma
	case utf8.RuneCountInString(name) > MaxGroupName:
		return "", fieldError(fmt.Sprintf("Use at most %d characters.", MaxGroupName))
	}
	return name, nil
}

// ParseUntil parses the end of a membership: empty for none, a date (YYYY-MM-DD; the
// membership lasts to the end of that day in UTC) or a time in RFC 3339. It must be after
// now. The error is a message for the field.
func ParseUntil(s string, now time.Time) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	until, err := time.Parse(time.RFC3339, s)
	if err != nil {
		day, dateErr := time.Parse(time.DateOnly, s)
		if dateErr != nil {
			return time.Time{}, fieldError("Write the date as YYYY-MM-DD.")
		}
		until = day.AddDate(0, 0, 1)
	}
	until = until.UTC().Truncate(time.Microsecond)
	if !until.After(now) {
		return time.Time{}, errPastEnd
	}
	return until, nil
}

// NewGroup returns a group with the name as typed, and the event of its creation. The
// error is a *ValidationError.
func NewGroup(by event.Origin, name string, now time.Time) (Group, event.Event, error) {
	parsed, err := ParseGroupName(name)
	if err := validate(map[string]error{"name": err}); err != nil {
		return Group{}, event.Event{}, err
	}
	g := Group{ID: ids.New(), Name: parsed, CreatedAt: now}
	return g, by.NewEvent(event.GroupCreated, now, "", "", g.Name), nil
}

// Join returns the membership of a user who is added to a group until a time, which is zero
// for no end, or whose membership old gets that end, and the event of it. old may be nil.
// Errors: *ValidationError for a time that has passed, ErrAlreadyMember if nothing changes.
func Join(by event.Origin, group Group, u User, old *Membership, until, now time.Time) (*Membership, event.Event, error) {
	if !until.IsZero() && !until.After(now) {
		return nil, event.Event{}, &ValidationError{Fields: map[string]string{"until": errPastEnd.Error()}}
	}
	if old == nil {
		m := &Membership{GroupID: group.ID, UserID: u.ID, Until: until, AddedBy: by.ActorID, CreatedAt: now}
		return m, membershipEvent(by, event.GroupJoined, u, group, time.Time{}, until, now), nil
	}
	if old.Until.Equal(until) {
		return nil, event.Event{}, ErrAlreadyMember
	}
	m := *old
	m.Until = until
	return &m, membershipEvent(by, event.GroupExtended, u, group, old.Until, until, now), nil
}

// membershipEvent returns an event about a user's membership. Its Reason is the group's
// name; a change of the end is in its Changes.
func membershipEvent(by event.Origin, kind event.Kind, u User, group Group, old, until time.Time, now time.Time) event.Event {
	e := u.event(by, kind, now, group.Name)
	if !old.Equal(until) {
		e.Changes = []event.Change{{Field: "until", Old: formatUntil(old), New: formatUntil(until)}}
	}
	return e
}

func formatUntil(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

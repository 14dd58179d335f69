package apps

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/text"
)

// RequestState is the state of a request for access.
type RequestState string

// The states.
const (
	RequestPending  RequestState = "pending"
	RequestApproved RequestState = "approved"
	RequestDenied   RequestState = "denied"
)

// RequestStates lists all states.
var RequestStates = []RequestState{RequestPending, RequestApproved, RequestDenied}

// IsRequestState reports whether s is one of RequestStates.
func IsRequestState(s string) bool { return slices.Contains(RequestStates, RequestState(s)) }

// Request is a user's newest request for access to an app. Times are UTC.
type Request struct {
	ID        string // UUIDv7; another one each time the user asks
	AppID     string
	UserID    string
	Note      string // as typed, at most MaxNote characters; may be empty
	State     RequestState
	CreatedAt time.Time
	DecidedAt time.Time // zero while it is pending
	DecidedBy string    // id of the administrator; empty while it is pending, and for the command line
	Reason    string    // why it was denied, as typed, at most MaxNote characters; may be empty

	App         App                    // with its Groups; set where requests are read
	User        directory.User         // set where requests are read
	Memberships []directory.Membership // of the user; set where requests are read
}

// Obstacle is a reason why approving a request would add no membership.
type Obstacle string

// The obstacles.
const (
	NoObstacle    Obstacle = ""
	UserSuspended Obstacle = "suspended" // the user is suspended: restore their access first
	HasAccess     Obstacle = "access"    // the user can open the app already; approving closes the request
	NoGroups      Obstacle = "no_groups" // no group opens the app: choose one first
)

// Obstacle returns why approving the request would add no membership.
func (r Request) Obstacle(now time.Time) Obstacle {
	switch {
	case r.User.Status == directory.Suspended:
		return UserSuspended
	case hasLastingAccess(r.App, r.User, r.Memberships, now):
		return HasAccess
	case len(r.App.Groups) == 0:
		return NoGroups
	}
	return NoObstacle
}

// AccessEnd returns when a user's access to an app ends, given their memberships. It is zero
// if it has no end, or if there is none.
func AccessEnd(a App, memberships []directory.Membership, now time.Time) time.Time {
	var end time.Time
	for _, m := range memberships {
		switch {
		case a.Audience == Everyone, !m.Active(now), !a.OpensTo(m.GroupID):
		case m.Until.IsZero():
			return time.Time{}
		case m.Until.After(end):
			end = m.Until
		}
	}
	return end
}

// hasLastingAccess reports whether a user may open an app, as soon as it is switched on, and
// won't lose that soon.
func hasLastingAccess(a App, u directory.User, memberships []directory.Membership, now time.Time) bool {
	if decideByRule(a, u, memberships, now) != Allowed {
		return false
	}
	return !directory.Membership{Until: AccessEnd(a, memberships, now)}.Ending(now)
}

// Limits of requests.
const (
	MaxNote       = 400            // characters of a note, and of a reason
	AskAgainAfter = 24 * time.Hour // after a denial
)

// Errors of requests.
var (
	ErrSwitchedOff     = errors.New("this app is switched off: ask again when an administrator has switched it on")
	ErrHasAccess       = errors.New("you can open this app already")
	ErrRequestPending  = errors.New("you have asked for access already")
	ErrTooManyRequests = errors.New("you have asked for access to many apps today")
	ErrOwnRequest      = errors.New("no one can decide their own request: ask another administrator")
	ErrRequestDecided  = errors.New("this request was decided already")
	ErrUserSuspended   = errors.New("this person is suspended: restore their access first")
	ErrNoAppGroups     = errors.New("no group opens this app: choose its groups first")
	ErrNoRequest       = errors.New("this request doesn't exist any more: the person or the app was removed, or the person asked again")
)

// DeniedError reports that a user must wait before asking again.
type DeniedError struct {
	Until  time.Time
	Reason string // why the request was denied; may be empty
}

func (e *DeniedError) Error() string {
	return "your request was denied: you can ask again after " + e.Until.UTC().Format(time.RFC3339)
}

// RequestFacts is what the rules about a request depend on.
type RequestFacts struct {
	App         App // with its Groups
	User        directory.User
	Memberships []directory.Membership
	Request     *Request // the newest one; nil if there is none
}

// canSee reports whether the user may know that the app exists.
func (f RequestFacts) canSee(now time.Time) bool {
	return f.App.AllowRequests || decideByRule(f.App, f.User, f.Memberships, now) == Allowed
}

// mayAsk returns an error unless the user may request access now. Errors:
// directory.ErrNotFound if they may not know that the app exists, ErrSwitchedOff, ErrHasAccess,
// ErrRequestPending, *DeniedError, ErrUserSuspended.
func (f RequestFacts) mayAsk(now time.Time) error {
	switch {
	case !f.canSee(now):
		return directory.ErrNotFound
	case f.User.Status == directory.Suspended:
		return ErrUserSuspended
	case !f.App.Enabled:
		return ErrSwitchedOff
	case !f.App.AllowRequests, hasLastingAccess(f.App, f.User, f.Memberships, now):
		return ErrHasAccess
	case f.Request == nil:
		return nil
	case f.Request.State == RequestPending:
		return ErrRequestPending
	case f.Request.State == RequestDenied && now.Before(f.Request.DecidedAt.Add(AskAgainAfter)):
		return &DeniedError{f.Request.DecidedAt.Add(AskAgainAfter), f.Request.Reason}
	}
	return nil
}

// newRequest returns a request of the user and its event. Errors: those of mayAsk.
func (f RequestFacts) newRequest(by event.Origin, note string, now time.Time) (Request, event.Event, error) {
	if err := f.mayAsk(now); err != nil {
		return Request{}, event.Event{}, err
	}
	r := Request{ID: ids.New(), AppID: f.App.ID, UserID: f.User.ID, Note: note, State: RequestPending, CreatedAt: now}
	e := f.event(by, event.AccessRequested, now)
	if note != "" {
		e.Changes = []event.Change{{Field: "note", New: note}}
	}
	return r, e, nil
}

// event returns an event about the user, with the app's name as its Reason.
func (f RequestFacts) event(by event.Origin, kind event.Kind, now time.Time) event.Event {
	return by.NewEvent(kind, now, f.User.ID, f.User.Email.Normalized, f.App.Name)
}

// Verdict is what to write when a request is decided.
type Verdict struct {
	Request    Request
	Membership *directory.Membership // to write; nil if none is
	Events     []event.Event         // the first is about the request
}

// decide returns an error unless an actor may decide the request. Errors: ErrNoRequest,
// ErrRequestDecided, ErrOwnRequest.
func (f RequestFacts) decide(by event.Origin) error {
	switch {
	case f.Request == nil:
		return ErrNoRequest
	case f.Request.State != RequestPending:
		return ErrRequestDecided
	case by.ActorID == f.User.ID:
		return ErrOwnRequest
	}
	return nil
}

// Approval is how to approve a request.
type Approval struct {
	Group string    // id or name of one of the app's groups; may be empty if there is only one
	Until time.Time // when the access ends; zero for no end
}

// approve returns the verdict of an approval. Errors: those of decide, ErrUserSuspended,
// ErrNoAppGroups, *directory.ValidationError.
func (f RequestFacts) approve(by event.Origin, a Approval, now time.Time) (Verdict, error) {
	if err := f.decide(by); err != nil {
		return Verdict{}, err
	}
	r := *f.Request
	r.State, r.DecidedAt, r.DecidedBy = RequestApproved, now, by.ActorID
	e := f.event(by, event.AccessApproved, now)
	r.App, r.User, r.Memberships = f.App, f.User, f.Memberships
	switch r.Obstacle(now) {
	case UserSuspended:
		return Verdict{}, ErrUserSuspended
	case NoGroups:
		return Verdict{}, ErrNoAppGroups
	case HasAccess:
		return Verdict{Request: r, Events: []event.Event{e}}, nil
	}
	group, err := f.chooseGroup(a.Group)
	if err != nil {
		return Verdict{}, err
	}
	if end := AccessEnd(f.App, f.Memberships, now); !a.Until.IsZero() && a.Until.Before(end) {
		return Verdict{}, &directory.ValidationError{Fields: map[string]string{
			"until": "They have access until " + humanize.FormatEnd(end) + " already. Choose a later date.",
		}}
	}
	m, joined, err := directory.Join(by, group, f.User, f.membershipOf(group.ID), a.Until, now)
	if errors.Is(err, directory.ErrAlreadyMember) {
		return Verdict{}, &directory.ValidationError{Fields: map[string]string{"until": "They have access until then already. Choose a later date."}}
	}
	if err != nil {
		return Verdict{}, err
	}
	e.Changes = []event.Change{{Field: "group", New: group.Name}}
	if !a.Until.IsZero() {
		e.Changes = append(e.Changes, event.Change{Field: "until", New: a.Until.UTC().Format(time.RFC3339)})
	}
	return Verdict{Request: r, Membership: m, Events: []event.Event{e, joined}}, nil
}

// chooseGroup returns the app's group with an id or a name, ignoring case, or its only group if
// that is empty.
func (f RequestFacts) chooseGroup(idOrName string) (directory.Group, error) {
	if idOrName == "" && len(f.App.Groups) == 1 {
		return f.App.Groups[0], nil
	}
	i := slices.IndexFunc(f.App.Groups, func(g directory.Group) bool {
		return g.ID == idOrName || g.Key() == directory.GroupKey(idOrName)
	})
	if i < 0 {
		return directory.Group{}, &directory.ValidationError{Fields: map[string]string{"group": "Choose one of the app’s groups."}}
	}
	return f.App.Groups[i], nil
}

func (f RequestFacts) membershipOf(groupID string) *directory.Membership {
	i := slices.IndexFunc(f.Memberships, func(m directory.Membership) bool { return m.GroupID == groupID })
	if i < 0 {
		return nil
	}
	return &f.Memberships[i]
}

// deny returns the verdict of a denial. Errors: those of decide.
func (f RequestFacts) deny(by event.Origin, reason string, now time.Time) (Verdict, error) {
	if err := f.decide(by); err != nil {
		return Verdict{}, err
	}
	r := *f.Request
	r.State, r.DecidedAt, r.DecidedBy, r.Reason = RequestDenied, now, by.ActorID, reason
	r.App, r.User, r.Memberships = f.App, f.User, f.Memberships
	e := f.event(by, event.AccessDenied, now)
	if reason != "" {
		e.Changes = []event.Change{{Field: "reason", New: reason}}
	}
	return Verdict{Request: r, Events: []event.Event{e}}, nil
}

// parseNote parses a note or a reason: text on one line, without invisible characters. The
// error is a *directory.ValidationError for the field.
func parseNote(field, s string) (string, error) {
	note := strings.Join(strings.Fields(text.Clean(strings.ToValidUTF8(s, ""))), " ")
	note = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, note)
	if utf8.RuneCountInString(note) > MaxNote {
		return "", &directory.ValidationError{Fields: map[string]string{field: fmt.Sprintf("Use at most %d characters.", MaxNote)}}
	}
	return note, nil
}

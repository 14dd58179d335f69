package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
)

// activityPage shows the audit log.
type activityPage struct {
	layoutData
	Kind, About, By string // filters, as typed
	Person          string // filter: ID of a user
	Errors          map[string]string
	Kinds           []kindOption
	Events          []eventRow
	NewestURL       string // empty on the first page
	OlderURL        string // empty on the last
	Filtered        bool
	LargeDatabase   bool // see Options.IsLargeDatabase
}

// kindOption is an event kind to filter by.
type kindOption struct {
	Kind  event.Kind
	Label string
}

// eventRow is an event as text.
type eventRow struct {
	event.Event
	Label string
	By    string // the actor; empty if it is the subject
	About string // the subject; empty if the page is about it
	First bool   // the changes are the first values, so there are no old ones
}

var eventLabels = map[event.Kind]string{
	event.LinkRequested:  "Requested a sign-in link",
	event.LinkFailed:     "Sign-in link couldn’t be sent",
	event.LinkOpened:     "Link opened in a different browser",
	event.SignedIn:       "Signed in",
	event.SignInRefused:  "Sign-in refused",
	event.SessionEnded:   "Session ended",
	event.UserAdded:      "Added",
	event.UserInvited:    "Invited",
	event.InviteSent:     "Invitation sent",
	event.UserJoined:     "Joined",
	event.UserEdited:     "Edited",
	event.UserSuspended:  "Suspended",
	event.UserReinstated: "Access restored",
	event.UserRemoved:    "Removed",
	event.ActionRefused:  "Action refused",
	event.SettingChanged: "Settings changed",
	event.JobParked:      "Update refused",
	event.JobRetried:     "Update retried",
	event.JobDropped:     "Update cancelled",
	event.StytchMismatch: "Login service and list differ",
	event.ImportStarted:  "Import started",
	event.ImportStopped:  "Import stopped",
	event.ImportDone:     "Import finished",
	event.ListExported:   "List exported",
	event.TokenCreated:   "API token created",
	event.TokenRevoked:   "API token revoked",

	event.GroupCreated:        "Group created",
	event.GroupRenamed:        "Group renamed",
	event.GroupRemoved:        "Group removed",
	event.GroupJoined:         "Added to group",
	event.GroupExtended:       "Group membership changed",
	event.GroupLeft:           "Removed from group",
	event.AppCreated:          "App added",
	event.AppEdited:           "App edited",
	event.AppRemoved:          "App removed",
	event.AppTokenCreated:     "App token created",
	event.AppTokenRevoked:     "App token revoked",
	event.AccessRequested:     "Access requested",
	event.AccessApproved:      "Access approved",
	event.AccessDenied:        "Access denied",
	event.AppRefused:          "App refused",
	event.CodeRequested:       "Requested a sign-in code",
	event.CodeFailed:          "Sign-in code couldn’t be sent",
	event.Confirmed:           "Identity confirmed",
	event.ConfirmRefused:      "Confirmation refused",
	event.FactorAdded:         "Passkey or app added",
	event.FactorRenamed:       "Passkey renamed",
	event.FactorRemoved:       "Passkey or app removed",
	event.AppSignedIn:         "App signed in",
	event.GrantEnded:          "App sign-in ended",
	event.DeviceAllowed:       "Device allowed",
	event.DeviceDenied:        "Device sign-in cancelled",
	event.ClientChanged:       "OpenID client changed",
	event.ClientRemoved:       "OpenID client removed",
	event.ClientSecretCreated: "Client secret created",
	event.ClientSecretRevoked: "Client secret revoked",
	event.FactorsReset:        "Sign-in methods removed",
	event.HostLinkMade:        "Sign-in link made on the server",
}

// firstValues are the kinds of events whose changes are the first values of something new.
var firstValues = []event.Kind{event.UserAdded, event.UserInvited, event.GroupJoined, event.AppCreated}

// hasFirstValues reports whether the changes of an event are the first values of something new. A
// client has no kind before it is added.
func hasFirstValues(e event.Event) bool {
	isNew := func(c event.Change) bool { return c.Field == "kind" && c.Old == "" }
	return slices.Contains(firstValues, e.Kind) || e.Kind == event.ClientChanged && slices.ContainsFunc(e.Changes, isNew)
}

// changesText returns changes with the ends of memberships as people read them.
func changesText(changes []event.Change) []event.Change {
	list := slices.Clone(changes)
	for i, c := range list {
		if c.Field == "until" {
			list[i] = event.Change{Field: "last day", Old: changedEnd(c.Old), New: changedEnd(c.New)}
		}
	}
	return list
}

func changedEnd(stored string) string {
	until, err := time.Parse(time.RFC3339, stored)
	if err != nil {
		return "no end"
	}
	return humanize.FormatEnd(until)
}

func eventLines(events []event.Event) []eventRow {
	lines := make([]eventRow, len(events))
	for i, e := range events {
		first := hasFirstValues(e)
		e.Changes = changesText(e.Changes)
		if first { // the label says the name already
			e.Changes = slices.DeleteFunc(e.Changes, func(c event.Change) bool { return c.Field == "name" && c.New == e.Reason })
		}
		lines[i] = eventRow{Event: e, Label: eventLabels[e.Kind], About: e.Subject, First: first}
		if e.Actor != e.Subject {
			lines[i].By = e.Actor
		}
	}
	return lines
}

func (s *server) showActivity(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	view := activityPage{layoutData: s.sectionLayout(w, r, "Activity", "activity"), Kind: v.Get("kind"), About: v.Get("about"), By: v.Get("by"), Person: v.Get("person")}
	for _, kind := range event.Kinds {
		view.Kinds = append(view.Kinds, kindOption{kind, eventLabels[kind]})
	}
	view.LargeDatabase = s.opts.IsLargeDatabase != nil && s.opts.IsLargeDatabase(r.Context())
	view.Filtered = view.Kind != "" || view.About != "" || view.By != "" || view.Person != ""
	query, err := parseEventQuery(v)
	if invalid := invalidFields(err); invalid != nil {
		view.Errors = invalid
		return s.render(w, r, http.StatusUnprocessableEntity, "activity", view)
	}
	events, next, err := s.opts.Events.ListEvents(r.Context(), query)
	if err != nil {
		return err
	}
	view.Events = eventLines(events)
	if query.Before != "" {
		view.NewestURL = eventURL(v, "")
	}
	if next != "" {
		view.OlderURL = eventURL(v, next)
	}
	return s.render(w, r, http.StatusOK, "activity", view)
}

// eventURL returns the query of the page that starts after a cursor, with the filters kept.
func eventURL(v url.Values, cursor string) string {
	q := url.Values{}
	for _, name := range []string{"kind", "person", "about", "by", "limit"} {
		if value := v.Get(name); value != "" {
			q.Set(name, value)
		}
	}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return "?" + q.Encode()
}

// parseEventQuery parses the filters of a page or an API request: kind, person (an ID, which links
// use so that no email address is in one), about and by (email addresses; by may also be an
// operator as the audit log names them), limit and cursor. The error is a
// *directory.ValidationError.
func parseEventQuery(v url.Values) (event.Query, error) {
	q := event.Query{Limit: event.DefaultLimit, Kind: event.Kind(v.Get("kind")), Person: v.Get("person"), Before: v.Get("cursor")}
	fields := map[string]string{}
	address := func(field string) string {
		if v.Get(field) == "" {
			return ""
		}
		email, err := directory.ParseEmail(v.Get(field))
		if err != nil {
			fields[field] = err.Error()
		}
		return email.Normalized
	}
	if q.About = address("about"); event.IsOperator(v.Get("by")) {
		q.By = v.Get("by")
	} else {
		q.By = address("by")
	}
	if q.About != "" && q.By != "" || q.Person != "" && (q.About != "" || q.By != "") {
		fields["by"] = "Filter by one person only: the person or the actor."
	}
	if q.Kind != "" && !event.IsKind(string(q.Kind)) {
		fields["kind"] = "There is no such event."
	}
	if len(q.Before) > 36 || len(q.Person) > 36 {
		fields["cursor"] = "This cursor belongs to another list. Start again without a cursor."
	}
	readLimit(v, &q.Limit, event.MaxLimit, "events", fields)
	if len(fields) > 0 {
		return q, &directory.ValidationError{Fields: fields}
	}
	return q, nil
}

// jsonEvent is an event as programs see it.
type jsonEvent struct {
	ID        string         `json:"id"`
	At        time.Time      `json:"at"`
	Kind      event.Kind     `json:"kind"`
	Actor     *jsonActor     `json:"actor"`   // null if it is the program itself or unknown
	Subject   *jsonActor     `json:"subject"` // null if the event is about no user
	Reason    string         `json:"reason"`
	Changes   []event.Change `json:"changes"`
	Address   string         `json:"address"`
	UserAgent string         `json:"user_agent"`
	RequestID string         `json:"request_id"`
	Token     string         `json:"token"` // name of the API token used; empty if none was
}

// jsonActor is a user at the time of an event, or an operator.
type jsonActor struct {
	ID    string `json:"id"`             // empty if not on the list
	Email string `json:"email"`          // empty for an operator
	Name  string `json:"name,omitempty"` // for an operator: "root on the command line"
}

func toJSONActor(id, actor string) *jsonActor {
	switch {
	case id == "" && actor == "":
		return nil
	case event.IsOperator(actor):
		return &jsonActor{Name: actor}
	}
	return &jsonActor{ID: id, Email: actor}
}

func (s *server) apiListEvents(w http.ResponseWriter, r *http.Request) error {
	query, err := parseEventQuery(r.URL.Query())
	if err != nil {
		return err
	}
	events, next, err := s.opts.Events.ListEvents(r.Context(), query)
	if err != nil {
		return err
	}
	answer := struct {
		Events     []jsonEvent `json:"events"`
		NextCursor *string     `json:"next_cursor"` // null on the last page
	}{Events: make([]jsonEvent, len(events))}
	for i, e := range events {
		answer.Events[i] = jsonEvent{
			ID: e.ID, At: e.At, Kind: e.Kind, Actor: toJSONActor(e.ActorID, e.Actor), Subject: toJSONActor(e.SubjectID, e.Subject), Reason: e.Reason,
			Changes: append([]event.Change{}, e.Changes...), Address: e.Address, UserAgent: e.UserAgent, RequestID: e.RequestID, Token: e.Token,
		}
	}
	if next != "" {
		answer.NextCursor = &next
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// activityPage is the audit trail.
type activityPage struct {
	layoutData
	Kind, About, By string // what is asked for, as typed
	Person          string // id of whom it is about
	Errors          map[string]string
	Kinds           []kindOption
	Events          []eventRow
	NewestURL       string // empty on the first page
	OlderURL        string // empty on the last
	Filtered        bool
	LargeDatabase   bool // see Options
}

// kindOption is one of the things that can happen, to choose from.
type kindOption struct {
	Kind  event.Kind
	Label string
}

// eventRow is an event in words.
type eventRow struct {
	event.Event
	Label string
	By    string // who did it, if not the one it is about
	About string // whom it is about; empty where the page says so already
}

var eventLabels = map[event.Kind]string{
	event.LinkRequested:  "Asked for a sign-in link",
	event.LinkFailed:     "Sign-in link could not be sent",
	event.LinkOpened:     "Link opened in another browser",
	event.SignedIn:       "Signed in",
	event.SignInRefused:  "Not let in",
	event.SessionEnded:   "Session ended",
	event.UserAdded:      "Put on the list",
	event.UserInvited:    "Invited",
	event.InviteSent:     "Invitation handed over",
	event.UserJoined:     "Joined",
	event.UserEdited:     "Edited",
	event.UserSuspended:  "Suspended",
	event.UserReinstated: "Restore access",
	event.UserRemoved:    "Removed",
	event.ActionRefused:  "Action refused",
	event.SettingChanged: "Settings changed",
	event.JobParked:      "Refused by Stytch",
	event.JobRetried:     "Call to Stytch tried again",
	event.JobDropped:     "Call to Stytch given up",
	event.StytchMismatch: "Stytch and the list differ",
	event.ImportStarted:  "Import started",
	event.ImportStopped:  "Import stopped",
	event.ImportDone:     "Import done",
	event.ListExported:   "List exported",
	event.TokenCreated:   "API token made",
	event.TokenRevoked:   "API token revoked",
}

func eventLines(events []event.Event) []eventRow {
	lines := make([]eventRow, len(events))
	for i, e := range events {
		lines[i] = eventRow{Event: e, Label: eventLabels[e.Kind], About: e.Subject}
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
	var invalid *directory.ValidationError
	if errors.As(err, &invalid) {
		view.Errors = invalid.Fields
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

// eventURL is the page's own, from another event on; what is empty is left out.
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

// parseEventQuery reads which part of the trail is asked for, from a page's
// address or a program's: kind, person (an id; links use it, so that no address
// stands in one), about and by (addresses; by may also be an operator, as the
// trail calls them), limit, cursor. The error is *directory.Invalid.
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
		fields["by"] = "Ask for one person: whom it is about, or who did it."
	}
	if q.Kind != "" && !event.IsKind(string(q.Kind)) {
		fields["kind"] = "There is no such kind of event."
	}
	if len(q.Before) > 36 || len(q.Person) > 36 {
		fields["cursor"] = "This cursor belongs to another list: start again without one."
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
	Actor     *jsonActor     `json:"actor"`   // null: the program itself, or nobody known
	Subject   *jsonActor     `json:"subject"` // null: about nobody
	Reason    string         `json:"reason"`
	Changes   []event.Change `json:"changes"`
	Address   string         `json:"address"`
	UserAgent string         `json:"user_agent"`
	RequestID string         `json:"request_id"`
	Token     string         `json:"token"` // name of the API token by which it was done; empty: of none
}

// jsonActor is a person at the time of an event.
type jsonActor struct {
	ID    string `json:"id"`             // empty: nobody on the list
	Email string `json:"email"`          // empty: of an operator
	Name  string `json:"name,omitempty"` // of an operator: "root on the command line"
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

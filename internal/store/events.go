package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

// insertEvents inserts events.
func insertEvents(ctx context.Context, q queries, events ...event.Event) error {
	for _, e := range events {
		row, err := eventParams(e)
		if err == nil {
			err = q.InsertEvent(ctx, row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eventParams converts an event to a row.
func eventParams(e event.Event) (dbsqlc.InsertEventParams, error) {
	changes := "[]"
	if len(e.Changes) > 0 {
		b, err := json.Marshal(e.Changes)
		if err != nil {
			return dbsqlc.InsertEventParams{}, err
		}
		changes = string(b)
	}
	return dbsqlc.InsertEventParams{
		ID: e.ID, At: micros(e.At), Kind: string(e.Kind), ActorID: e.ActorID, Actor: e.Actor,
		SubjectID: truncate(e.SubjectID, 36), Subject: truncate(e.Subject, 254), Reason: truncate(e.Reason, 400), Changes: changes,
		Address: truncate(e.Address, 64), UserAgent: truncate(e.UserAgent, 400), RequestID: e.RequestID, Token: e.Token,
	}, nil
}

// AddEvents inserts events that belong to no change, such as a refusal.
func (s *Store) AddEvents(ctx context.Context, events ...event.Event) error {
	return s.inTx(ctx, "add events", func(q queries) error { return insertEvents(ctx, q, events...) })
}

// ListEvents returns a page of events; see event.Reader.
func (s *Store) ListEvents(ctx context.Context, query event.Query) ([]event.Event, string, error) {
	before := query.Before
	if before == "" {
		before = maxRune
	}
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	rows, err := selectEvents(ctx, q, query, before, int32(query.Limit)+1)
	if err != nil {
		return nil, "", translate("list events", err)
	}
	next := ""
	if len(rows) > query.Limit { // there is a next page
		rows = rows[:query.Limit]
		next = rows[query.Limit-1].ID
	}
	events := make([]event.Event, len(rows))
	for i, r := range rows {
		if events[i], err = toEvent(r); err != nil {
			return nil, "", translate("read event", err)
		}
	}
	return events, next, nil
}

// selectEvents returns events before an id, newest first. It reads them from the index of the most selective filter.
func selectEvents(ctx context.Context, q queries, query event.Query, before string, limit int32) ([]*dbsqlc.Event, error) {
	within, value := dbconn.SQL("kind = ?"), string(query.Kind)
	switch {
	case query.Person != "":
		within, value = "subject_id = ?", query.Person
	case query.About != "":
		within, value = "subject = ?", query.About
	case query.By != "":
		within, value = "actor = ?", query.By
	case query.Kind == "":
		within, value = "id > ?", ""
	}
	t := dbconn.Template{Parts: map[string]dbconn.SQL{"range": within}, Args: []any{value}}
	params := dbsqlc.ListEventsParams{Kind: string(query.Kind), Before: before, Limit: limit}
	return dbsqlc.New(t.On(q.db)).ListEvents(ctx, params)
}

// toEvent converts a row. Names in it may be from a release that allowed invisible characters.
func toEvent(r *dbsqlc.Event) (event.Event, error) {
	e := event.Event{
		ID: r.ID, At: fromMicros(r.At), Kind: event.Kind(r.Kind),
		Origin:    event.Origin{ActorID: r.ActorID, Actor: r.Actor, Address: r.Address, UserAgent: text.Clean(r.UserAgent), RequestID: r.RequestID, Token: text.Clean(r.Token)},
		SubjectID: r.SubjectID, Subject: r.Subject, Reason: text.Clean(r.Reason),
	}
	err := json.Unmarshal([]byte(r.Changes), &e.Changes)
	for i, c := range e.Changes {
		e.Changes[i].Old, e.Changes[i].New = text.Clean(c.Old), text.Clean(c.New)
	}
	return e, err
}

// DeleteEvents deletes events from before a time and returns how many.
func (s *Store) DeleteEvents(ctx context.Context, before time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete events", func(q queries, limit int32) ([]string, error) {
		return q.OldestEvents(ctx, dbsqlc.OldestEventsParams{At: micros(before), Limit: limit})
	}, func(q queries, id string) (int64, error) { return q.DeleteEvent(ctx, id) })
}

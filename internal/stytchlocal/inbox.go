package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/pages"
)

// What the inbox keeps.
const (
	inboxSize = 200
	inboxTime = 24 * time.Hour
)

// message is a mail as the inbox shows it.
type message struct {
	ID      string    `json:"id"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	SentAt  time.Time `json:"sent_at"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	Links   []string  `json:"links"`
	Code    string    `json:"code"` // passcodes are not served, so it is empty
}

type inboxPage struct {
	Stylesheet string
	Notice     string // what is wrong on purpose
	Size       int    // how many messages are shown at most
	Messages   []message
}

func (s *Server) showInbox(w http.ResponseWriter, r *http.Request) {
	messages, err := s.messages(r.Context())
	if err != nil {
		s.opts.Log.Error("local stytch: inbox not read", "error", s.opts.Explain(err))
		http.Error(w, "The inbox can't be read just now.", http.StatusServiceUnavailable)
		return
	}
	s.render(w, r, http.StatusOK, "inbox.html", inboxPage{Stylesheet: s.opts.Stylesheet, Notice: s.faults.Summary(), Size: inboxSize, Messages: messages})
}

func (s *Server) listInbox(w http.ResponseWriter, r *http.Request) {
	messages, err := s.messages(r.Context())
	if err != nil {
		s.opts.Log.Error("local stytch: inbox not read", "error", s.opts.Explain(err))
		pages.WriteJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "the inbox can't be read just now"})
		return
	}
	pages.WriteJSON(w, http.StatusOK, map[string][]message{"messages": messages})
}

func (s *Server) messages(ctx context.Context) ([]message, error) {
	rows, err := s.read.ListMails(ctx, dbsqlc.ListMailsParams{SentAt: s.now() - inboxTime.Microseconds(), Limit: inboxSize})
	if err != nil {
		return nil, err
	}
	out := []message{}
	for _, row := range rows {
		m := message{
			ID: row.MailID, To: row.Recipient, Subject: row.Subject, SentAt: toTime(row.SentAt),
			Text: row.BodyText, HTML: row.BodyHtml, Links: []string{},
		}
		if row.Link != "" {
			m.Links = append(m.Links, row.Link)
		}
		out = append(out, m)
	}
	return out, nil
}

// pruneInbox deletes mails that the inbox no longer shows. It runs by itself after
// a mail was kept, because deleting beside inserting makes transactions wait for
// each other.
func (s *Server) pruneInbox(ctx context.Context) {
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		edge := dbsqlc.DeleteMailsFromParams{SentAt: s.now() - inboxTime.Microseconds() + 1}
		surplus, err := q.FirstMailTooMany(ctx, inboxSize)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case surplus.SentAt >= edge.SentAt:
			edge = dbsqlc.DeleteMailsFromParams(surplus)
		}
		_, err = q.DeleteMailsFrom(ctx, edge)
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("local stytch: old mails not deleted", "error", s.opts.Explain(err))
	}
}

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

// Limits of the inbox.
const (
	inboxSize = 200
	inboxTime = 24 * time.Hour
)

type message struct {
	ID      string    `json:"id"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	SentAt  time.Time `json:"sent_at"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	Links   []string  `json:"links"`
	Code    string    `json:"code"` // empty if the email has none
}

type inboxPage struct {
	Stylesheet string
	Notice     string // describes simulated faults; may be empty
	Size       int    // maximum number of messages
	Messages   []message
}

func (s *Server) showInbox(w http.ResponseWriter, r *http.Request) {
	messages, err := s.messages(r.Context())
	if err != nil {
		http.Error(w, "The inbox is temporarily unavailable.", http.StatusServiceUnavailable)
		return
	}
	s.render(w, r, http.StatusOK, "inbox.html", inboxPage{Stylesheet: s.opts.Stylesheet, Notice: s.faults.Summary(), Size: inboxSize, Messages: messages})
}

func (s *Server) listInbox(w http.ResponseWriter, r *http.Request) {
	messages, err := s.messages(r.Context())
	if err != nil {
		pages.WriteJSON(w, http.StatusServiceUnavailable, map[string]string{"error": "the inbox is temporarily unavailable"})
		return
	}
	pages.WriteJSON(w, http.StatusOK, map[string][]message{"messages": messages})
}

// messages returns the inbox, newest first. It logs errors.
func (s *Server) messages(ctx context.Context) ([]message, error) {
	rows, err := s.read.ListMails(ctx, dbsqlc.ListMailsParams{SentAt: s.now() - inboxTime.Microseconds(), Limit: inboxSize})
	if err != nil {
		s.opts.Log.Error("cannot read inbox", "error", s.opts.Explain(err))
		return nil, err
	}
	out := []message{}
	for _, row := range rows {
		m := message{
			ID: row.MailID, To: row.Recipient, Subject: row.Subject, SentAt: toTime(row.SentAt),
			Text: row.BodyText, HTML: row.BodyHtml, Links: []string{}, Code: row.Code,
		}
		if row.Link != "" {
			m.Links = append(m.Links, row.Link)
		}
		out = append(out, m)
	}
	return out, nil
}

// pruneInbox deletes emails that the inbox no longer shows. It has a transaction of its
// own: deletes among inserts make transactions wait for each other.
func (s *Server) pruneInbox(ctx context.Context) {
	err := s.tx(ctx, func(q *dbsqlc.Queries) error {
		oldest := dbsqlc.DeleteMailsFromParams{SentAt: s.now() - inboxTime.Microseconds() + 1}
		surplus, err := q.FirstMailTooMany(ctx, inboxSize)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && surplus.SentAt >= oldest.SentAt {
			oldest = dbsqlc.DeleteMailsFromParams(surplus)
		}
		_, err = q.DeleteMailsFrom(ctx, oldest)
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("cannot prune inbox", "error", s.opts.Explain(err))
	}
}

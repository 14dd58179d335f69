//go:build linux

package main

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

// browsers is the number of sessions, of different people, that requests alternate between. There
// are more than connections, so simultaneous checks are of different sessions.
const browsers = 64

// sessionToken returns the token of session i.
func sessionToken(i int) string { return fmt.Sprintf("made-for-the-benchmark-%d", i) }

// insertSessions inserts the sessions with numbers from from to to-1, alternating between active
// users.
func insertSessions(db *sql.DB, from, to int) error {
	holders, err := texts(db, "SELECT id FROM users WHERE status = 'active' ORDER BY id LIMIT 1000")
	if err != nil {
		return err
	}
	columns := []string{"token_hash", "user_id", "stytch_session_id", "user_agent", "address", "created_at", "verified_at", "expires_at"}
	for from < to {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		var values []any
		end := min(to, from+20_000)
		at := time.Now().UnixMicro()
		for i := from; i < end; i++ {
			// Verified in the future, so Stytch isn't asked about them.
			values = append(values, session.Hash(sessionToken(i)), holders[i%len(holders)], fmt.Sprintf("session-test-%d", i),
				"Mozilla/5.0 (X11; Linux x86_64) bench", "127.0.0.1", at, at+time.Hour.Microseconds(), at+24*time.Hour.Microseconds())
		}
		if err := insertAll(tx, "sessions", columns, values); err != nil {
			tx.Rollback()
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// texts returns the rows of a query with one text column.
func texts(db *sql.DB, query string) ([]string, error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var texts []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, rows.Err()
}

// checks returns session checks of [browsers] sessions, spread over the first total sessions.
func (g *target) checks(host string, total int) ([][]byte, error) {
	var requests [][]byte
	for i := range browsers {
		recorder := httptest.NewRecorder()
		if err := g.cookies.SetToken(recorder, httptest.NewRequest("GET", "/", nil), sessionToken(1+i*total/browsers)); err != nil {
			return nil, err
		}
		c := recorder.Result().Cookies()[0]
		requests = append(requests, get(host, c.Name+"="+c.Value, "/api/session"))
	}
	return requests, nil
}

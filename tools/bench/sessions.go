//go:build linux

package main

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

// browsers is how many sessions take turns, each of another person: as many checks
// at the same time as there are connections are of as many sessions.
const browsers = 64

func sessionToken(i int) string { return fmt.Sprintf("made-for-the-benchmark-%d", i) }

// insertSessions writes those from one number to before another, of people who
// have been here, in turn.
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
			// Verified in time to come: nobody asks Stytch about them.
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

// texts returns the one column that a query finds.
func texts(db *sql.DB, query string) ([]string, error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// checks are requests of browsers that hold sessions, of so many that there are.
func (w *writer) checks(host string, of int) ([][]byte, error) {
	var requests [][]byte
	for i := range browsers {
		answer := httptest.NewRecorder()
		if err := w.cookies.SetToken(answer, httptest.NewRequest("GET", "/", nil), sessionToken(1+i*of/browsers)); err != nil {
			return nil, err
		}
		c := answer.Result().Cookies()[0]
		requests = append(requests, get(host, c.Name+"="+c.Value, "/api/session"))
	}
	return requests, nil
}

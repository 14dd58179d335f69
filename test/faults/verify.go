package faults

import (
	"fmt"
	"slices"
	"time"
)

// Limits of awaitAgreement. The outbox repeats a job after up to ten minutes. Instead of waiting that
// long, the clocks are moved when calls in progress have had their time.
const (
	agreementTimeout = time.Minute
	clockMoveAfter   = 30 * time.Second
	clockMove        = 15 * time.Minute
)

// awaitAgreement waits until the outbox is empty and Stytch agrees with the directory. After a
// timeout, it records the remaining differences.
func (x *trial) awaitAgreement() {
	moved := false
	for begin := time.Now(); ; x.pause(250 * time.Millisecond) {
		differences, err := x.differences()
		if err == nil && len(differences) == 0 {
			return
		}
		if elapsed := time.Since(begin); elapsed < agreementTimeout {
			if elapsed > clockMoveAfter && !moved {
				moved = true
				for _, i := range x.instances {
					x.setFaults(i, faultSettings{ClockMS: clockMove.Milliseconds()})
				}
			}
			continue
		}
		if err != nil {
			x.Fatal(err)
		}
		for _, d := range differences {
			x.ledger.fail(lost, "at the end, %s", d)
		}
		return
	}
}

// differences returns the jobs in the outbox, and the differences between the directory and the local
// Stytch.
func (x *trial) differences() ([]string, error) {
	var differences []string
	jobs, err := x.rows("SELECT kind, subject, last_error FROM outbox")
	if err != nil {
		return nil, err
	}
	for _, job := range jobs {
		differences = append(differences, fmt.Sprintf("%s of %s is still in the outbox: %s", job[0], job[1], job[2]))
	}
	local, err := x.pairs("SELECT email_key, stytch_user_id FROM users")
	if err != nil {
		return nil, err
	}
	remote, err := x.pairs("SELECT e.email, u.user_id FROM stytch_emails e JOIN stytch_users u ON u.user_id = e.user_id")
	if err != nil {
		return nil, err
	}
	for email, id := range local {
		if id != remote[email] {
			differences = append(differences, fmt.Sprintf("%s is %q in the directory and %q at Stytch", email, id, remote[email]))
		}
	}
	for email := range remote {
		if _, listed := local[email]; !listed {
			differences = append(differences, email+" is at Stytch and not in the directory")
		}
	}
	slices.Sort(differences)
	return differences, nil
}

// verify compares the clients' knowledge with the database and the emails.
func (x *trial) verify(users []*user, e experiment) {
	names, err := x.pairs("SELECT email_key, name FROM users")
	if err != nil {
		x.Fatal(err)
	}
	sessions, err := x.pairs("SELECT session_id, user_id FROM stytch_sessions")
	if err != nil {
		x.Fatal(err)
	}
	for _, u := range users {
		name, listed := names[u.email]
		switch {
		case u.listed == yes && !listed:
			x.ledger.fail(lost, "the added user %s", u.email)
		case u.listed == no && listed:
			x.ledger.fail(lost, "the removal of %s", u.email)
		case u.listed == yes && !slices.Contains(u.names, name):
			x.ledger.fail(lost, "the name of %s: got %q, want one of %q", u.email, name, u.names)
		}
		for _, s := range u.sessions {
			x.verifySession(u, s, sessions)
		}
		if x.hasDoubledMail(u, e.hides) {
			x.ledger.fail(doubled, "%s got %d emails for %d requests", u.email, x.inbox.sent(u.email), u.mailRequests)
		}
	}
	if e.engine.name == "SQLite" {
		x.verifyFile()
	}
	x.verifyGrants()
	x.verifyUnique("users", "email_key")
	x.verifyUnique("stytch_emails", "email")
	if e.hides != hidesKilledCalls {
		x.verifyAnswered()
	}
}

// verifySession checks a session in the program, at the app and at Stytch.
func (x *trial) verifySession(u *user, s *session, atStytch map[string]string) {
	conclusive := false
	for range 5 {
		if conclusive = x.checkSession(u, s); conclusive {
			break
		}
		x.pause(time.Second)
	}
	if !conclusive {
		x.ledger.fail(lost, "no response to a session check of %s", u.email)
	}
	for range 5 {
		if conclusive = x.checkApp(u, s); conclusive {
			break
		}
		x.pause(time.Second)
	}
	if !conclusive {
		x.ledger.fail(lost, "no response to a request of %s for the app", u.email)
	}
	for range 5 {
		if conclusive = x.checkGrant(u, s); conclusive {
			break
		}
		x.pause(time.Second)
	}
	if !conclusive {
		x.ledger.fail(lost, "no response to the tokens of %s", u.email)
	}
	if _, live := atStytch[s.id]; live && s.live == no {
		x.ledger.fail(lost, "the end of a session of %s, %s, at Stytch", u.email, s.id)
	}
}

// hasDoubledMail reports whether a user got more emails than requested; see the package comment.
func (x *trial) hasDoubledMail(u *user, hides hiding) bool {
	if hides == hidesAnyCall || hides == hidesKilledCalls && u.mayGetTwo {
		return false
	}
	return x.inbox.sent(u.email) > u.mailRequests
}

// verifyUnique checks that a column has no duplicates.
func (x *trial) verifyUnique(table, column string) {
	duplicates, err := x.rows("SELECT " + column + ", COUNT(*) FROM " + table + " GROUP BY " + column + " HAVING COUNT(*) > 1")
	if err != nil {
		x.Fatal(err)
	}
	for _, row := range duplicates {
		x.ledger.fail(doubled, "%s is in %s %s times", row[0], table, row[1])
	}
}

// verifyFile checks the SQLite file for corruption.
func (x *trial) verifyFile() {
	report, err := x.rows("PRAGMA integrity_check")
	if err != nil {
		x.Fatal(err)
	}
	if len(report) != 1 || report[0][0] != "ok" {
		x.ledger.fail(lost, "the database is corrupt: %v", report)
	}
}

// verifyAnswered checks that every accepted request got a response. The program logs a request when it
// has handled it.
func (x *trial) verifyAnswered() {
	handled := 0
	for _, i := range x.instances {
		handled += i.loggedRequests()
	}
	if n := x.ledger.cut; n > 0 {
		x.ledger.fail(lost, "the responses to %d requests", n)
	}
	if handled > x.ledger.answered {
		x.ledger.fail(lost, "%d requests were handled, %d got a response", handled, x.ledger.answered)
	}
}

// rows returns the rows of a query as text.
func (x *trial) rows(query string) ([][]string, error) {
	found, err := x.db.QueryContext(x.Context(), query)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for found.Next() {
		row := make([]string, len(columns))
		fields := make([]any, len(columns))
		for i := range row {
			fields[i] = &row[i]
		}
		if err := found.Scan(fields...); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}

// pairs returns the rows of a query with two columns, the first of which is unique.
func (x *trial) pairs(query string) (map[string]string, error) {
	rows, err := x.rows(query)
	m := make(map[string]string, len(rows))
	for _, row := range rows {
		m[row[0]] = row[1]
	}
	return m, err
}

package faults

import (
	"fmt"
	"slices"
	"time"
)

// Everything must be settled by limit. A call that failed often is repeated after
// as much as ten minutes, which nobody waits for: when what is under way has had
// its time, the clocks are moved on.
const (
	underWay = 30 * time.Second
	longest  = 15 * time.Minute
	limit    = time.Minute
)

// settle returns when nothing is to be done any more and both sides agree, or
// when that has taken too long.
func (x *trial) settle() {
	moved := false
	for begin := time.Now(); ; x.pause(250 * time.Millisecond) {
		differences, err := x.differences()
		if err == nil && len(differences) == 0 {
			return
		}
		if took := time.Since(begin); took < limit {
			if took > underWay && !moved {
				moved = true
				for _, i := range x.instances {
					x.set(i, switches{ClockMS: longest.Milliseconds()})
				}
			}
			continue
		}
		if err != nil {
			x.Fatal(err)
		}
		for _, d := range differences {
			x.ledger.found(lost, "in the end %s", d)
		}
		return
	}
}

// differences says what Stytch still has to hear of, and where the list and the
// local Stytch differ.
func (x *trial) differences() ([]string, error) {
	var differences []string
	jobs, err := x.rows("SELECT kind, subject, last_error FROM outbox")
	if err != nil {
		return nil, err
	}
	for _, job := range jobs {
		differences = append(differences, fmt.Sprintf("%s of %s is still to be done: %s", job[0], job[1], job[2]))
	}
	here, err := x.pairs("SELECT email_key, stytch_user_id FROM users")
	if err != nil {
		return nil, err
	}
	there, err := x.pairs("SELECT e.email, u.user_id FROM stytch_emails e JOIN stytch_users u ON u.user_id = e.user_id")
	if err != nil {
		return nil, err
	}
	for email, id := range here {
		if id != there[email] {
			differences = append(differences, fmt.Sprintf("%s is %q on the list and %q at Stytch", email, id, there[email]))
		}
	}
	for email := range there {
		if _, listed := here[email]; !listed {
			differences = append(differences, email+" is at Stytch and not on the list")
		}
	}
	slices.Sort(differences)
	return differences, nil
}

// verify holds the ledger against what is there.
func (x *trial) verify(people []*person, e experiment) {
	names, err := x.pairs("SELECT email_key, name FROM users")
	if err != nil {
		x.Fatal(err)
	}
	sessions, err := x.pairs("SELECT session_id, user_id FROM stytch_sessions")
	if err != nil {
		x.Fatal(err)
	}
	for _, p := range people {
		name, listed := names[p.email]
		switch {
		case p.onList == yes && !listed:
			x.ledger.found(lost, "%s, who was put on the list", p.email)
		case p.onList == no && listed:
			x.ledger.found(lost, "the removal of %s", p.email)
		case p.onList == yes && !slices.Contains(p.names, name):
			x.ledger.found(lost, "%s is called %q, should be one of %q", p.email, name, p.names)
		}
		for _, s := range p.sessions {
			x.verifySession(p, s, sessions)
		}
		if x.hasDoubledMail(p, e.hides) {
			x.ledger.found(doubled, "%s was mailed %d times for %d requests", p.email, x.mails.sent(p.email), p.asked)
		}
	}
	if e.engine.name == "SQLite" {
		x.verifyFile()
	}
	x.verifyOnce("users", "email_key")
	x.verifyOnce("stytch_emails", "email")
	if e.hides != whenKilled {
		x.verifyAnswered()
	}
}

func (x *trial) verifySession(p *person, s *session, atStytch map[string]string) {
	clear := false
	for range 5 {
		if clear = x.checkSession(p, s); clear {
			break
		}
		x.pause(time.Second)
	}
	if !clear {
		x.ledger.found(lost, "%s: no answer about a session", p.email)
	}
	if _, lives := atStytch[s.id]; lives && s.live == no {
		x.ledger.found(lost, "%s: the end of session %s did not reach Stytch", p.email, s.id)
	}
}

func (x *trial) hasDoubledMail(p *person, hides hiding) bool {
	if hides == anything || hides == whenKilled && p.atRisk {
		return false
	}
	return x.mails.sent(p.email) > p.asked
}

// verifyOnce looks for values that are there more than once.
func (x *trial) verifyOnce(table, column string) {
	many, err := x.rows("SELECT " + column + ", COUNT(*) FROM " + table + " GROUP BY " + column + " HAVING COUNT(*) > 1")
	if err != nil {
		x.Fatal(err)
	}
	for _, row := range many {
		x.ledger.found(doubled, "%s is in %s %s times", row[0], table, row[1])
	}
}

// verifyFile has SQLite look for damage.
func (x *trial) verifyFile() {
	report, err := x.rows("PRAGMA integrity_check")
	if err != nil {
		x.Fatal(err)
	}
	if len(report) != 1 || report[0][0] != "ok" {
		x.ledger.found(lost, "the database is damaged: %v", report)
	}
}

// verifyAnswered looks for requests that were taken on and have no answer, which is
// a loss where the program was not killed. The log has those that it came to the
// end of.
func (x *trial) verifyAnswered() {
	begun := 0
	for _, i := range x.instances {
		begun += i.requests()
	}
	if n := x.ledger.cut; n > 0 {
		x.ledger.found(lost, "the answers of %d requests", n)
	}
	if begun > x.ledger.answered {
		x.ledger.found(lost, "%d requests were taken on, %d were answered", begun, x.ledger.answered)
	}
}

// rows are the answer to a query, all in words.
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
	var all [][]string
	for found.Next() {
		row, fields := make([]string, len(columns)), make([]any, len(columns))
		for i := range row {
			fields[i] = &row[i]
		}
		if err := found.Scan(fields...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, found.Err()
}

// pairs are the answer to a query of two columns, the first of which is unique.
func (x *trial) pairs(query string) (map[string]string, error) {
	rows, err := x.rows(query)
	m := make(map[string]string, len(rows))
	for _, row := range rows {
		m[row[0]] = row[1]
	}
	return m, err
}

package faults

import (
	"fmt"
	"sync"
	"time"
)

// finding is a kind of error, and a column of the result table.
type finding int

const (
	lost finding = iota
	doubled
	letIn
	findings // the number of kinds
)

func (f finding) String() string { return [...]string{"lost", "doubled", "let in wrongly"}[f] }

// ledger records the responses to all clients. Its methods are safe for concurrent use.
type ledger struct {
	mu             sync.Mutex
	acknowledged   int // requests
	answered       int // requests with a complete response
	cut            int // requests that the server read and didn't answer
	slowest        time.Duration
	slowestRequest string
	signIns        int
	opened         int         // requests that the app answered
	refusedAtApp   int         // requests that were refused access to the app
	claimed        int         // requests for a user's claims that were answered
	tokensRefused  int         // refresh tokens that were refused
	statuses       map[int]int // responses by status; 0 without a complete response
	errors         [findings][]string
}

func newLedger() *ledger { return &ledger{statuses: map[int]int{}} }

// record records the response to a request.
func (l *ledger) record(resp response, d time.Duration, request string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if resp.outcome == acknowledged {
		l.acknowledged++
	}
	if resp.status > 0 {
		l.answered++
	}
	if resp.cut {
		l.cut++
	}
	l.statuses[resp.status]++
	if d > l.slowest {
		l.slowest = d
		l.slowestRequest = fmt.Sprintf("%s -> %d", request, resp.status)
	}
}

func (l *ledger) countSignIn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.signIns++
}

func (l *ledger) countOpened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened++
}

func (l *ledger) countRefusedAtApp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusedAtApp++
}

func (l *ledger) countUserInfo() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.claimed++
}

func (l *ledger) countTokenRefused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokensRefused++
}

// progress returns the number of acknowledged requests, of sign-ins, of requests that the app answered, and of
// requests for claims that were answered.
func (l *ledger) progress() (acknowledged, signIns, opened, claimed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acknowledged, l.signIns, l.opened, l.claimed
}

// count returns the number of responses with one of the statuses.
func (l *ledger) count(statuses ...int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, status := range statuses {
		n += l.statuses[status]
	}
	return n
}

// fail records an error.
func (l *ledger) fail(f finding, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors[f] = append(l.errors[f], fmt.Sprintf(format, args...))
}

// certainty says whether something is true.
type certainty int

const (
	no certainty = iota
	yes
	maybe
)

// user is a user that a client has added.
type user struct {
	email, id string
	listed    certainty
	names     []string // possible names
	uncertain bool     // whether a request had an unknown outcome; the client leaves the user alone then
	sessions  []*session

	member      certainty // whether the user is in the group that opens the app
	memberUntil time.Time // the membership ends then; zero if it has no end

	mailRequests int  // requests that may have led to an email
	inStytch     bool // whether Stytch certainly knows the user
	mayGetTwo    bool // whether killing the program may lead to a second email; see the package comment
}

// session is a session of a user. Its cookie is kept whatever the responses say.
type session struct {
	cookie string
	id     string // at Stytch; empty if unknown
	live   certainty
	app    string // the cookie of the app; empty unless the session was used there
	grant  *grant // nil unless the session was used to sign in to the app by OpenID Connect
}

// setUncertain records that a request about the user had an unknown outcome. removed says whether the
// user may be off the list.
func (u *user) setUncertain(removed bool) {
	u.uncertain = true
	u.mayGetTwo = true
	if removed {
		u.listed = maybe
		u.endSessions(maybe)
	}
}

// endSessions records that the user's sessions have ended (no), or may have ended (maybe).
func (u *user) endSessions(live certainty) {
	for _, s := range u.sessions {
		if s.live != no {
			s.live = live
		}
	}
}

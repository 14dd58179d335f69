package faults

import (
	"fmt"
	"sync"
	"time"
)

// finding is a column of the table in which anything is too much.
type finding int

const (
	lost finding = iota
	doubled
	letIn
	findings // how many there are
)

func (f finding) String() string { return [...]string{"lost", "doubled", "let in wrongly"}[f] }

// ledger is what came of everything. Its methods may be called by many clients.
type ledger struct {
	mu           sync.Mutex
	acknowledged int // requests
	answered     int // requests that have a whole answer, of any kind
	cut          int // requests that were read and not answered
	slowest      time.Duration
	slowestWhat  string
	signIns      int
	statuses     map[int]int // answers by status; 0: no whole answer, or no connection
	wrong        [findings][]string
}

func newLedger() *ledger { return &ledger{statuses: map[int]int{}} }

// took counts a request.
func (l *ledger) took(a answer, d time.Duration, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.outcome == acknowledged {
		l.acknowledged++
	}
	if a.status > 0 {
		l.answered++
	}
	if a.cut {
		l.cut++
	}
	l.statuses[a.status]++
	if d > l.slowest {
		l.slowest, l.slowestWhat = d, fmt.Sprintf("%s -> %d", what, a.status)
	}
}

func (l *ledger) signedIn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.signIns++
}

// soFar is how many requests were acknowledged until now, and how many people
// have signed in.
func (l *ledger) soFar() (acknowledged, signIns int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acknowledged, l.signIns
}

// count is how many requests had an answer of one of these kinds until now.
func (l *ledger) count(statuses ...int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, status := range statuses {
		n += l.statuses[status]
	}
	return n
}

// found notes what must not be.
func (l *ledger) found(f finding, format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong[f] = append(l.wrong[f], fmt.Sprintf(format, args...))
}

// truth is what is known of something.
type truth int

const (
	no truth = iota
	yes
	maybe
)

// person is somebody a client has put on the list.
type person struct {
	email, id string
	onList    truth
	names     []string // what their name may be by now
	left      bool     // alone: something about them is unknown, and would only become more so
	sessions  []*session

	asked  int  // requests that may have led to a mail
	known  bool // to Stytch for certain
	atRisk bool // of a second mail when the program is killed; see the package comment
}

// session is one that a person began; their browser keeps its cookie whatever it
// is told.
type session struct {
	cookie string
	id     string // Stytch's; empty if nobody could be asked
	live   truth
}

// unsure notes that something about the person is not known.
func (p *person) unsure(gone bool) {
	p.left, p.atRisk = true, true
	if gone {
		p.onList = maybe
		p.ended(maybe)
	}
}

// ended notes that the sessions that may be alive are over, or may be.
func (p *person) ended(now truth) {
	for _, s := range p.sessions {
		if s.live != no {
			s.live = now
		}
	}
}

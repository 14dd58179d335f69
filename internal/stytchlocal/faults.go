package stytchlocal

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The ways in which a call can go wrong on purpose.
const (
	faultStatus  = "status"  // an error of Stytch's
	faultGarbage = "garbage" // 200 and a page of HTML, as from a proxy
	faultEmpty   = "empty"   // 200 and no body
	faultCut     = "cut"     // half of the true answer, then the connection ends
	faultHang    = "hang"    // nothing, until the caller gives up
	faultSlow    = "slow"    // the true answer, late
	faultDown    = "down"    // no connection
)

var faultKinds = []string{faultStatus, faultGarbage, faultEmpty, faultCut, faultHang, faultSlow, faultDown}

// What faults may be set to.
const (
	maxRules = 100
	maxDelay = 10 * time.Minute
	maxMoved = 10 * 365 * 24 * time.Hour // of a clock, either way
)

// faultConfig is all that is wrong on purpose, as the page's JSON has it. It is kept in
// memory: another instance and the next start know nothing of it.
type faultConfig struct {
	Rules     []faultRule `json:"rules"`
	ClockMS   int64       `json:"clock_ms"`           // how far the server's clock is ahead of the program's
	ProgramMS int64       `json:"guestlist_clock_ms"` // how far the program's is ahead of the true one
}

// faultRule is one thing that goes wrong. It is comparable.
type faultRule struct {
	Route   string  `json:"route"` // a path; * at the end is any rest; empty: all calls
	Kind    string  `json:"kind"`
	Status  int     `json:"status"` // for faultStatus
	Share   float64 `json:"share"`  // of the calls, 0 to 1; 1 where it isn't given
	DelayMS int64   `json:"delay_ms"`
	After   bool    `json:"after"` // the call takes effect, and only its answer is spoilt
}

// check returns a sentence about the first value that can't be; empty: all can.
func (f *faultConfig) check(canMoveProgram bool) string {
	if len(f.Rules) > maxRules {
		return fmt.Sprintf("There may be at most %d rules.", maxRules)
	}
	for i, r := range f.Rules {
		if problem := r.check(); problem != "" {
			return fmt.Sprintf("Rule %d: %s", i+1, problem)
		}
	}
	for _, ms := range []int64{f.ClockMS, f.ProgramMS} {
		if most := maxMoved.Milliseconds(); ms > most || ms < -most {
			return "A clock can be moved by ten years, not more."
		}
	}
	if f.ProgramMS != 0 && !canMoveProgram {
		return "Guestlist's own clock can't be moved here."
	}
	return ""
}

func (r *faultRule) check() string {
	path, _ := strings.CutSuffix(r.Route, "*")
	switch {
	case path != "" && !strings.HasPrefix(path, "/v1/"), strings.Contains(path, "*"):
		return `The route must be a path below /v1/, perhaps with * at its end; "*" is every call.`
	case !slices.Contains(faultKinds, r.Kind):
		return "The kind must be one of " + strings.Join(faultKinds, ", ") + "."
	case r.Kind == faultStatus && (r.Status < 400 || r.Status > 599):
		return "The status must be between 400 and 599."
	case r.Kind != faultStatus && r.Status != 0:
		return "Only the kind status has a status."
	case !(r.Share >= 0 && r.Share <= 1):
		return "The share must be between 0 and 1."
	case r.DelayMS < 0 || r.DelayMS > maxDelay.Milliseconds():
		return "The delay must be between 0 and ten minutes."
	case r.Kind == faultSlow && r.DelayMS == 0:
		return "The kind slow needs a delay."
	case r.After && (r.Kind == faultSlow || r.Kind == faultDown):
		return "A call that is slow always takes effect, and one that finds no connection never does."
	}
	return ""
}

func (r *faultRule) matches(path string) bool {
	if prefix, ok := strings.CutSuffix(r.Route, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return r.Route == "" || r.Route == path
}

// fault returns what goes wrong with a call: the first rule that matches and whose
// share it falls into.
func (s *Server) fault(path string) (faultRule, bool) {
	s.faultsMu.Lock()
	defer s.faultsMu.Unlock()
	for _, r := range s.rules {
		if r.matches(path) && rand.Float64() < r.Share {
			return r, true
		}
	}
	return faultRule{}, false
}

// faults returns what is in force.
func (s *Server) faults() faultConfig {
	s.faultsMu.Lock()
	defer s.faultsMu.Unlock()
	f := faultConfig{Rules: append([]faultRule{}, s.rules...), ClockMS: s.clock.Offset().Milliseconds()}
	if s.opts.Program != nil {
		f.ProgramMS = s.opts.Program.Offset().Milliseconds()
	}
	return f
}

// setFaults puts checked faults in force and ends those that were.
func (s *Server) setFaults(f faultConfig) {
	s.faultsMu.Lock()
	defer s.faultsMu.Unlock()
	s.rules = f.Rules
	s.clock.SetOffset(time.Duration(f.ClockMS) * time.Millisecond)
	if s.opts.Program != nil {
		s.opts.Program.SetOffset(time.Duration(f.ProgramMS) * time.Millisecond)
	}
}

// Faults says in a sentence what is wrong on purpose; it is empty if nothing is.
func (s *Server) Faults() string {
	parts := s.faults().describe()
	if len(parts) == 0 {
		return ""
	}
	if n := len(parts); n > 3 {
		parts = append(parts[:2:2], strconv.Itoa(n-2)+" more")
	}
	return "Trouble on purpose: " + strings.Join(parts, "; ") + "."
}

// describe says of each fault what it does.
func (f faultConfig) describe() []string {
	parts := []string{}
	for _, r := range f.Rules {
		parts = append(parts, r.words())
	}
	for _, c := range []struct {
		name string
		ms   int64
	}{{"the local Stytch's clock", f.ClockMS}, {"Guestlist's clock", f.ProgramMS}} {
		moved := time.Duration(c.ms) * time.Millisecond
		switch {
		case moved > 0:
			parts = append(parts, c.name+" is "+moved.String()+" ahead")
		case moved < 0:
			parts = append(parts, c.name+" is "+(-moved).String()+" behind")
		}
	}
	return parts
}

func (r faultRule) words() string {
	delay := (time.Duration(r.DelayMS) * time.Millisecond).String()
	what := map[string]string{
		faultStatus: fmt.Sprintf("answers %d", r.Status), faultGarbage: "answers with HTML", faultEmpty: "answers without a body",
		faultCut: "breaks off in the middle of the answer", faultHang: "never answers", faultSlow: "answers after " + delay,
		faultDown: "can't be reached",
	}[r.Kind]
	text := "the local Stytch " + what
	if r.DelayMS > 0 && r.Kind != faultSlow {
		text += " after " + delay
	}
	if r.Route != "" && r.Route != "*" {
		text += " at " + r.Route
	}
	if r.Share < 1 {
		text += fmt.Sprintf(" for %s %% of the calls", strconv.FormatFloat(r.Share*100, 'f', -1, 64))
	}
	if r.After {
		text += ", though the call takes effect"
	}
	return text
}

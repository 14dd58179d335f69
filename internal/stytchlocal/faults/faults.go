// Package faults simulates faults of the local Stytch: calls that fail, hang or are slow,
// and clocks that disagree. Developers set them on a page or as JSON.
package faults

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/clock"
)

// The kinds of faults.
const (
	kindStatus  = "status"  // an error response
	kindGarbage = "garbage" // 200 and an HTML page, as from a proxy
	kindEmpty   = "empty"   // 200 without a body
	kindCut     = "cut"     // the first half of the response, then the connection ends
	kindHang    = "hang"    // no response until the caller gives up
	kindSlow    = "slow"    // the response after a delay
	kindDown    = "down"    // no connection
)

var kinds = []string{kindStatus, kindGarbage, kindEmpty, kindCut, kindHang, kindSlow, kindDown}

const (
	maxRules  = 100
	maxDelay  = 10 * time.Minute
	maxOffset = 10 * 365 * 24 * time.Hour // of a clock, in either direction
)

// config is the JSON form of all faults. It is kept in memory: other instances do not
// see it, and a restart clears it.
type config struct {
	Rules     []rule `json:"rules"`
	ClockMS   int64  `json:"clock_ms"`           // how far the local Stytch's clock is ahead of the program's
	ProgramMS int64  `json:"guestlist_clock_ms"` // how far the program's clock is ahead of the true time
}

// rule is a fault of some calls. It is comparable.
type rule struct {
	Route   string  `json:"route"` // a path; * at the end matches any rest; empty matches all calls
	Kind    string  `json:"kind"`
	Status  int     `json:"status"`   // for kindStatus
	Share   float64 `json:"share"`    // of the calls, 0 to 1; 1 if it is missing
	DelayMS int64   `json:"delay_ms"` // before the fault
	After   bool    `json:"after"`    // the call takes effect and only its response is replaced
}

// Options configures an Injector. Program may be nil, in which case the program's clock
// can't be set; an empty Stylesheet means none. The rest is required.
type Options struct {
	Clock      *clock.Clock // the local Stytch's clock
	Program    *clock.Clock // the clock behind Clock
	Stylesheet string       // URL of the page's style sheet
	Log        *slog.Logger

	// WriteError writes an error response of the API with a status.
	WriteError func(w http.ResponseWriter, status int)
}

// Injector holds the faults in force. Its methods may be called by several goroutines at
// the same time.
type Injector struct {
	opts Options

	mu    sync.Mutex
	rules []rule // replaced as a whole, never modified
}

// New returns an injector without faults.
func New(opts Options) *Injector { return &Injector{opts: opts} }

// check reports the first invalid value, as a sentence for the user.
func (c *config) check(canSetProgram bool) error {
	if len(c.Rules) > maxRules {
		return invalidInput(fmt.Sprintf("At most %d rules are allowed.", maxRules))
	}
	for i, r := range c.Rules {
		if err := r.check(); err != nil {
			return invalidInput(fmt.Sprintf("Rule %d: %v", i+1, err))
		}
	}
	for _, ms := range []int64{c.ClockMS, c.ProgramMS} {
		if limit := maxOffset.Milliseconds(); ms > limit || ms < -limit {
			return invalidInput("A clock can be at most ten years ahead or behind.")
		}
	}
	if c.ProgramMS != 0 && !canSetProgram {
		return invalidInput("Guestlist's clock can't be set here.")
	}
	return nil
}

func (r *rule) check() error {
	path, _ := strings.CutSuffix(r.Route, "*")
	switch {
	case path != "" && !strings.HasPrefix(path, "/v1/"), strings.Contains(path, "*"):
		return invalidInput(`The route must be a path below /v1/, optionally with * at the end; "*" matches every call.`)
	case !slices.Contains(kinds, r.Kind):
		return invalidInput("The kind must be one of " + strings.Join(kinds, ", ") + ".")
	case r.Kind == kindStatus && (r.Status < 400 || r.Status > 599):
		return invalidInput("The status must be between 400 and 599.")
	case r.Kind != kindStatus && r.Status != 0:
		return invalidInput("Only the kind status has a status.")
	case !(r.Share >= 0 && r.Share <= 1): // also NaN
		return invalidInput("The share must be between 0 and 1.")
	case r.DelayMS < 0 || r.DelayMS > maxDelay.Milliseconds():
		return invalidInput("The delay must be between 0 and ten minutes.")
	case r.Kind == kindSlow && r.DelayMS == 0:
		return invalidInput("The kind slow needs a delay.")
	case r.After && (r.Kind == kindSlow || r.Kind == kindDown):
		return invalidInput("A slow call always takes effect, and a call without a connection never does.")
	}
	return nil
}

func (r *rule) matches(path string) bool {
	if prefix, ok := strings.CutSuffix(r.Route, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return r.Route == "" || r.Route == path
}

// choose returns the fault of a call: the first matching rule whose share the call falls
// into.
func (i *Injector) choose(path string) (rule, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, r := range i.rules {
		if r.matches(path) && rand.Float64() < r.Share {
			return r, true
		}
	}
	return rule{}, false
}

func (i *Injector) config() config {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := config{Rules: append([]rule{}, i.rules...), ClockMS: i.opts.Clock.Offset().Milliseconds()}
	if i.opts.Program != nil {
		c.ProgramMS = i.opts.Program.Offset().Milliseconds()
	}
	return c
}

func (i *Injector) set(c config) error {
	if err := c.check(i.opts.Program != nil); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = c.Rules
	i.opts.Clock.SetOffset(time.Duration(c.ClockMS) * time.Millisecond)
	if i.opts.Program != nil {
		i.opts.Program.SetOffset(time.Duration(c.ProgramMS) * time.Millisecond)
	}
	return nil
}

// Summary describes the faults in force in a sentence. It is empty if there are none.
func (i *Injector) Summary() string {
	parts := i.config().describe()
	if len(parts) == 0 {
		return ""
	}
	if n := len(parts); n > 3 {
		parts = append(parts[:2:2], strconv.Itoa(n-2)+" more")
	}
	return "Simulated fault: " + strings.Join(parts, "; ") + "."
}

func (c config) describe() []string {
	parts := []string{}
	for _, r := range c.Rules {
		parts = append(parts, r.describe())
	}
	for _, clock := range []struct {
		name string
		ms   int64
	}{{"the local Stytch's clock", c.ClockMS}, {"Guestlist's clock", c.ProgramMS}} {
		offset := time.Duration(clock.ms) * time.Millisecond
		switch {
		case offset > 0:
			parts = append(parts, clock.name+" is "+offset.String()+" ahead")
		case offset < 0:
			parts = append(parts, clock.name+" is "+(-offset).String()+" behind")
		}
	}
	return parts
}

func (r rule) describe() string {
	delay := (time.Duration(r.DelayMS) * time.Millisecond).String()
	what := map[string]string{
		kindStatus: fmt.Sprintf("responds with %d", r.Status), kindGarbage: "responds with HTML", kindEmpty: "responds without a body",
		kindCut: "breaks off in the middle of the response", kindHang: "never responds", kindSlow: "responds after " + delay,
		kindDown: "can't be reached",
	}[r.Kind]
	text := "the local Stytch " + what
	if r.DelayMS > 0 && r.Kind != kindSlow {
		text += " after " + delay
	}
	if r.Route != "" && r.Route != "*" {
		text += " at " + r.Route
	}
	if r.Share < 1 {
		text += fmt.Sprintf(" for %s%% of the calls", strconv.FormatFloat(r.Share*100, 'f', -1, 64))
	}
	if r.After {
		text += ", but the call takes effect"
	}
	return text
}

// invalidInput is a sentence for the user about input that can't be used.
type invalidInput string

func (e invalidInput) Error() string { return string(e) }

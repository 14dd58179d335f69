package stytchlocal

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// choice is one line of a list to choose from.
type choice struct{ Value, Words string }

// kept is the choice that leaves the rules in force as they are. It is offered
// while the form has no words for them, because a program has set them.
var kept = choice{"kept", "What is in force, as set by a program"}

// faultChoices are what the page offers; the rules lack their route.
var faultChoices = []struct {
	choice
	rule faultRule
}{
	{choice{"", "Nothing goes wrong"}, faultRule{}},
	{choice{"slow", "Slow: every answer takes two seconds"}, faultRule{Kind: faultSlow, DelayMS: 2000, Share: 1}},
	{choice{"errors", "Every other answer is an error 500"}, faultRule{Kind: faultStatus, Status: 500, Share: .5}},
	{choice{"limits", "Every other answer is “too many requests”, 429"}, faultRule{Kind: faultStatus, Status: 429, Share: .5}},
	{choice{"garbage", "Answers are HTML, as from a proxy"}, faultRule{Kind: faultGarbage, Share: 1}},
	{choice{"hang", "Hanging: no answer comes"}, faultRule{Kind: faultHang, Share: 1}},
	{choice{"down", "Down: no connection"}, faultRule{Kind: faultDown, Share: 1}},
}

// callGroups are the calls that the page tells apart, with their routes.
var callGroups = []struct {
	choice
	route string
}{
	{choice{"all", "All calls"}, ""},
	{choice{"mail", "Sending mail"}, "/v1/magic_links/email/*"},
	{choice{"signing-in", "Signing in"}, "/v1/magic_links/authenticate"},
	{choice{"sessions", "Checking sessions"}, "/v1/sessions/authenticate"},
	{choice{"users", "Users"}, "/v1/users*"},
}

// faultsForm is what the page's form holds, as typed.
type faultsForm struct {
	Trouble, Calls        string
	Clock, GuestlistClock string // minutes
}

type faultsPage struct {
	faultsForm
	Stylesheet     string
	InForce        []string
	Troubles       []choice
	CallGroups     []choice
	CanMoveProgram bool
	Problem        string // why the form was not taken
}

func (s *Server) showFaults(w http.ResponseWriter, r *http.Request) {
	s.renderFaults(w, r, http.StatusOK, s.faults().form(), "")
}

// changeFaults replaces all that is in force by what the form says. The button
// that sets everything right comes without any field.
func (s *Server) changeFaults(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFaults)
	form := faultsForm{
		Trouble: r.PostFormValue("trouble"), Calls: r.PostFormValue("calls"),
		Clock: r.PostFormValue("clock"), GuestlistClock: r.PostFormValue("guestlist_clock"),
	}
	f, problem := form.faults(s.faults())
	if problem == "" {
		problem = f.check(s.opts.Program != nil)
	}
	if problem != "" {
		s.renderFaults(w, r, http.StatusUnprocessableEntity, form, problem)
		return
	}
	s.setFaults(f)
	http.Redirect(w, r, faultsPath, http.StatusSeeOther)
}

// faults returns what the form asks for instead of what is in force, or a sentence
// about what it can't.
func (f faultsForm) faults(inForce faultConfig) (out faultConfig, problem string) {
	chosen := f.rule()
	switch {
	case f.Trouble == kept.Value:
		out.Rules = inForce.Rules
	case f.Trouble != "" && chosen == (faultRule{}):
		return out, "Choose what goes wrong, and with which calls."
	case chosen != (faultRule{}):
		out.Rules = []faultRule{chosen}
	}
	for _, clock := range []struct {
		typed   string
		ms      *int64
		inForce int64
	}{{f.Clock, &out.ClockMS, inForce.ClockMS}, {f.GuestlistClock, &out.ProgramMS, inForce.ProgramMS}} {
		typed := strings.TrimSpace(clock.typed)
		switch typed {
		case "":
			continue
		case minutes(clock.inForce): // perhaps not whole ones: as a program has set them
			*clock.ms = clock.inForce
			continue
		}
		minutes, err := strconv.ParseInt(typed, 10, 32)
		if err != nil {
			return out, "A clock is moved by a whole number of minutes, such as 60 or -5."
		}
		*clock.ms = minutes * time.Minute.Milliseconds()
	}
	return out, ""
}

// rule is the one that the two lists stand for; the zero value if there is none.
func (f faultsForm) rule() faultRule {
	for _, t := range faultChoices {
		for _, c := range callGroups {
			if t.Value == f.Trouble && c.Value == f.Calls && t.rule.Kind != "" {
				chosen := t.rule
				chosen.Route = c.route
				return chosen
			}
		}
	}
	return faultRule{}
}

// form returns the form that asks for these faults.
func (f faultConfig) form() faultsForm {
	out := faultsForm{Calls: callGroups[0].Value, Clock: minutes(f.ClockMS), GuestlistClock: minutes(f.ProgramMS)}
	if len(f.Rules) > 0 {
		out.Trouble = kept.Value
	}
	if len(f.Rules) != 1 {
		return out
	}
	for _, t := range faultChoices {
		for _, c := range callGroups {
			if form := (faultsForm{Trouble: t.Value, Calls: c.Value}); form.rule() == f.Rules[0] {
				out.Trouble, out.Calls = t.Value, c.Value
			}
		}
	}
	return out
}

func minutes(ms int64) string {
	return strconv.FormatFloat(float64(ms)/float64(time.Minute.Milliseconds()), 'f', -1, 64)
}

func (s *Server) renderFaults(w http.ResponseWriter, r *http.Request, status int, form faultsForm, problem string) {
	page := faultsPage{
		faultsForm: form, Stylesheet: s.opts.Stylesheet, InForce: s.faults().describe(),
		CanMoveProgram: s.opts.Program != nil, Problem: problem,
	}
	for _, t := range faultChoices {
		page.Troubles = append(page.Troubles, t.choice)
	}
	if form.Trouble == kept.Value {
		page.Troubles = append(page.Troubles, kept)
	}
	for _, c := range callGroups {
		page.CallGroups = append(page.CallGroups, c.choice)
	}
	pageHeaders(w)
	formHeaders(w)
	s.render(w, r, status, "page_faults.html", page)
}

// formHeaders lets a page have a form. Without a referrer, browsers hide where it
// comes from, and older ones have nothing else to say that.
func formHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "form-action 'none'", "form-action 'self'", 1))
	h.Set("Referrer-Policy", "same-origin")
}

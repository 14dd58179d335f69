package faults

import (
	"embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/pages"
)

// Path is the path of the page; its JSON is at Path + ".json".
const Path = "/dev/faults"

//go:embed templates
var templateFiles embed.FS

// The template is parsed on first use: most instances never show the page.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(templateFiles, "templates/faults.html"))
})

// Register adds the page and its JSON to mux.
func (i *Injector) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Path, i.showPage)
	mux.HandleFunc("POST "+Path, i.submitPage)
	mux.HandleFunc("GET "+Path+".json", i.getJSON)
	mux.HandleFunc("PUT "+Path+".json", i.putJSON)
}

type choice struct{ Value, Label string }

// unchanged is the choice that keeps the rules in force. It is offered while the form has
// no choice for them, because a program has set them.
var unchanged = choice{"kept", "Keep the active faults, set by a script"}

// faultChoices are the faults that the page offers; their rules lack the route.
var faultChoices = []struct {
	choice
	rule rule
}{
	{choice{"", "None"}, rule{}},
	{choice{"slow", "Slow: every response takes two seconds"}, rule{Kind: kindSlow, DelayMS: 2000, Share: 1}},
	{choice{"errors", "Errors: half of the responses are 500"}, rule{Kind: kindStatus, Status: 500, Share: .5}},
	{choice{"limits", "Rate limit: half of the responses are 429, too many requests"}, rule{Kind: kindStatus, Status: 429, Share: .5}},
	{choice{"garbage", "Garbage: responses are HTML, as from a proxy"}, rule{Kind: kindGarbage, Share: 1}},
	{choice{"hang", "Hang: no response"}, rule{Kind: kindHang, Share: 1}},
	{choice{"down", "Down: no connection"}, rule{Kind: kindDown, Share: 1}},
}

// callChoices are the groups of calls that the page offers.
var callChoices = []struct {
	choice
	route string
}{
	{choice{"all", "All calls"}, ""},
	{choice{"mail", "Emailing links"}, "/v1/magic_links/email/*"},
	{choice{"signing-in", "Signing in by link"}, "/v1/magic_links/authenticate"},
	{choice{"codes", "Emailing codes"}, "/v1/otps/email/*"},
	{choice{"code", "Signing in by code"}, "/v1/otps/authenticate"},
	{choice{"totps", "Authenticator apps"}, "/v1/totps*"},
	{choice{"passkeys", "Passkeys"}, "/v1/webauthn/*"},
	{choice{"oauth", "Signing in by OAuth"}, "/v1/oauth/*"},
	{choice{"sessions", "Checking sessions"}, "/v1/sessions/authenticate"},
	{choice{"users", "Users"}, "/v1/users*"},
}

type form struct {
	Fault, Calls          string
	Clock, GuestlistClock string // minutes
}

type page struct {
	form
	Stylesheet     string
	InForce        []string
	Choices        []choice
	CallGroups     []choice
	CanMoveProgram bool
	Problem        string // why the form was refused; empty if it was not
}

func (i *Injector) showPage(w http.ResponseWriter, r *http.Request) {
	i.render(w, r, http.StatusOK, i.config().form(), "")
}

// submitPage replaces all faults by those of the form. The reset button submits no fields.
func (i *Injector) submitPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	f := form{
		Fault: r.PostFormValue("trouble"), Calls: r.PostFormValue("calls"),
		Clock: r.PostFormValue("clock"), GuestlistClock: r.PostFormValue("guestlist_clock"),
	}
	c, err := f.config(i.config())
	if err == nil {
		err = i.set(c)
	}
	if err != nil {
		i.render(w, r, http.StatusUnprocessableEntity, f, err.Error())
		return
	}
	http.Redirect(w, r, Path, http.StatusSeeOther)
}

// config returns the faults that the form asks for. The error is a sentence for the user.
func (f form) config(inForce config) (config, error) {
	var c config
	chosen := f.rule()
	switch {
	case f.Fault == unchanged.Value:
		c.Rules = inForce.Rules
	case chosen != rule{}:
		c.Rules = []rule{chosen}
	case f.Fault != "":
		return c, invalidInput("Choose a fault and the affected calls.")
	}
	var err error
	if c.ClockMS, err = parseMinutes(f.Clock, inForce.ClockMS); err != nil {
		return c, err
	}
	c.ProgramMS, err = parseMinutes(f.GuestlistClock, inForce.ProgramMS)
	return c, err
}

// parseMinutes returns the offset of a clock in milliseconds. A value that was not edited
// keeps its fraction of a minute, which a program may have set.
func parseMinutes(typed string, inForce int64) (int64, error) {
	typed = strings.TrimSpace(typed)
	switch typed {
	case "":
		return 0, nil
	case formatMinutes(inForce):
		return inForce, nil
	}
	minutes, err := strconv.ParseInt(typed, 10, 32)
	if err != nil {
		return 0, invalidInput("Enter a whole number of minutes, such as 60 or -5.")
	}
	return minutes * time.Minute.Milliseconds(), nil
}

func formatMinutes(ms int64) string {
	return strconv.FormatFloat(float64(ms)/float64(time.Minute.Milliseconds()), 'f', -1, 64)
}

// rule returns the rule for the two choices, or the zero value if there is none.
func (f form) rule() rule {
	for _, fault := range faultChoices {
		for _, calls := range callChoices {
			if fault.Value == f.Fault && calls.Value == f.Calls && fault.rule.Kind != "" {
				chosen := fault.rule
				chosen.Route = calls.route
				return chosen
			}
		}
	}
	return rule{}
}

func (c config) form() form {
	out := form{Calls: callChoices[0].Value, Clock: formatMinutes(c.ClockMS), GuestlistClock: formatMinutes(c.ProgramMS)}
	if len(c.Rules) > 0 {
		out.Fault = unchanged.Value
	}
	if len(c.Rules) != 1 {
		return out
	}
	for _, fault := range faultChoices {
		for _, calls := range callChoices {
			if f := (form{Fault: fault.Value, Calls: calls.Value}); f.rule() == c.Rules[0] {
				out.Fault, out.Calls = f.Fault, f.Calls
			}
		}
	}
	return out
}

func (i *Injector) render(w http.ResponseWriter, r *http.Request, status int, f form, problem string) {
	p := page{
		form: f, Stylesheet: i.opts.Stylesheet, InForce: i.config().describe(), CanMoveProgram: i.opts.Program != nil, Problem: problem,
	}
	for _, c := range faultChoices {
		p.Choices = append(p.Choices, c.choice)
	}
	if f.Fault == unchanged.Value {
		p.Choices = append(p.Choices, unchanged)
	}
	for _, c := range callChoices {
		p.CallGroups = append(p.CallGroups, c.choice)
	}
	pages.SetHeaders(w)
	pages.AllowForm(w)
	pages.Render(w, r, i.opts.Log, status, pageTemplate(), p)
}

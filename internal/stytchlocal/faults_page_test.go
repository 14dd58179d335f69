package stytchlocal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/clock"
	"github.com/guestlist/guestlist/internal/stytchlocal"
	"github.com/guestlist/guestlist/internal/testpage"
)

// faultsPage returns the parsed page.
func (f *fixture) faultsPage() *testpage.Page {
	f.t.Helper()
	_, _, text := f.page("GET", "/dev/faults")
	return f.parse(text)
}

func (f *fixture) parse(text string) *testpage.Page {
	f.t.Helper()
	page, err := testpage.Parse(strings.NewReader(text))
	if err != nil {
		f.t.Fatal(err)
	}
	return page
}

func (f *fixture) submit(button string, fill ...string) (int, http.Header, *testpage.Page) {
	f.t.Helper()
	form, ok := f.faultsPage().Form(button)
	if !ok {
		f.t.Fatalf("no button %q", button)
	}
	for i := 0; i < len(fill); i += 2 {
		if err := form.Fill(fill[i], fill[i+1]); err != nil {
			f.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(f.t.Context(), form.Method, f.url+form.Action, strings.NewReader(form.Values.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	status, header, text := f.raw(f.withKey(r))
	return status, header, f.parse(text)
}

// inForce returns the faults in force as JSON.
func (f *fixture) inForce() string {
	f.t.Helper()
	_, _, text := f.page("GET", "/dev/faults.json")
	return strings.TrimSpace(text)
}

const (
	localClock   = "Local Stytch’s clock, in minutes ahead of Guestlist’s"
	programClock = "Guestlist’s clock, in minutes ahead of the real time"
)

func TestFaultsPage(t *testing.T) {
	t.Parallel()
	f := onSQLite(t, func(o *stytchlocal.Options) { o.ProgramClock = clock.New(o.Now) })
	_, header, text := f.page("GET", "/dev/faults")
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "form-action 'self'") {
		t.Errorf("Content-Security-Policy is %q", csp)
	}
	if got := header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("Referrer-Policy is %q: without a referrer, the Origin of a form is null", got)
	}
	page := f.parse(text)
	if _, ok := page.Form("Clear all faults"); ok || !strings.Contains(page.Text(), "No faults are active.") {
		t.Errorf("at first, the page says %s", page.Text())
	}

	const rule = `{"route":"/v1/magic_links/email/*","kind":"status","status":500,"share":0.5,"delay_ms":0,"after":false}`
	status, header, _ := f.submit("Apply", "Fault", "errors", "Affected calls", "mail", localClock, " 60 ", programClock, "-5")
	if status != 303 || header.Get("Location") != "/dev/faults" {
		t.Errorf("%d, Location %q", status, header.Get("Location"))
	}
	if diff := cmp.Diff(`{"rules":[`+rule+`],"clock_ms":3600000,"guestlist_clock_ms":-300000}`, f.inForce()); diff != "" {
		t.Error(diff)
	}
	page = f.faultsPage()
	for _, want := range []string{"responds with 500 at /v1/magic_links/email/* for 50% of the calls", "local Stytch's clock is 1h0m0s ahead", "Guestlist's clock is 5m0s behind"} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("the page lacks %q: %s", want, page.Text())
		}
	}
	form, _ := page.Form("Apply")
	for label, want := range map[string]string{"Fault": "errors", "Affected calls": "mail", localClock: "60", programClock: "-5"} {
		if got := form.Value(label); got != want {
			t.Errorf("%q is %q, want %q", label, got, want)
		}
	}
	_, _, text = f.page("GET", "/dev/inbox")
	inbox := f.parse(text)
	if to, _ := inbox.Link("Change"); to != "/dev/faults" || !strings.Contains(inbox.Text(), f.server.Faults()) {
		t.Errorf("the inbox says %s", inbox.Text())
	}

	if status, _, _ := f.submit("Clear all faults"); status != 303 || f.server.Faults() != "" {
		t.Errorf("%d, still in force: %s", status, f.inForce())
	}
}

// A script can set faults that the form has no choice for.
func TestFaultsPage_SetByScript(t *testing.T) {
	t.Parallel()
	for _, set := range []string{
		`{"rules":[{"route":"","kind":"cut","status":0,"share":1,"delay_ms":0,"after":true}],"clock_ms":0,"guestlist_clock_ms":0}`,
		`{"rules":[{"route":"/v1/users/x","kind":"down","status":0,"share":1,"delay_ms":0,"after":false}],"clock_ms":0,"guestlist_clock_ms":0}`,
		`{"rules":[{"route":"","kind":"down","status":0,"share":0.1,"delay_ms":0,"after":false},{"route":"","kind":"empty","status":0,"share":1,"delay_ms":0,"after":false}],"clock_ms":90000,"guestlist_clock_ms":0}`,
	} {
		f := onSQLite(t)
		f.faults(set)
		form, _ := f.faultsPage().Form("Apply")
		if got := form.Value("Fault"); got != "kept" {
			t.Errorf("%s: the form says %q", set, got)
		}
		if status, _, _ := f.submit("Apply"); status != 303 || f.inForce() != set {
			t.Errorf("sent as it stands, it makes of\n%s\n%s", set, f.inForce())
		}
		if status, _, _ := f.submit("Apply", localClock, "5"); status != 303 || !strings.Contains(f.inForce(), `"clock_ms":300000`) || !strings.Contains(f.inForce(), `"kind"`) {
			t.Errorf("with another clock it makes of\n%s\n%s", set, f.inForce())
		}
		if status, _, _ := f.submit("Apply", "Fault", ""); status != 303 || !strings.Contains(f.inForce(), `"rules":[]`) {
			t.Errorf("with nothing going wrong it makes of\n%s\n%s", set, f.inForce())
		}
		form, _ = f.faultsPage().Form("Apply")
		if got := form.Value("Fault"); got != "" {
			t.Errorf("afterwards the form says %q", got)
		}
		if _, _, text := f.page("GET", "/dev/faults"); strings.Contains(text, "set by a script") {
			t.Error("afterwards the form offers to keep what is in force")
		}
	}
}

func TestFaultsPage_EveryChoice(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	for choice, kind := range map[string]string{"slow": "slow", "errors": "status", "limits": "status", "garbage": "garbage", "hang": "hang", "down": "down"} {
		for calls, route := range map[string]string{"all": "", "mail": "/v1/magic_links/email/*", "signing-in": "/v1/magic_links/authenticate", "sessions": "/v1/sessions/authenticate", "users": "/v1/users*"} {
			if status, _, _ := f.submit("Apply", "Fault", choice, "Affected calls", calls); status != 303 {
				t.Errorf("%s, %s: %d", choice, calls, status)
			}
			if want := `{"rules":[{"route":"` + route + `","kind":"` + kind + `"`; !strings.HasPrefix(f.inForce(), want) {
				t.Errorf("%s, %s: %s", choice, calls, f.inForce())
			}
			form, _ := f.faultsPage().Form("Apply")
			if form.Value("Fault") != choice || form.Value("Affected calls") != calls {
				t.Errorf("%s, %s: the form says %v", choice, calls, form.Values)
			}
		}
	}
}

func TestFaultsPage_InvalidForm(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	f.faults(`{"clock_ms":60000}`)
	for _, row := range []struct{ label, value, want string }{
		{"Fault", "fire", "Choose a fault and the affected calls."},
		{localClock, "an hour", "Enter a whole number of minutes, such as 60 or -5."},
		{localClock, "99999999999", "Enter a whole number of minutes, such as 60 or -5."},
		{localClock, "9999999", "A clock can be at most ten years ahead or behind."},
	} {
		status, _, page := f.submit("Apply", row.label, row.value)
		if status != 422 || !strings.Contains(page.Text(), row.want) {
			t.Errorf("%s %q: %d %s", row.label, row.value, status, page.Text())
		}
		if form, _ := page.Form("Apply"); row.label == localClock && form.Value(row.label) != row.value {
			t.Errorf("what was typed is gone: %q", form.Value(row.label))
		}
	}
	if want := `{"rules":[],"clock_ms":60000,"guestlist_clock_ms":0}`; f.inForce() != want {
		t.Errorf("in force is %s", f.inForce())
	}
	if strings.Contains(f.faultsPage().Text(), programClock) {
		t.Error("the page offers to move a clock that can't be")
	}
}

func TestFaults_CrossSiteWrites(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	for _, method := range []string{"POST", "PUT"} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:3000"} {
			path := map[string]string{"POST": "/dev/faults", "PUT": "/dev/faults.json"}[method]
			r, _ := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(`{"clock_ms":1}`))
			r.Header.Set(name, value)
			if status, _, _ := f.raw(f.withKey(r)); status != 403 {
				t.Errorf("%s with %s %s: %d", method, name, value, status)
			}
		}
	}
	if f.server.Faults() != "" {
		t.Errorf("in force is %s", f.inForce())
	}
}

package guard

import (
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/identity"
)

const mePath = apps.OwnPath + "me"

// ReportPath is the path of the page on Guestlist's host that shows a report.
const ReportPath = "/enter/report"

// Report is what the guard knows about a request: its user, and what it has received. The
// doctor compares that with what it has sent through a proxy.
type Report struct {
	App      string         `json:"app"`
	Decision apps.Decision  `json:"decision"`
	User     *ReportUser    `json:"user"` // null for a visitor without a session
	Received ReportReceived `json:"received"`
}

// ReportUser is the signed-in user, as the app sees them.
type ReportUser struct {
	ID     string   `json:"id"`
	Email  string   `json:"email"`
	Name   string   `json:"name"`
	Handle string   `json:"handle"`
	Groups []string `json:"groups"`
}

// ReportReceived is the visitor's request as the guard has received it.
type ReportReceived struct {
	Scheme  string            `json:"scheme"`
	Host    string            `json:"host"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Client  string            `json:"client"`
	Headers map[string]string `json:"headers"` // those that tell an app who or where the visitor is, by name
}

// maxReportValue and maxReportHeaders limit a report, which is carried in an address.
const (
	maxReportValue   = 80
	maxReportHeaders = 24
	maxReportGroups  = 10
)

// me answers with a report. A proxy that asks passes on refusals only, and nginx not even
// their bodies, so through those the report is carried to a page on Guestlist's host.
func (g *Guard) me(r Request, access apps.Access) Answer {
	if !r.isRead() {
		return refuseAccess(access, http.StatusMethodNotAllowed, "method not allowed")
	}
	body, err := json.Marshal(newReport(r, access))
	if err != nil { // a header isn't UTF-8
		return refuse(http.StatusBadRequest, "malformed header")
	}
	if r.Direct {
		return Answer{Access: access, status: http.StatusOK, body: body}
	}
	a := redirect(g.base + ReportPath + "?r=" + g.opts.Tickets.SealReport(string(body)))
	a.Access = access
	return a
}

func newReport(r Request, access apps.Access) Report {
	report := Report{App: access.App.ID, Decision: access.Decision, Received: ReportReceived{
		Scheme: r.Scheme, Host: clip(r.Host), Method: r.Method, Path: clip(r.path()), Client: r.Browser.Address, Headers: map[string]string{},
	}}
	if access.User.ID != "" && access.Decision == apps.Allowed {
		u := access.User
		report.User = &ReportUser{
			ID: u.ID, Email: u.Email.Normalized, Name: u.DisplayName(), Handle: identity.Handle(u.Email),
			Groups: access.Groups[:min(len(access.Groups), maxReportGroups)],
		}
	}
	for name, values := range r.Header {
		if isReported(name) && len(report.Received.Headers) < maxReportHeaders {
			report.Received.Headers[name] = clip(strings.Join(values, ", "))
		}
	}
	return report
}

// isReported reports whether a header says who or where the visitor is, or is an alias of one
// that does. Credentials are not reported.
func isReported(name string) bool {
	letters := strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(name))
	if letters == "xguestlisttoken" {
		return false
	}
	for _, prefix := range []string{"remote", "xguestlist", "xforwarded", "forwarded", "xoriginal", "xreal", "xrewrite"} {
		if strings.HasPrefix(letters, prefix) {
			return true
		}
	}
	return false
}

// clip shortens a text and replaces what isn't printable ASCII.
func clip(s string) string {
	s = s[:min(len(s), maxReportValue)]
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

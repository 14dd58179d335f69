package guard

import (
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/guestlist/guestlist/internal/apps"
)

// SignInHeader is the header of an answer 401 that says where to sign in.
const SignInHeader = "X-Guestlist-Sign-In"

// Answer is the result of a check. It is 200 for a request that may pass.
type Answer struct {
	Access   apps.Access // its App is zero for an unknown host; the rest is zero for requests without a credential
	Identity http.Header // identity headers for the app, if the request may pass; nil for requests without a credential

	status      int
	message     string // for programs, in JSON
	body        []byte // of an answer 200 to the visitor, in JSON; nil unless Guestlist answers in place of the app
	page        *page  // for browsers; nil if the answer is for programs
	location    string // absolute; empty unless it is a redirect
	setCookie   string
	signInAt    string // address for SignInHeader; empty for none
	retryAfter  int    // in seconds; 0 for no such header
	unknownHost bool
	pageTicket  apps.Ticket // leads to the same page on Guestlist's host, for proxies that pass on no page
}

// unavailableRetryAfter is after how many seconds to ask again if access can't be checked.
const unavailableRetryAfter = 30

// refuse returns an answer for programs.
func refuse(status int, message string) Answer { return Answer{status: status, message: message} }

// refuseAccess is refuse for a request whose access was checked.
func refuseAccess(access apps.Access, status int, message string) Answer {
	return Answer{Access: access, status: status, message: message}
}

// redirect returns an answer that sends a browser elsewhere, with GET.
func redirect(location string) Answer {
	return Answer{status: http.StatusSeeOther, location: location}
}

// Allowed reports whether the request may pass to the app.
func (a Answer) Allowed() bool { return a.status == http.StatusOK && a.body == nil }

// UnknownHost reports whether no app has the request's host.
func (a Answer) UnknownHost() bool { return a.unknownHost }

// Status returns the status of Write.
func (a Answer) Status() int { return a.status }

// noStore keeps caches from storing what depends on a credential.
var noStore = []string{"no-store"}

// Write sends the answer to a visitor, or to a proxy that passes it on whole. One that is
// allowed has the identity headers and no body.
func (a Answer) Write(w http.ResponseWriter) {
	h := w.Header()
	h["Cache-Control"] = noStore
	for name, values := range a.Identity {
		h[name] = values
	}
	if a.setCookie != "" {
		h["Set-Cookie"] = []string{a.setCookie}
	}
	if a.signInAt != "" {
		h.Set(SignInHeader, a.signInAt)
	}
	if a.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	switch {
	case a.location != "":
		h.Set("Location", a.location)
		w.WriteHeader(a.status)
	case a.body != nil:
		writeJSON(w, a.status, a.body)
	case a.Allowed():
		w.WriteHeader(a.status)
	case a.page != nil:
		a.page.write(w, a.status)
	default:
		a.writeMessage(w)
	}
}

// writeMessage sends the answer that programs get.
func (a Answer) writeMessage(w http.ResponseWriter) {
	message := struct {
		Error  string `json:"error"`
		SignIn string `json:"sign_in,omitempty"`
	}{a.message, a.signInAt}
	body, err := json.Marshal(message)
	if err != nil {
		body = nil // can't fail: it has two strings of ours
	}
	writeJSON(w, a.status, body)
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// forNginx returns the answer in a form that nginx's auth_request passes on: 401, with a
// Location if the browser is to go elsewhere, or 403. seal seals tickets.
// https://nginx.org/en/docs/http/ngx_http_auth_request_module.html
func (a Answer) forNginx(pageAt func(apps.Ticket) string) Answer {
	switch {
	case a.Allowed(), a.status >= http.StatusInternalServerError, a.status == http.StatusUnauthorized && a.page == nil:
		return a
	case a.location != "":
		a.status = http.StatusUnauthorized
		return a
	case a.page != nil && a.pageTicket.AppID != "":
		a.status, a.location = http.StatusUnauthorized, pageAt(a.pageTicket)
		return a
	}
	a.status = http.StatusForbidden
	return a
}

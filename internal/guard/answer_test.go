package guard

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/testpage"
)

const people = "https://people.example.com"

func TestAnswer_ForNginx(t *testing.T) {
	t.Parallel()
	app := apps.App{Enabled: true, ID: "0193-app", Name: "Wiki", Scheme: "https", Host: "wiki.example.com"}
	ticket := apps.Ticket{AppID: app.ID}
	allowed := Answer{status: http.StatusOK, Identity: http.Header{"Remote-User": {"ada"}}}
	signIn := redirect(people + "/enter?t=x")
	signIn.setCookie = "a=b"
	unauthenticated := refuse(http.StatusUnauthorized, "user unauthenticated")
	unauthenticated.signInAt = people + "/enter?t=x"
	refused := refuse(http.StatusForbidden, "no access")
	refusedPage, again := refused, refuse(http.StatusBadRequest, "again")
	refusedPage.page, refusedPage.pageTicket = &page{Title: "No"}, ticket
	again.page, again.pageTicket = &page{Title: "Again"}, ticket
	unknown, unavailable := refuse(http.StatusNotFound, "no app"), refuse(http.StatusServiceUnavailable, "later")
	unknown.page, unavailable.page = &page{Title: "No app"}, &page{Title: "Later"}
	for name, row := range map[string]struct {
		answer    Answer
		status    int
		location  string
		setCookie string
	}{
		"allowed":                      {allowed, 200, "", ""},
		"a page without a session":     {signIn, 401, people + "/enter?t=x", "a=b"},
		"a program without a session":  {unauthenticated, 401, "", ""},
		"a program of a refused user":  {refused, 403, "", ""},
		"a page of a refused user":     {refusedPage, 401, people + "/ticket-of-0193-app", ""},
		"start again":                  {again, 401, people + "/ticket-of-0193-app", ""},
		"an unknown host":              {unknown, 403, "", ""},
		"a malformed request":          {refuse(http.StatusBadRequest, "malformed"), 403, "", ""},
		"a method that isn't allowed":  {refuse(http.StatusMethodNotAllowed, "no"), 403, "", ""},
		"the database is out of reach": {unavailable, 503, "", ""},
	} {
		w := httptest.NewRecorder()
		row.answer.forNginx(func(k apps.Ticket) string { return people + "/ticket-of-" + k.AppID }).Write(w)
		if w.Code != row.status || w.Header().Get("Location") != row.location || w.Header().Get("Set-Cookie") != row.setCookie || len(w.Header()["Set-Cookie"]) > 1 {
			t.Errorf("%s: %d, to %q, sets %q", name, w.Code, w.Header().Get("Location"), w.Header()["Set-Cookie"])
		}
		if row.status != 200 && w.Header().Get("Remote-User") != "" {
			t.Errorf("%s: has an identity", name)
		}
	}
}

func TestPages_NeedNothingElse(t *testing.T) {
	t.Parallel()
	const hostile = `<script>alert(1)</script>"'{{.Title}}</style>`
	base, _ := url.Parse(people)
	p := newPages(base)
	app := apps.App{Enabled: true, ID: "0193-app", Name: hostile, Scheme: "https", Host: "wiki.example.com", AllowRequests: true}
	user := directory.User{Email: directory.Email{Display: `<b>@example.com`}}
	for name, view := range map[string]*page{
		"refused":      p.refused(apps.Access{App: app, User: user, Decision: apps.NotInGroup}),
		"ended":        p.refused(apps.Access{App: app, User: user, Decision: apps.MembershipEnded}),
		"switched off": p.switchedOff(app, `/"><script>`),
		"code":         p.startAgain(app, `/"><script>`, apps.ProblemCode),
		"cookie":       p.startAgain(app, "/", apps.ProblemCookie),
		"loop":         p.startAgain(app, "/", apps.ProblemLoop),
		"unavailable":  p.unavailable(),
		"unknown host": unknownHostPage(),
	} {
		w := httptest.NewRecorder()
		view.write(w, http.StatusForbidden)
		body := w.Body.String()
		_, after, _ := strings.Cut(body, "<style>")
		style, rest, _ := strings.Cut(after, "</style>")
		sum := sha256.Sum256([]byte(style))
		policy := w.Header().Get("Content-Security-Policy")
		if len(style) < 1000 || !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.HasPrefix(policy, "default-src 'none';") {
			t.Errorf("%s: the policy %q isn't for the style sheet of %d bytes", name, policy, len(style))
		}
		for _, never := range []string{"<script", "<b>", "</style>", " src=", "<link", "ZgotmplZ"} {
			if strings.Contains(rest, never) {
				t.Errorf("%s holds %q: %s", name, never, rest)
			}
		}
		parsed, err := testpage.Parse(strings.NewReader(body))
		if err != nil || parsed.Heading() == "" || !strings.HasSuffix(parsed.Title(), " · Guestlist") {
			t.Errorf("%s: heading %q, title %q, %v", name, parsed.Heading(), parsed.Title(), err)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}

func TestRefusals_AreRecordedOnceInAWhile(t *testing.T) {
	t.Parallel()
	var s refusals
	now := noon
	k := refusalKey{"ada", "wiki", apps.NotInGroup}
	other := refusalKey{"ada", "wiki", apps.MembershipEnded}
	if !s.isNew(k, now) || s.isNew(k, now.Add(refusalInterval-1)) || !s.isNew(other, now) || !s.isNew(k, now.Add(refusalInterval)) {
		t.Error("not once in refusalInterval")
	}
	for i := range 2*maxRefusals + 1 {
		s.isNew(refusalKey{userID: string(rune(i))}, now)
	}
	if len(s.recorded) > maxRefusals {
		t.Errorf("%d are remembered", len(s.recorded))
	}
}

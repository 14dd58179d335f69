package web

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/session"
)

// layoutData is what the layout shows around every page.
type layoutData struct {
	Title    string
	Viewer   *directory.User // nil if not signed in
	Section  string          // of the navigation: "apps", "users", "activity", "profile" or empty
	Message  session.Message // result of the last action
	List     listState       // where to go back to in the list
	Requests int             // pending requests for access; only for administrators
}

// banner is the text at the top of every page.
type banner struct{ Text, Path string }

// notice returns the banner, or nil if there is none.
func (s *server) notice() *banner {
	if s.opts.Notice == nil {
		return nil
	}
	text := s.opts.Notice()
	if text == "" {
		return nil
	}
	return &banner{Text: text, Path: s.opts.NoticePath}
}

// layout returns the layout of a page for the viewer.
func (s *server) layout(r *http.Request, title string) layoutData {
	p := layoutData{Title: title}
	if current := viewer(r); current.UserID != "" && !stateOf(r).incomplete {
		p.Viewer = &current.User
	}
	return p
}

// sectionLayout is layout for a page of a section, with the message kept for it.
func (s *server) sectionLayout(w http.ResponseWriter, r *http.Request, title, section string) layoutData {
	p := s.layout(r, title)
	p.Section = section
	p.Message = s.opts.Cookies.TakeMessage(w, r)
	p.List = listStateOf(r)
	if p.Viewer != nil && p.Viewer.IsActiveAdmin() {
		p.Requests = s.countRequests(r)
	}
	if p.Message.Text == "" {
		p.Message = stateOf(r).restored
	}
	return p
}

const htmlType = "text/html; charset=utf-8"

// render writes a page. If that fails, it writes nothing and returns an error.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, name string, view any) error {
	var b bytes.Buffer
	if err := s.templates[name]().ExecuteTemplate(&b, "layout.html", view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	writeResponse(w, status, htmlType, b.Bytes())
	return nil
}

// timeAgo says how long ago a time was: "5 minutes ago", or the date after a month.
func timeAgo(now, t time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return "never"
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return humanize.Plural(int(d/time.Minute), "minute") + " ago"
	case d < 24*time.Hour:
		return humanize.Plural(int(d/time.Hour), "hour") + " ago"
	case d < 30*24*time.Hour:
		return humanize.Plural(int(d/(24*time.Hour)), "day") + " ago"
	}
	return t.UTC().Format("2 Jan 2006")
}

// shortDate returns the day of a time: "30 Nov", with the year if it is another one.
func shortDate(now, t time.Time) string {
	if now.UTC().Year() == t.UTC().Year() {
		return t.UTC().Format("2 Jan")
	}
	return t.UTC().Format("2 Jan 2006")
}

// formatDuration returns a duration in its largest whole unit: "10 minutes", "7 days".
func formatDuration(d time.Duration) string {
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return humanize.Plural(int(d/(24*time.Hour)), "day")
	case d >= time.Hour && d%time.Hour == 0:
		return humanize.Plural(int(d/time.Hour), "hour")
	}
	return humanize.Plural(int(d/time.Minute), "minute")
}

func roleLabel(r directory.Role) string {
	if r == directory.Admin {
		return "Administrator"
	}
	return "Member"
}

package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/session"
)

// layoutData is what every page shows around its own content.
type layoutData struct {
	Title   string
	Viewer  *directory.User // who is signed in, nil for nobody
	Section string          // of the navigation: "users", "profile", or empty
	Message session.Message // what the last action did
	List    listState       // the part of the list to go back to
}

// banner is what stands at the top of every page.
type banner struct{ Text, Path string }

// notice returns nil if there is none.
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

// layout returns the frame of a page for whoever guard let through.
func (s *server) layout(r *http.Request, title string) layoutData {
	p := layoutData{Title: title}
	if current := viewer(r); current.UserID != "" {
		p.Viewer = &current.User
	}
	return p
}

// sectionLayout is page for a page in the navigation, with the message kept for it.
func (s *server) sectionLayout(w http.ResponseWriter, r *http.Request, title, section string) layoutData {
	p := s.layout(r, title)
	p.Section, p.Message, p.List = section, s.opts.Cookies.TakeMessage(w, r), listStateOf(r)
	if p.Message.Text == "" && stateOf(r).draft {
		p.Message = unsaved
	}
	return p
}

const htmlType = "text/html; charset=utf-8"

// render writes a page whole, or nothing and an error.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, name string, view any) error {
	var b bytes.Buffer
	if err := s.templates[name]().ExecuteTemplate(&b, "layout.html", view); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	writeResponse(w, status, htmlType, b.Bytes())
	return nil
}

// timeAgo says how long ago something was, in the words people use.
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

// shortDate says the day of a time: "30 Nov", with the year if it is another one.
func shortDate(now, t time.Time) string {
	if now.UTC().Year() == t.UTC().Year() {
		return t.UTC().Format("2 Jan")
	}
	return t.UTC().Format("2 Jan 2006")
}

// formatDuration says how long something lasts: "10 minutes", "7 days".
func formatDuration(d time.Duration) string {
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return humanize.Plural(int(d/(24*time.Hour)), "day")
	case d >= time.Hour && d%time.Hour == 0:
		return humanize.Plural(int(d/time.Hour), "hour")
	}
	return humanize.Plural(int(d/time.Minute), "minute")
}

// formatNumber writes 10,000 for 10000.
func formatNumber(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", formatNumber(n/1000), n%1000)
}

func roleLabel(r directory.Role) string {
	if r == directory.Admin {
		return "Administrator"
	}
	return "Member"
}

package web

import (
	"html/template"
	"io/fs"
	"strings"
	"sync"
	"time"

	gohumanize "github.com/dustin/go-humanize"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/static"
)

// parseTemplates returns the pages by name, each with the layout and the parts that pages share. A
// page is parsed when it is first shown, so that the program starts without waiting for all of them.
func (s *server) parseTemplates() map[string]func() *template.Template {
	files := static.Templates()
	shared := template.Must(template.New("").Funcs(template.FuncMap{
		"url":        s.url,
		"asset":      s.asset,
		"notice":     s.notice,
		"passkeys":   s.passkeysWork,
		"titleParts": static.TitleParts,
		"ago":        func(t time.Time) string { return timeAgo(s.opts.Now(), t) },
		"stamp":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"nanos":      func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
		"day":        humanize.FormatTime,
		"ends":       humanize.FormatEnd,
		"date":       func(t time.Time) string { return shortDate(s.opts.Now(), t) },
		"thousands":  func(n int) string { return gohumanize.Comma(int64(n)) },
		"words":      formatDuration,
		"wait":       humanize.FormatWait,
		"seconds":    func(n int) string { return humanize.Plural(n, "second") },
		"browser":    describeBrowser,
		"role":       roleLabel,
		"proofs":     func(p factor.Proofs) string { return describeProofs(s.opts.Now(), p) },
	}).ParseFS(files, "layout.html", "parts/*.html"))
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		panic(err) // the pattern is well-formed
	}
	pages := map[string]func() *template.Template{}
	for _, name := range names {
		if name == "layout.html" {
			continue
		}
		pages[strings.TrimSuffix(name, ".html")] = sync.OnceValue(func() *template.Template {
			return template.Must(template.Must(shared.Clone()).ParseFS(files, name))
		})
	}
	return pages
}

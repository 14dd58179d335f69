package web

import (
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/static"
)

// parseTemplates returns the pages by name, each with the layout and the parts
// that pages share. A page is parsed when it is first shown, so that the start
// does not wait for all of them.
func (s *server) parseTemplates() map[string]func() *template.Template {
	files := static.Templates()
	parts := templateNames(files, "parts/*.html")
	shared := s.parse(template.New("").Funcs(template.FuncMap{
		"url":       s.url,
		"asset":     s.asset,
		"notice":    s.notice,
		"ago":       func(t time.Time) string { return timeAgo(s.Now(), t) },
		"stamp":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"day":       humanize.FormatTime,
		"date":      func(t time.Time) string { return shortDate(s.Now(), t) },
		"thousands": formatNumber,
		"words":     formatDuration,
		"wait":      humanize.FormatWait,
		"browser":   describeBrowser,
		"role":      roleLabel,
	}), files, append(parts, "layout.html")...)
	pages := map[string]func() *template.Template{}
	for _, file := range templateNames(files, "*.html") {
		if file != "layout.html" {
			pages[strings.TrimSuffix(file, ".html")] = sync.OnceValue(func() *template.Template {
				return s.parse(template.Must(shared.Clone()), files, file)
			})
		}
	}
	return pages
}

func templateNames(files fs.FS, pattern string) []string {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		panic(err) // the patterns above are well-formed
	}
	return names
}

// constantURL is an address of our own that does not depend on what is shown.
var constantURL = regexp.MustCompile(`{{(url|asset) "([^"]+)"}}`)

// parse adds files to t. The addresses in them that are always the same become
// text: a template would make and escape them anew in every answer, some twenty on
// a page. They need no escaping, neither the base URL's path (package config sees
// to that) nor what stands in the files.
func (s *server) parse(t *template.Template, files fs.FS, names ...string) *template.Template {
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err) // they are embedded
		}
		settled := constantURL.ReplaceAllStringFunc(string(text), func(action string) string {
			m := constantURL.FindStringSubmatch(action)
			if m[1] == "asset" {
				return s.asset(m[2])
			}
			return s.url(m[2])
		})
		template.Must(t.New(path.Base(name)).Parse(settled))
	}
	return t
}

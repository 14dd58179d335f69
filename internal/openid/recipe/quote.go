package recipe

import (
	"encoding/json"
	"regexp"
	"strings"
)

// quote returns a text as a string of JSON, which is one of YAML and TOML as well.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string can always be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// plainWord is a word that no shell changes.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoteShell returns a text as one word of a POSIX shell.
func quoteShell(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// quoteCSV returns a text as a field of comma-separated values.
func quoteCSV(s string) string {
	if strings.ContainsAny(s, `",#`) {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}

// pattern returns a regular expression, between slashes, that matches each of some texts and
// nothing else.
func pattern(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strings.ReplaceAll(regexp.QuoteMeta(text), "/", `\/`)
	}
	return "/^(" + strings.Join(quoted, "|") + ")$/"
}

package roster

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/directory"
)

// What is read of a person, by the names that a column or a member may have
// once letter case, spaces, dashes and underscores are taken out of it.
var meanings = map[string]string{
	"email": "email", "emailaddress": "email", "mail": "email",
	"name": "name", "fullname": "name",
	"role":   "role",
	"status": "status",
}

func meaning(name string) string {
	return meanings[strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(strings.TrimSpace(name)))]
}

// columns says where in a table's records what is read stands.
type columns struct {
	at     map[string]int // by meaning
	count  int
	unused []string
}

// parseHeader reads a table's first line.
func parseHeader(line int, cells []string) (columns, error) {
	c := columns{at: map[string]int{}, count: len(cells)}
	for i, cell := range cells {
		m := meaning(cell)
		if _, twice := c.at[m]; twice {
			return c, &FileError{Line: line, Text: fmt.Sprintf("There are two columns for the %s.", m)}
		}
		if m != "" {
			c.at[m] = i
		} else if name := strings.TrimSpace(cell); name != "" {
			c.unused = append(c.unused, clip(strings.ToValidUTF8(name, "\ufffd"), 40))
		}
	}
	if _, ok := c.at["email"]; !ok {
		return c, &FileError{Line: line, Text: "The first line must name the columns, and one of them must be email; name and role may be there, too." + c.has()}
	}
	return c, nil
}

func (c columns) has() string {
	if len(c.unused) == 0 {
		return ""
	}
	return " It has: " + strings.Join(c.unused[:min(len(c.unused), 10)], ", ") + "."
}

// line reads a record; ok is false if all of it is empty.
func (c columns) line(number int, cells []string) (l Line, ok bool) {
	if !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
		return Line{}, false
	}
	fields := map[string]string{}
	for m, i := range c.at {
		if i < len(cells) {
			fields[m] = cells[i]
		}
	}
	l = person(number, fields)
	if len(cells) > c.count {
		l.Problem = fmt.Sprintf("There are %d columns here, and %d in the first line. Put what holds a separator in quotes.", len(cells), c.count)
	}
	return l, true
}

// person makes a line of what is known by meaning.
func person(number int, fields map[string]string) Line {
	l := Line{Number: number, Entry: directory.Entry{
		Email: strings.TrimSpace(fields["email"]), Name: fields["name"], Role: strings.ToLower(strings.TrimSpace(fields["role"])),
	}}
	for _, text := range fields {
		if !utf8.ValidString(text) || strings.ContainsRune(text, utf8.RuneError) {
			l.Problem = "Some letters can't be read. Save the file as CSV UTF-8."
		}
	}
	if strings.EqualFold(strings.TrimSpace(fields["status"]), string(directory.Suspended)) {
		l.Problem = "This person is suspended where the file comes from, and is not let in here by it."
	}
	return l
}

// clip returns the first n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

package userio

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/text"
)

// field is what is read of a column.
type field int

const (
	fieldNone field = iota
	fieldEmail
	fieldName
	fieldFirst
	fieldMiddle
	fieldLast
	fieldRole
	fieldAccess
	fields // how many there are
)

var fieldLabels = map[field]string{fieldEmail: "email", fieldName: "name", fieldFirst: "first name", fieldMiddle: "middle name", fieldLast: "last name", fieldRole: "role"}

// column is a column of a table, or a member of JSON objects.
type column struct {
	name   string // as in the file, not longer than is shown
	field  field
	rank   int    // of several columns for one field, the one of the lowest rank that is filled in is read
	access access // of fieldAccess, and of columns that nothing else is read of
}

// knownColumns are the names of columns in the form of [letters]. Other addresses,
// such as a recovery or a manager's, are never taken for the person's.
var knownColumns = map[string]column{
	"primaryemail": {field: fieldEmail, rank: 1}, "primaryemailaddress": {field: fieldEmail, rank: 1}, "primarysmtpaddress": {field: fieldEmail, rank: 1},
	"email": {field: fieldEmail, rank: 2}, "emailaddress": {field: fieldEmail, rank: 2}, "mail": {field: fieldEmail, rank: 2}, "mailaddress": {field: fieldEmail, rank: 2},
	"emails": {field: fieldEmail, rank: 2}, "emailaddresses": {field: fieldEmail, rank: 2}, "email1value": {field: fieldEmail, rank: 2},
	"emailadresse": {field: fieldEmail, rank: 2}, "mailadresse": {field: fieldEmail, rank: 2},
	"useremail": {field: fieldEmail, rank: 3}, "youremail": {field: fieldEmail, rank: 3}, "youremailaddress": {field: fieldEmail, rank: 3},
	"memberemail": {field: fieldEmail, rank: 3}, "employeeemail": {field: fieldEmail, rank: 3}, "studentemail": {field: fieldEmail, rank: 3},
	"workemail": {field: fieldEmail, rank: 3}, "workemailaddress": {field: fieldEmail, rank: 3}, "businessemail": {field: fieldEmail, rank: 3},
	"companyemail": {field: fieldEmail, rank: 3}, "contactemail": {field: fieldEmail, rank: 3},
	"userprincipalname": {field: fieldEmail, rank: 4}, "upn": {field: fieldEmail, rank: 4}, // Microsoft
	"login": {field: fieldEmail, rank: 5}, "username": {field: fieldEmail, rank: 5}, "userlogin": {field: fieldEmail, rank: 5}, // Okta, Keycloak

	"realname": {field: fieldName, rank: 1}, // Slack, whose name is a login
	"name":     {field: fieldName, rank: 2}, "fullname": {field: fieldName, rank: 2}, "formattedname": {field: fieldName, rank: 2},
	"formatted":   {field: fieldName, rank: 2}, // SCIM
	"displayname": {field: fieldName, rank: 3}, "anzeigename": {field: fieldName, rank: 3},

	"firstname": {field: fieldFirst}, "givenname": {field: fieldFirst}, "forename": {field: fieldFirst}, "fname": {field: fieldFirst}, "vorname": {field: fieldFirst},
	"middlename": {field: fieldMiddle},
	"lastname":   {field: fieldLast}, "familyname": {field: fieldLast}, "surname": {field: fieldLast}, "lname": {field: fieldLast}, "nachname": {field: fieldLast},

	"role": {field: fieldRole},
}

// newColumn tells from its name what is read of a column.
func newColumn(name string) column {
	name = strings.TrimSpace(name)
	c, ok := knownColumns[letters(withoutNotes(name))]
	if !ok {
		c, ok = nestedColumn(name)
	}
	if !ok {
		if c.access = accessOf(name); c.access != accessNone && c.access != accessStray {
			c.field = fieldAccess
		}
	}
	c.name = excerpt(visible(name), 40)
	return c
}

// nestedColumn reads names such as profile.email.
func nestedColumn(name string) (column, bool) {
	i := strings.LastIndex(name, ".")
	if i < 0 || !holders[letters(name[:i])] {
		return column{}, false
	}
	c, ok := knownColumns[letters(withoutNotes(name[i+1:]))]
	return c, ok && c.field != fieldRole
}

// holders are objects that hold what is known of a person. What people can write
// about themselves elsewhere, such as user_metadata, is not read.
var holders = newSet("profile", "user", "account", "person", "member", "contact", "traits", "attributes", "userattributes", "mergefields", "name", "data")

// columns says where in a table's records what is read stands.
type columns struct {
	read    []placedColumn
	stray   []placedColumn // columns that nothing is read of, but words that keep somebody out
	unnamed []int
	count   int
	unused  []string // the names of columns that nothing is read of
	twice   field    // that two columns are equally good for; else fieldNone
}

type placedColumn struct {
	column
	at int
}

const noAddressColumn = "The first line must name the columns, and one of them must be email; name and role may be there, too."

// parseHeader reads the line of a table that names its columns.
func parseHeader(cells []string) columns {
	c := columns{count: len(cells)}
	for i, cell := range cells {
		switch col := newColumn(cell); {
		case col.name == "":
			c.unnamed = append(c.unnamed, i)
		case col.field == fieldNone:
			c.unused = append(c.unused, col.name)
			c.stray = append(c.stray, placedColumn{col, i})
		default:
			c.read = append(c.read, placedColumn{col, i})
		}
	}
	for f := fieldEmail; f < fieldAccess; f++ {
		if c.best(f) > 1 {
			c.twice = f
			break
		}
	}
	if slices.ContainsFunc(cells, isPlaceName) {
		for i, col := range c.read {
			c.read[i].access = col.besidePlaces()
		}
	}
	return c
}

// best is how many columns of the lowest rank there are for a field.
func (c columns) best(f field) int {
	rank, count := 0, 0
	for _, col := range c.read {
		switch {
		case col.field != f || count > 0 && col.rank > rank:
		case count > 0 && col.rank == rank:
			count++
		default:
			rank, count = col.rank, 1
		}
	}
	return count
}

func (c columns) hasAddress() bool { return c.best(fieldEmail) > 0 }

// besidePlaces returns what a column says about access where others are parts of a
// postal address: a state is one of those then.
func (c column) besidePlaces() access {
	if c.field == fieldAccess && letters(withoutNotes(c.name)) == "state" {
		return accessPlace
	}
	return c.access
}

var placeNames = newSet("city", "town", "zip", "zipcode", "postalcode", "postcode", "country", "countrycode", "countryregion", "street", "streetaddress")

func isPlaceName(name string) bool { return placeNames[letters(withoutNotes(name))] }

func (c columns) has() string {
	if len(c.unused) == 0 {
		return ""
	}
	return " It has: " + strings.Join(c.unused[:min(len(c.unused), 10)], ", ") + "."
}

// line reads a record; ok is false if all of it is empty.
func (c columns) line(number int, cells []string) (l Line, ok bool) {
	if isBlank(cells) {
		return Line{}, false
	}
	var p newLine
	for _, col := range c.read {
		p.set(col.column, cellAt(cells, col.at))
	}
	for _, col := range c.stray {
		p.check(col.column, cellAt(cells, col.at))
	}
	for _, i := range c.unnamed {
		if value := cellAt(cells, i); containsAny(letters(value), deniedStems) {
			p.leaveOut("a column without a name", value)
		}
	}
	l = p.line(number)
	if len(cells) > c.count && !isBlank(cells[c.count:]) {
		l.Problem = fmt.Sprintf("There are %d columns here, and %d in the first line. Put what holds a separator in quotes.", len(cells), c.count)
	}
	return l, true
}

func cellAt(cells []string, i int) string {
	if i < len(cells) {
		return cells[i]
	}
	return ""
}

// newLine gathers what a file says of somebody.
type newLine struct {
	values  [fields]string
	ranks   [fields]int
	problem string // the first that was found
	leftOut bool
}

// set notes what stands in a column.
func (p *newLine) set(c column, value string) {
	if !utf8.ValidString(value) || strings.ContainsRune(value, utf8.RuneError) {
		p.fail("Some letters can't be read. Save the file as CSV UTF-8.")
	}
	if c.field == fieldAccess {
		p.check(c, value)
		return
	}
	if p.values[c.field] == "" || value != "" && c.rank < p.ranks[c.field] {
		p.values[c.field], p.ranks[c.field] = value, c.rank
	}
}

// check leaves the person out if the column says so.
func (p *newLine) check(c column, value string) {
	if !c.access.admits(value) {
		p.leaveOut(c.name, value)
	}
}

func (p *newLine) fail(problem string) {
	if p.problem == "" {
		p.problem = problem
	}
}

// leaveOut notes why somebody is not let in, with the word that the file has.
func (p *newLine) leaveOut(column, value string) {
	p.leftOut = true
	is := "is empty"
	if value = visible(value); value != "" {
		is = "is “" + excerpt(value, 40) + "”"
	}
	p.fail(fmt.Sprintf("Left out: %s %s. Only people the file marks as active are imported.", column, is))
}

// line returns what was gathered.
func (p *newLine) line(number int) Line {
	email, name := mailbox(p.values[fieldEmail])
	for _, better := range []string{p.values[fieldFirst] + " " + p.values[fieldMiddle] + " " + p.values[fieldLast], p.values[fieldName]} {
		if better = strings.Join(strings.Fields(better), " "); better != "" {
			name = better
		}
	}
	if strings.Contains(strings.ToUpper(email), "#EXT#") {
		p.fail("This is the name of a guest's account, and not an address.")
	}
	return Line{Number: number, Problem: p.problem, LeftOut: p.leftOut, Entry: directory.UserInput{
		Email: email, Name: name, Role: strings.ToLower(strings.TrimSpace(p.values[fieldRole])),
	}}
}

// excerpt returns at most n characters of a file's text, as valid UTF-8, and an ellipsis
// if there are more.
func excerpt(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if short := text.Truncate(s, n); short != s {
		return short + "…"
	}
	return s
}

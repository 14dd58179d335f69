package userio

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/text"
)

// field is the part of a user that a column contains.
type field int

const (
	fieldNone field = iota
	fieldEmail
	fieldName
	fieldFirst
	fieldMiddle
	fieldLast
	fieldRole
	fieldGroups
	fieldUntil
	fieldAccess
	fieldCount
)

var fieldLabels = map[field]string{fieldEmail: "email", fieldName: "name", fieldFirst: "first name", fieldMiddle: "middle name", fieldLast: "last name", fieldRole: "role", fieldGroups: "groups", fieldUntil: "until"}

// column is a column of a table, or a member of JSON objects.
type column struct {
	name   string // from the file, shortened for display
	field  field
	rank   int    // of several columns for a field, the nonempty one with the lowest rank is used
	access access // of fieldAccess and fieldNone
}

// knownColumns lists the columns of exports by their names in the form of [letters]. Other
// addresses, such as a recovery address or a manager's, are never used.
var knownColumns = indexColumns([]knownColumn{
	{fieldEmail, 1, "primaryemail primaryemailaddress primarysmtpaddress"},
	{fieldEmail, 2, "email emailaddress mail mailaddress emails emailaddresses email1value emailadresse mailadresse"},
	{fieldEmail, 3, "useremail youremail youremailaddress memberemail employeeemail studentemail workemail workemailaddress businessemail companyemail contactemail"},
	{fieldEmail, 4, "userprincipalname upn"},                // Microsoft
	{fieldEmail, 5, "login username userlogin"},             // Okta, Keycloak
	{fieldName, 1, "realname"},                              // Slack, whose name is a login
	{fieldName, 2, "name fullname formattedname formatted"}, // formatted: SCIM
	{fieldName, 3, "displayname anzeigename"},
	{fieldFirst, 0, "firstname givenname forename fname vorname"},
	{fieldMiddle, 0, "middlename"},
	{fieldLast, 0, "lastname familyname surname lname nachname"},
	{fieldRole, 0, "role"},
	{fieldGroups, 0, "groups"},
	{fieldUntil, 0, "until"},
})

type knownColumn struct {
	field field
	rank  int
	names string
}

func indexColumns(known []knownColumn) map[string]column {
	index := map[string]column{}
	for _, k := range known {
		for _, name := range strings.Fields(k.names) {
			index[name] = column{field: k.field, rank: k.rank}
		}
	}
	return index
}

// newColumn returns the column with a name, whose meaning it derives from the name.
func newColumn(name string) column {
	name = strings.TrimSpace(name)
	c, ok := knownColumns[letters(withoutNotes(name))]
	if !ok {
		c, ok = nestedColumn(name)
	}
	if !ok {
		if c.access = accessOf(name); c.access != accessNone && c.access != accessOther {
			c.field = fieldAccess
		}
	}
	c.name = excerpt(visible(name), 40)
	return c
}

// nestedColumn returns the column with a name such as profile.email.
func nestedColumn(name string) (column, bool) {
	i := strings.LastIndex(name, ".")
	if i < 0 || !userObjects[letters(name[:i])] {
		return column{}, false
	}
	c, ok := knownColumns[letters(withoutNotes(name[i+1:]))]
	return c, ok && !c.field.isOwn()
}

// isOwn reports whether a field is Guestlist's own, and is read only at the top of an object.
func (f field) isOwn() bool { return f == fieldRole || f == fieldGroups || f == fieldUntil }

// userObjects are the names of objects with attributes of the user. Others, such as
// user_metadata, may be editable by the users themselves and aren't read.
var userObjects = newSet("profile", "user", "account", "person", "member", "contact", "traits", "attributes", "userattributes", "mergefields", "name", "data")

// columns describes the columns of a table.
type columns struct {
	all    []column
	unused []string // names of columns that aren't used
	twice  field    // a field with two columns of the same rank; else fieldNone
}

const noAddressColumn = "The first line must name the columns. One of them must be email; name and role are optional."

// parseHeader returns the columns that a header names.
func parseHeader(cells []string) columns {
	var c columns
	hasPlace := slices.ContainsFunc(cells, isPlaceName)
	for _, cell := range cells {
		col := newColumn(cell)
		switch {
		case col.name == "":
			col = column{name: "a column without a name", access: accessPlace}
		case col.field == fieldNone:
			c.unused = append(c.unused, col.name)
		case hasPlace:
			col.access = col.besidePlaces()
		}
		c.all = append(c.all, col)
	}
	for f := fieldEmail; f < fieldAccess && c.twice == fieldNone; f++ {
		if c.best(f) > 1 {
			c.twice = f
		}
	}
	return c
}

// best returns the number of columns with the lowest rank for a field.
func (c columns) best(f field) int {
	rank, count := 0, 0
	for _, col := range c.all {
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

// besidePlaces returns the access of a column next to those of a postal address, where
// "state" is one of them.
func (c column) besidePlaces() access {
	if c.field == fieldAccess && letters(withoutNotes(c.name)) == "state" {
		return accessPlace
	}
	return c.access
}

var placeNames = newSet("city", "town", "zip", "zipcode", "postalcode", "postcode", "country", "countrycode", "countryregion", "street", "streetaddress")

func isPlaceName(name string) bool { return placeNames[letters(withoutNotes(name))] }

// found lists the unused columns for an error message.
func (c columns) found() string {
	if len(c.unused) == 0 {
		return ""
	}
	return " Found: " + strings.Join(c.unused[:min(len(c.unused), 10)], ", ") + "."
}

func (c columns) line(number int, cells []string) Line {
	var b lineBuilder
	for i, col := range c.all {
		value := ""
		if i < len(cells) {
			value = cells[i]
		}
		b.set(col, value)
	}
	l := b.line(number)
	if len(cells) > len(c.all) && !isBlank(cells[len(c.all):]) {
		l.Problem = fmt.Sprintf("This row has %d columns, but the header has %d. Put values that contain a separator in quotation marks.", len(cells), len(c.all))
	}
	return l
}

// lineBuilder collects the values of one user.
type lineBuilder struct {
	values  [fieldCount]string
	ranks   [fieldCount]int
	problem string // the first one found
	leftOut bool
}

// set adds the value of a column.
func (b *lineBuilder) set(c column, value string) {
	if c.field != fieldNone && (!utf8.ValidString(value) || strings.ContainsRune(value, utf8.RuneError)) {
		b.fail("Some characters can't be read. Save the file as CSV UTF-8.")
	}
	if c.field == fieldNone || c.field == fieldAccess {
		b.check(c, value)
		return
	}
	if b.values[c.field] == "" || value != "" && c.rank < b.ranks[c.field] {
		b.values[c.field] = value
		b.ranks[c.field] = c.rank
	}
}

// check excludes the user if the column says so.
func (b *lineBuilder) check(c column, value string) {
	if !c.access.admits(value) {
		b.leaveOut(c.name, value)
	}
}

func (b *lineBuilder) fail(problem string) {
	if b.problem == "" {
		b.problem = problem
	}
}

// leaveOut excludes the user because of a column's value.
func (b *lineBuilder) leaveOut(column, value string) {
	b.leftOut = true
	is := "is empty"
	if value = visible(value); value != "" {
		is = "is “" + excerpt(value, 40) + "”"
	}
	b.fail(fmt.Sprintf("Skipped: %s %s. Only people that the file marks as active are imported.", column, is))
}

func (b *lineBuilder) line(number int) Line {
	email, name := mailbox(b.values[fieldEmail])
	for _, better := range []string{b.values[fieldFirst] + " " + b.values[fieldMiddle] + " " + b.values[fieldLast], b.values[fieldName]} {
		if better = strings.Join(strings.Fields(better), " "); better != "" {
			name = better
		}
	}
	if strings.Contains(strings.ToUpper(email), "#EXT#") {
		b.fail("This is the name of a guest account, not an email address.")
	}
	return Line{Number: number, Problem: b.problem, LeftOut: b.leftOut, Groups: b.values[fieldGroups], Until: b.values[fieldUntil], Entry: directory.UserInput{
		Email: email, Name: name, Role: strings.ToLower(strings.TrimSpace(b.values[fieldRole])),
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

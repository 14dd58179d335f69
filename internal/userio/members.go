package userio

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
)

// What is remembered of the members of objects, at most.
const (
	maxUnused  = 20
	maxColumns = 1000
	maxNesting = 4 // of objects in objects
)

// fieldMatcher knows the members of the objects of a file.
type fieldMatcher struct {
	unused  []string // those that nothing is read of, each once
	known   map[string]bool
	columns map[string]column // by name
}

func newMembers() *fieldMatcher {
	return &fieldMatcher{known: map[string]bool{}, columns: map[string]column{}}
}

// column is newColumn, remembered.
func (m *fieldMatcher) column(name string) column {
	c, ok := m.columns[name]
	if !ok {
		c = newColumn(name)
		if len(m.columns) < maxColumns {
			m.columns[name] = c
		}
	}
	return c
}

func (m *fieldMatcher) leaveUnused(path string) {
	if path = excerpt(path, 40); !m.known[path] && len(m.unused) < maxUnused {
		m.known[path] = true
		m.unused = append(m.unused, path)
	}
}

// line reads one object, or an address alone.
func (m *fieldMatcher) line(number int, text []byte) Line {
	var address string
	if len(text) > 0 && text[0] == '"' && json.Unmarshal(text, &address) == nil {
		var p newLine
		p.set(column{field: fieldEmail}, address)
		return p.line(number)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return Line{Number: number, Problem: "This is no JSON object in UTF-8, or it has a member twice."}
	}
	g := gathering{members: m}
	g.object("", object, true)
	return g.line(number)
}

// gathering is what an object says of somebody, as far as it was read.
type gathering struct {
	newLine
	members *fieldMatcher
	depth   int
	seen    [fields]map[int]bool // ranks
}

// aside are objects that are not about the person, or not about access.
var aside = newSet(
	"manager", "createdby", "updatedby", "invitedby", "organization", "company", "team", "tenant", "address", "location",
	"verification", "credentials", "links", "embedded", "identityprovider", "connection", "mailboxsettings",
)

// object reads the members of an object. Unless all of it is about the person, only
// what is about access is read.
func (g *gathering) object(path string, object map[string]any, all bool) {
	g.depth++
	defer func() { g.depth-- }()
	names := slices.Sorted(maps.Keys(object))
	places := slices.ContainsFunc(names, isPlaceName)
	for _, name := range names {
		c, value := g.members.column(name), object[name]
		if places {
			c.access = c.besidePlaces()
		}
		c.name = path + c.name
		c.rank = c.rank*(maxNesting+1) + g.depth
		switch {
		case c.field == fieldAccess:
			g.access(c, value)
		case c.field == fieldEmail && all:
			g.text(c, address(value, object))
		case g.within(c.name, name, value, all):
		case c.field == fieldNone || c.field == fieldRole && g.depth > 1:
			if text, ok := scalar(single(value)); ok {
				g.check(c, text)
			}
			if all {
				g.members.leaveUnused(c.name)
			}
		case all:
			g.text(c, value)
		}
	}
}

// within reads what is nested, and says whether anything is.
func (g *gathering) within(path, name string, value any, all bool) bool {
	if list, ok := value.([]any); ok {
		value = attributes(list)
	}
	nested, ok := value.(map[string]any)
	if !ok || nested == nil || g.depth == maxNesting || aside[letters(name)] {
		return false
	}
	about := all && holders[letters(name)]
	g.object(path+".", nested, about)
	return about || g.members.column(name).field == fieldNone && !all
}

// attributes returns what an array of names and values says, as Cognito has them.
func attributes(list []any) map[string]any {
	all := map[string]any{}
	for _, item := range list {
		pair, ok := item.(map[string]any)
		if !ok {
			return nil
		}
		name, ok := pair["Name"].(string)
		value, has := pair["Value"]
		if !ok || !has {
			return nil
		}
		all[name] = value
	}
	return all
}

func (g *gathering) access(c column, value any) {
	value = single(value)
	text, ok := scalar(value)
	if !ok {
		g.leaveOut(c.name, text)
		return
	}
	g.set(c, text)
}

// text notes a value that must be text.
func (g *gathering) text(c column, value any) {
	if g.seen[c.field] == nil {
		g.seen[c.field] = map[int]bool{}
	}
	if g.seen[c.field][c.rank] {
		g.fail(fmt.Sprintf("There are two members for the %s.", fieldLabels[c.field]))
	}
	g.seen[c.field][c.rank] = true
	switch v := single(value).(type) {
	case nil:
	case string:
		g.set(c, v)
	default:
		g.fail(fmt.Sprintf("The %s must be text.", fieldLabels[c.field]))
	}
}

// single takes the one value out of an array: some programs keep all attributes in
// arrays.
func single(value any) any {
	list, ok := value.([]any)
	switch {
	case ok && len(list) == 0:
		return nil
	case ok && len(list) == 1:
		return list[0]
	}
	return value
}

// scalar returns a value of JSON as text; ok is false for objects and arrays, of
// which it is their JSON.
func scalar(value any) (text string, ok bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(raw), false
}

// address returns the address that a member says, which may be an object or an array
// of addresses: the one that is marked as primary, or the first that is verified, or
// the first. within is the object that the member belongs to.
func address(value any, within map[string]any) any {
	one, isObject := value.(map[string]any)
	list, isList := value.([]any)
	switch {
	case isObject:
		list = []any{one}
	case !isList:
		return value
	}
	var best any
	rank := 0
	for _, item := range list {
		if text, r := addressIn(item, within); text != nil && r > rank {
			best, rank = text, r
		}
	}
	return best
}

// addressIn returns the address of an element, and how good it is.
func addressIn(item any, within map[string]any) (text any, rank int) {
	object, ok := item.(map[string]any)
	if !ok {
		return item, 1
	}
	rank = 1
	for name, value := range object {
		switch letters(name) {
		case "email", "emailaddress", "address", "mail", "value":
			text = value
		case "primary", "isprimary":
			if value == true {
				rank = 3
			}
		case "verified", "isverified":
			if value == true {
				rank = max(rank, 2)
			}
		case "verification": // Clerk
			if v, ok := value.(map[string]any); ok && v["status"] == "verified" {
				rank = max(rank, 2)
			}
		case "id":
			if primary := within["primary_email_address_id"]; primary != nil && primary == value {
				rank = 3
			}
		}
	}
	return text, rank
}

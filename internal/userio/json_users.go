package userio

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
)

// Limits of what is remembered about members.
const (
	maxUnused  = 20
	maxColumns = 1000
	maxNesting = 4 // objects in objects
)

const invalidObject = "This isn't a JSON object in UTF-8, or it has a duplicate member."

// jsonUsers reads users from the JSON objects of one file.
type jsonUsers struct {
	unused  []string // paths of members that aren't used, each once
	columns map[string]column
}

func newJSONUsers() *jsonUsers { return &jsonUsers{columns: map[string]column{}} }

// column returns newColumn(name) from a cache.
func (u *jsonUsers) column(name string) column {
	c, ok := u.columns[name]
	if !ok {
		c = newColumn(name)
		if len(u.columns) < maxColumns {
			u.columns[name] = c
		}
	}
	return c
}

func (u *jsonUsers) addUnused(path string) {
	if path = excerpt(path, 40); len(u.unused) < maxUnused && !slices.Contains(u.unused, path) {
		u.unused = append(u.unused, path)
	}
}

// line reads a user from JSON: an object, or an address as a string.
func (u *jsonUsers) line(number int, content []byte) Line {
	var value any
	if json.Unmarshal(content, &value) != nil {
		value = nil
	}
	if object, ok := value.(map[string]any); ok {
		return u.object(number, object)
	}
	if address, ok := value.(string); ok && content[0] == '"' { // an indented one is part of something else
		var b lineBuilder
		b.set(column{field: fieldEmail}, address)
		return b.line(number)
	}
	return Line{Number: number, Problem: invalidObject}
}

func (u *jsonUsers) object(number int, object map[string]any) Line {
	b := objectReader{users: u}
	b.object("", object, true)
	return b.line(number)
}

// objectReader collects the values of one object.
type objectReader struct {
	lineBuilder
	users *jsonUsers
	depth int
	seen  [fieldCount]map[int]bool // ranks
}

// otherObjects are objects about something else than the user, or than access.
var otherObjects = newSet(
	"manager", "createdby", "updatedby", "invitedby", "organization", "company", "team", "tenant", "address", "location",
	"verification", "credentials", "links", "embedded", "identityprovider", "connection", "mailboxsettings",
)

// object reads the members of an object. If the object isn't known to be about the user
// (isUser), only members about access are read.
func (r *objectReader) object(path string, object map[string]any, isUser bool) {
	r.depth++
	defer func() { r.depth-- }()
	names := slices.Sorted(maps.Keys(object))
	hasPlace := slices.ContainsFunc(names, isPlaceName)
	for _, name := range names {
		c, value := r.users.column(name), object[name]
		if hasPlace {
			c.access = c.besidePlaces()
		}
		c.name = path + c.name
		c.rank = c.rank*(maxNesting+1) + r.depth
		switch {
		case c.field == fieldAccess:
			r.access(c, value)
		case c.field == fieldEmail && isUser:
			r.text(c, address(value, object))
		case c.field == fieldGroups && r.depth == 1 && isUser:
			r.groups(c, value)
		case r.nested(c.name, name, value, isUser):
		case c.field == fieldNone || c.field.isOwn() && r.depth > 1:
			if text, ok := scalar(single(value)); ok {
				r.check(c, text)
			}
			if isUser {
				r.users.addUnused(c.name)
			}
		case isUser:
			r.text(c, value)
		}
	}
}

// nested reads a nested object and reports whether the member is used.
func (r *objectReader) nested(path, name string, value any, isUser bool) bool {
	if list, ok := value.([]any); ok {
		value = attributes(list)
	}
	object, ok := value.(map[string]any)
	if !ok || object == nil || r.depth == maxNesting || otherObjects[letters(name)] {
		return false
	}
	isUserObject := isUser && userObjects[letters(name)]
	r.object(path+".", object, isUserObject)
	return isUserObject || r.users.column(name).field == fieldNone && !isUser
}

// attributes returns an array of names and values, as Cognito exports them, as an object. It
// returns nil for other arrays.
func attributes(list []any) map[string]any {
	object := map[string]any{}
	for _, item := range list {
		pair, _ := item.(map[string]any)
		name, isName := pair["Name"].(string)
		value, hasValue := pair["Value"]
		if !isName || !hasValue {
			return nil
		}
		object[name] = value
	}
	return object
}

func (r *objectReader) access(c column, value any) {
	text, ok := scalar(single(value))
	if !ok {
		r.leaveOut(c.name, text)
		return
	}
	r.set(c, text)
}

// groups sets the groups.
func (r *objectReader) groups(c column, value any) {
	text, ok := groupsText(value)
	if !ok {
		r.fail("The groups must be names.")
	}
	r.set(c, text)
}

// text sets a value that must be text.
func (r *objectReader) text(c column, value any) {
	if r.seen[c.field][c.rank] {
		r.fail(fmt.Sprintf("There are two members for the %s.", fieldLabels[c.field]))
	}
	if r.seen[c.field] == nil {
		r.seen[c.field] = map[int]bool{}
	}
	r.seen[c.field][c.rank] = true
	switch v := single(value).(type) {
	case nil:
	case string:
		r.set(c, v)
	default:
		r.fail(fmt.Sprintf("The %s must be text.", fieldLabels[c.field]))
	}
}

// single returns the only element of an array, because some programs keep every attribute
// in an array, or nil for an empty one. Other values are returned as they are.
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

// scalar returns a JSON value as text. ok is false for objects and arrays, for which text is
// their JSON.
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
	raw, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	return string(raw), false
}

// address returns the address in a member of parent. If the member is an object or an array,
// it is the address marked as primary, else the first verified one, else the first one.
func address(value any, parent map[string]any) any {
	list, isList := value.([]any)
	if _, isObject := value.(map[string]any); isObject {
		list = []any{value}
	} else if !isList {
		return value
	}
	var best any
	bestRank := 0
	for _, item := range list {
		if text, rank := rankedAddress(item, parent); text != nil && rank > bestRank {
			best, bestRank = text, rank
		}
	}
	return best
}

// rankedAddress returns the address in an element: rank 3 if primary, 2 if verified, else 1.
func rankedAddress(item any, parent map[string]any) (text any, rank int) {
	object, ok := item.(map[string]any)
	if !ok {
		return item, 1
	}
	primary, verified := false, false
	for name, value := range object {
		switch letters(name) {
		case "email", "emailaddress", "address", "mail", "value":
			text = value
		case "primary", "isprimary":
			primary = primary || value == true
		case "verified", "isverified":
			verified = verified || value == true
		case "verification": // Clerk
			v, _ := value.(map[string]any)
			verified = verified || v["status"] == "verified"
		case "id": // Clerk
			id, isText := parent["primary_email_address_id"].(string)
			primary = primary || isText && value == id
		}
	}
	switch {
	case primary:
		return text, 3
	case verified:
		return text, 2
	}
	return text, 1
}

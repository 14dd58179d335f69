package userio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const notJSON = "This isn't valid JSON. Nothing after it can be read."

// userLists are the members in which programs export users as an array.
var userLists = newSet("users", "members", "people", "accounts", "contacts", "value", "results", "result", "data", "items", "records", "resources", "response")

// readJSON reads objects in any layout. If the first line is an object, each line is read by
// itself, so that an invalid line doesn't affect the next.
func readJSON(r *bufio.Reader, sample []byte, each func(Line) error) ([]string, error) {
	users := newJSONUsers()
	if startsWithObjectLine(sample) {
		lines := lineReader{r: r}
		for line, err := range lines.all() {
			l := Line{Number: line.number, Problem: lineTooLong}
			if err == nil && !line.long {
				l = users.line(line.number, []byte(line.text))
			}
			if err == nil {
				err = each(l)
			}
			if err != nil {
				return users.unused, err
			}
		}
		return users.unused, nil
	}
	s := &jsonStream{users: users, each: each, limited: &limitedReader{Reader: r}}
	s.lines = &lineCounter{Reader: s.limited}
	s.Decoder = jsontext.NewDecoder(s.lines, jsontext.AllowDuplicateNames(true))
	err := s.read()
	return users.unused, err
}

// startsWithObjectLine reports whether the first line is an object without a list of users.
func startsWithObjectLine(sample []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(sample, " \t\n"), []byte("\n"))
	var object map[string]jsontext.Value
	if json.Unmarshal(line, &object, jsontext.AllowDuplicateNames(true)) != nil || object == nil {
		return false
	}
	for name, value := range object {
		if kind := value.Kind(); userLists[letters(name)] && (kind == '[' || kind == '{') {
			return false
		}
	}
	return true
}

// jsonStream reads users from JSON values of any size.
type jsonStream struct {
	*jsontext.Decoder
	users   *jsonUsers
	each    func(Line) error
	limited *limitedReader
	lines   *lineCounter
}

// peek returns the kind of the next token, and allows the next record its maximum size.
func (s *jsonStream) peek() jsontext.Kind {
	s.limited.left = maxRecord
	return s.PeekKind()
}

// skipToken reads a delimiter whose kind is known from peek.
func (s *jsonStream) skipToken() error {
	_, err := s.ReadToken()
	return s.fileError(err)
}

// read reads all values. An array can only be followed by other values that are objects or
// arrays.
func (s *jsonStream) read() error {
	afterArray := false
	for {
		var err error
		switch s.peek() {
		case '[':
			if err = s.skipToken(); err == nil {
				err = s.elements()
			}
			afterArray = true
		case '{':
			err = s.topObject()
			afterArray = false
		default:
			_, err := s.ReadToken()
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case afterArray:
				return &FileError{Line: s.lines.at(s.InputOffset()), Text: "There is text after the array."}
			case err == nil:
				return &FileError{Line: s.lines.at(s.InputOffset()), Text: notJSON}
			}
			return s.fileError(err)
		}
		if err != nil {
			return err
		}
	}
}

// elements reads users up to the end of an array.
func (s *jsonStream) elements() error {
	for s.peek() != ']' {
		value, err := s.ReadValue()
		if err != nil {
			return s.fileError(err)
		}
		number := s.lines.at(s.InputOffset() - int64(len(value)))
		if err := s.each(s.users.line(number, value)); err != nil {
			return err
		}
	}
	return s.skipToken()
}

// jsonObject is an object that may be a user or contain a list of users.
type jsonObject struct {
	line       int
	members    map[string]any
	size       int  // of the members in JSON
	hasAddress bool // one of the members is an address
	hasUsers   bool // a list of users in it was read
	hasNoUsers bool // it has an empty list of users
	tooLong    bool // members are incomplete
	invalid    bool // it has a duplicate member or invalid UTF-8
}

func (o *jsonObject) add(name string, value any, size int) {
	if o.size += len(name) + size; o.size > maxRecord {
		o.tooLong = true
		return
	}
	if _, ok := o.members[name]; ok {
		o.invalid = true
	}
	o.members[name] = value
}

// topObject reads an object that is a user or contains a list of users.
func (s *jsonStream) topObject() error {
	o, err := s.object(1)
	switch {
	case err != nil || o.hasUsers || o.hasNoUsers && !o.hasAddress && !o.tooLong:
		return err
	case o.tooLong:
		return s.each(Line{Number: o.line, Problem: "This entry is larger than 64 KB."})
	case o.invalid:
		return s.each(Line{Number: o.line, Problem: invalidObject})
	}
	return s.each(s.users.object(o.line, o.members))
}

func (s *jsonStream) object(depth int) (o jsonObject, err error) {
	o.members = map[string]any{}
	if err := s.skipToken(); err != nil {
		return o, err
	}
	o.line = s.lines.at(s.InputOffset() - 1)
	for s.peek() != '}' {
		name, err := s.ReadToken()
		if err != nil {
			return o, s.fileError(err)
		}
		if err := s.member(&o, name.String(), depth); err != nil {
			return o, err
		}
	}
	return o, s.skipToken()
}

// member reads the value of a member. If it is a list of users and the object isn't a user
// itself, it passes on the users.
func (s *jsonStream) member(o *jsonObject, name string, depth int) error {
	const maxDepth = 4
	kind := s.PeekKind()
	isList := userLists[letters(name)] && !o.hasAddress
	switch {
	case isList && kind == '[':
		return s.list(o, name)
	case isList && kind == '{' && depth < maxDepth:
		nested, err := s.object(depth + 1)
		o.hasUsers = o.hasUsers || nested.hasUsers
		o.hasNoUsers = o.hasNoUsers || nested.hasNoUsers && !nested.hasAddress
		o.tooLong = o.tooLong || nested.tooLong
		o.invalid = o.invalid || nested.invalid
		o.add(name, nested.members, nested.size)
		return err
	}
	o.hasAddress = o.hasAddress || s.users.column(name).field == fieldEmail
	value, size, err := s.value(o)
	if errors.Is(err, errTooLong) {
		o.tooLong = true
		return s.skipValue()
	}
	if err != nil {
		return s.fileError(err)
	}
	o.add(name, value, size)
	return nil
}

// value reads a value of a member of o, and returns its size in JSON.
func (s *jsonStream) value(o *jsonObject) (value any, size int, err error) {
	raw, err := s.ReadValue()
	if err != nil {
		return nil, 0, err
	}
	if json.Unmarshal(raw, &value) != nil {
		o.invalid = true
	}
	return value, len(raw), nil
}

// list reads an array, which contains users if it begins with an object.
func (s *jsonStream) list(o *jsonObject, name string) error {
	if err := s.skipToken(); err != nil {
		return err
	}
	if s.PeekKind() == '{' {
		o.hasUsers = true
		return s.elements()
	}
	values := []any{}
	total := 0
	for s.peek() != ']' {
		value, size, err := s.value(o)
		if err != nil {
			return s.fileError(err)
		}
		if len(values) < maxColumns {
			values = append(values, value)
			total += size
		}
	}
	o.hasNoUsers = o.hasNoUsers || len(values) == 0
	o.add(name, values, total)
	return s.skipToken()
}

// skipValue skips the rest of a value of any size.
func (s *jsonStream) skipValue() error {
	for depth := s.StackDepth(); ; {
		s.limited.left = maxRecord
		if err := s.skipToken(); err != nil {
			return err
		}
		s.lines.at(s.InputOffset())
		if s.StackDepth() == depth {
			return nil
		}
	}
}

// fileError returns the *FileError for a decoder's error, or the error of the reader.
func (s *jsonStream) fileError(err error) error {
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	offset := s.InputOffset()
	if errors.As(err, &syntax) {
		offset = syntax.ByteOffset
	}
	line := s.lines.at(offset)
	switch {
	case errors.Is(err, errTooLong):
		return &FileError{Line: line, Text: "This entry is larger than 64 KB. Nothing from here on can be read."}
	case syntax != nil, errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &FileError{Line: line, Text: notJSON}
	}
	return err
}

// lineCounter converts offsets to line numbers. The decoder reads ahead, so the reader's
// position is further on.
type lineCounter struct {
	io.Reader
	read   int64
	ends   []int64 // offsets of line endings after the last offset asked for
	passed int     // number of line endings before them
}

func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.ends = append(c.ends, c.read+int64(i))
		}
	}
	c.read += int64(n)
	return n, err
}

// at returns the line at an offset. Offsets must not decrease.
func (c *lineCounter) at(offset int64) int {
	n, _ := slices.BinarySearch(c.ends, offset)
	c.passed += n
	c.ends = slices.Delete(c.ends, 0, n)
	return c.passed + 1
}

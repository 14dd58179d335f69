package userio

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const notJSON = "This is not JSON as it should be. Nothing behind it can be read."

// lists are the members in which the API of a program, or its export, has its
// people as an array.
var lists = newSet("users", "members", "people", "accounts", "contacts", "value", "results", "result", "data", "items", "records", "resources", "response")

// readJSON reads objects however they are laid out. Where the first line is an
// object, each line is, and one that is broken does no harm to the next.
func readJSON(r *bufio.Reader, sample []byte, each func(Line) error) ([]string, error) {
	m := newMembers()
	if startsWithObjectLine(sample) {
		return m.unused, m.readLines(r, each)
	}
	s := &jsonStream{members: m, each: each, budget: &limitedReader{Reader: r}}
	s.lines = &lineCounter{Reader: s.budget}
	s.Decoder = jsontext.NewDecoder(s.lines, jsontext.AllowDuplicateNames(true))
	err := s.read()
	return m.unused, err
}

// startsWithObjectLine says whether the first line is an object that holds no list
// of people.
func startsWithObjectLine(sample []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(sample, " \t\n"), []byte("\n"))
	var object map[string]jsontext.Value
	if json.Unmarshal(line, &object, jsontext.AllowDuplicateNames(true)) != nil || object == nil {
		return false
	}
	for name, value := range object {
		if kind := value.Kind(); lists[letters(name)] && (kind == '[' || kind == '{') {
			return false
		}
	}
	return true
}

// readLines reads one object a line.
func (m *fieldMatcher) readLines(r *bufio.Reader, each func(Line) error) error {
	lines := lineReader{r: r}
	for {
		line, ok, err := lines.next()
		if err != nil || !ok {
			return err
		}
		l := Line{Number: line.number, Problem: truncated}
		if !line.long {
			l = m.line(line.number, []byte(line.text))
		}
		if err := each(l); err != nil {
			return err
		}
	}
}

// jsonStream reads people out of values of any size.
type jsonStream struct {
	*jsontext.Decoder
	members *fieldMatcher
	each    func(Line) error
	budget  *limitedReader
	lines   *lineCounter
}

func (s *jsonStream) read() error {
	for {
		s.budget.left = maxRecord
		switch s.PeekKind() {
		case '[':
			if err := s.array(); err != nil {
				return err
			}
			s.budget.left = maxRecord
			if kind := s.PeekKind(); kind != '{' && kind != '[' {
				if _, err := s.ReadToken(); !errors.Is(err, io.EOF) {
					return &FileError{Line: s.lines.at(s.InputOffset()), Text: "Something stands behind the array."}
				}
				return nil
			}
		case '{':
			if err := s.topObject(); err != nil {
				return err
			}
		default:
			_, err := s.ReadToken()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err == nil {
				return &FileError{Line: s.lines.at(s.InputOffset()), Text: notJSON}
			}
			return s.broken(err)
		}
	}
}

// array reads people.
func (s *jsonStream) array() error {
	if _, err := s.ReadToken(); err != nil {
		return s.broken(err)
	}
	return s.elements()
}

// elements reads the rest of an array of people.
func (s *jsonStream) elements() error {
	for {
		s.budget.left = maxRecord
		if s.PeekKind() == ']' {
			_, err := s.ReadToken()
			return s.broken(err)
		}
		value, err := s.ReadValue()
		if err != nil {
			return s.broken(err)
		}
		number := s.lines.at(s.InputOffset() - int64(len(value)))
		if err := s.each(s.members.line(number, value)); err != nil {
			return err
		}
	}
}

// object is one that was read, and that may be somebody.
type object struct {
	line    int
	content []byte // members and their values
	address bool   // it has a member for the address
	held    bool   // it had people in a list, who were handed on
	empty   bool   // it has an empty list of people
	long    bool   // it has more members than content
}

func (o *object) add(name string, value []byte) {
	if len(o.content)+len(name)+len(value) > maxRecord {
		o.long = true
		return
	}
	if len(o.content) > 0 {
		o.content = append(o.content, ',')
	}
	o.content, _ = jsontext.AppendQuote(o.content, name)
	o.content = append(append(o.content, ':'), value...)
}

func (o *object) text() []byte { return append(append([]byte{'{'}, o.content...), '}') }

// topObject reads an object that is somebody, or that holds people in a list.
func (s *jsonStream) topObject() error {
	o, err := s.object(1)
	switch {
	case err != nil || o.held:
		return err
	case o.long:
		return s.each(Line{Number: o.line, Problem: "A person takes more than 64 KB."})
	case o.empty && !o.address:
		return nil
	}
	return s.each(s.members.line(o.line, o.text()))
}

func (s *jsonStream) object(depth int) (o object, err error) {
	if _, err := s.ReadToken(); err != nil {
		return o, s.broken(err)
	}
	o.line = s.lines.at(s.InputOffset() - 1)
	for s.PeekKind() != '}' {
		s.budget.left = maxRecord
		name, err := s.ReadToken()
		if err != nil {
			return o, s.broken(err)
		}
		if err := s.member(&o, name.String(), depth); err != nil {
			return o, err
		}
	}
	_, err = s.ReadToken()
	return o, s.broken(err)
}

// member reads the value of a member, and hands on the people in it if it is a list
// of an object that is nobody itself.
func (s *jsonStream) member(o *object, name string, depth int) error {
	const deepest = 4
	kind, isList := s.PeekKind(), lists[letters(name)] && !o.address
	switch {
	case isList && kind == '[':
		return s.list(o, name)
	case isList && kind == '{' && depth < deepest:
		within, err := s.object(depth + 1)
		o.held = o.held || within.held
		o.empty = o.empty || within.empty && !within.address
		o.long = o.long || within.long
		o.add(name, within.text())
		return err
	}
	o.address = o.address || s.members.column(name).field == fieldEmail
	value, err := s.ReadValue()
	if errors.Is(err, errTooLong) {
		o.long = true
		return s.skip()
	}
	if err != nil {
		return s.broken(err)
	}
	o.add(name, value)
	return nil
}

// list reads an array that holds people if it begins with an object.
func (s *jsonStream) list(o *object, name string) error {
	if _, err := s.ReadToken(); err != nil {
		return s.broken(err)
	}
	if s.PeekKind() == '{' {
		o.held = true
		return s.elements()
	}
	var values [][]byte
	for s.PeekKind() != ']' {
		s.budget.left = maxRecord
		value, err := s.ReadValue()
		if err != nil {
			return s.broken(err)
		}
		if len(values) < maxColumns {
			values = append(values, bytes.Clone(value))
		}
	}
	o.empty = o.empty || len(values) == 0
	o.add(name, append(append([]byte{'['}, bytes.Join(values, []byte{','})...), ']'))
	_, err := s.ReadToken()
	return s.broken(err)
}

// skip reads over a value of any size.
func (s *jsonStream) skip() error {
	for depth := s.StackDepth(); ; {
		s.budget.left = maxRecord
		if _, err := s.ReadToken(); err != nil {
			return s.broken(err)
		}
		s.lines.at(s.InputOffset())
		if s.StackDepth() == depth {
			return nil
		}
	}
}

// broken says on which line the text is no JSON, or returns the reader's error.
func (s *jsonStream) broken(err error) error {
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	place := s.InputOffset()
	if errors.As(err, &syntax) {
		place = syntax.ByteOffset
	}
	switch number := s.lines.at(place); {
	case errors.Is(err, errTooLong):
		return &FileError{Line: number, Text: "A person takes more than 64 KB. Nothing from there on can be read."}
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &FileError{Line: number, Text: notJSON}
	}
	return err
}

// lineCounter tells on which line a place is that the decoder, which reads ahead,
// has come to.
type lineCounter struct {
	io.Reader
	read   int64
	ends   []int64 // of lines, where they are, from the place on that was asked for last
	passed int
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

func (c *lineCounter) at(place int64) int {
	passed := 0
	for passed < len(c.ends) && c.ends[passed] < place {
		passed++
	}
	c.passed += passed
	c.ends = append(c.ends[:0], c.ends[passed:]...)
	return c.passed + 1
}

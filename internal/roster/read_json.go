package roster

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// members gathers the members of objects that no use is made of, each once.
type members struct {
	unused  []string
	known   map[string]bool
	columns map[string]column // by name, at most maxColumns
}

// maxColumns bounds the memory that names of members take.
const maxColumns = 1000

// column is newColumn, remembered.
func (m *members) column(name string) column {
	c, ok := m.columns[name]
	if !ok {
		c = newColumn(name)
		if len(m.columns) < maxColumns {
			m.columns[name] = c
		}
	}
	return c
}

func newMembers() members {
	return members{known: map[string]bool{}, columns: map[string]column{}}
}

// mostUnused is how many of them are told.
const mostUnused = 20

// line reads one object.
func (m *members) line(number int, text []byte) Line {
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return Line{Number: number, Problem: "This is no JSON object in UTF-8, or it has a member twice."}
	}
	var p person
	var seen [fields]map[int]bool
	names := slices.Sorted(maps.Keys(object))
	places := slices.ContainsFunc(names, isPlaceName)
	for _, name := range names {
		c := m.column(name)
		if c.field == fieldNone {
			if !m.known[c.name] && len(m.unused) < mostUnused {
				m.known[c.name] = true
				m.unused = append(m.unused, c.name)
			}
			continue
		}
		if places {
			c.access = c.besidePlaces()
		}
		if c.field != fieldAccess && seen[c.field][c.rank] {
			p.fail(fmt.Sprintf("There are two members for the %s.", fieldLabels[c.field]))
		}
		if seen[c.field] == nil {
			seen[c.field] = map[int]bool{}
		}
		seen[c.field][c.rank] = true
		text, ok := scalar(object[name])
		switch _, isText := object[name].(string); {
		case c.field == fieldAccess && !ok:
			p.fail(leftOut(c.name, text))
		case c.field != fieldAccess && object[name] != nil && !isText:
			p.fail(fmt.Sprintf("The %s must be text.", fieldLabels[c.field]))
		default:
			p.set(c, text)
		}
	}
	return p.line(number)
}

// scalar returns a value of JSON as text; ok is false for objects and arrays.
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

// readObjects reads one object a line.
func readObjects(r *bufio.Reader, each func(Line) error) ([]string, error) {
	m := newMembers()
	err := eachLine(r, 0, func(number int, text string, long bool) error {
		if long {
			return each(Line{Number: number, Problem: tooLong})
		}
		return each(m.line(number, []byte(text)))
	})
	return m.unused, err
}

// readArray reads an array of objects, however it is laid out.
func readArray(r *bufio.Reader, each func(Line) error) ([]string, error) {
	b := &budget{Reader: r, left: maxRecord}
	counted := &lineCounter{Reader: b}
	array := jsontext.NewDecoder(counted)
	broken := func(err error) error {
		var syntax *jsontext.SyntacticError
		place := array.InputOffset()
		if errors.As(err, &syntax) {
			place = syntax.ByteOffset
		}
		switch number := counted.at(place); {
		case errors.Is(err, errTooLong):
			return &FileError{Line: number, Text: "A person takes more than 64 KB. Nothing from there on can be read."}
		case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			return &FileError{Line: number, Text: "This is not JSON as it should be. Nothing behind it can be read."}
		}
		return err
	}
	if _, err := array.ReadToken(); err != nil {
		return nil, broken(err)
	}
	m := newMembers()
	for array.PeekKind() != ']' {
		b.left = maxRecord
		value, err := array.ReadValue()
		if err != nil {
			return nil, broken(err)
		}
		number := counted.at(array.InputOffset() - int64(len(value)))
		if err := each(m.line(number, value)); err != nil {
			return nil, err
		}
	}
	if _, err := array.ReadToken(); err != nil {
		return nil, broken(err)
	}
	if _, err := array.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &FileError{Line: counted.at(array.InputOffset()), Text: "Something stands behind the array."}
	}
	return m.unused, nil
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

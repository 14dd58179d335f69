package roster

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// members gathers the members of objects that no use is made of, each once.
type members struct {
	unused []string
	known  map[string]bool
}

// mostUnused is how many of them are told.
const mostUnused = 20

// line reads one object.
func (m *members) line(number int, text []byte) Line {
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil || object == nil {
		return Line{Number: number, Problem: "This is no JSON object in UTF-8, or it has a member twice."}
	}
	fields, problem := map[string]string{}, ""
	for name, value := range object {
		what := meaning(name)
		if what == "" {
			if name = clip(name, 40); !m.known[name] && len(m.unused) < mostUnused {
				m.known[name] = true
				m.unused = append(m.unused, name)
			}
			continue
		}
		if _, twice := fields[what]; twice {
			problem = fmt.Sprintf("There are two members for the %s.", what)
		}
		switch v := value.(type) {
		case string:
			fields[what] = v
		case nil:
		default:
			problem = fmt.Sprintf("The %s must be text.", what)
		}
	}
	l := person(number, fields)
	if problem != "" {
		l.Problem = problem
	}
	return l
}

// readObjects reads one object a line.
func readObjects(r *bufio.Reader, each func(Line) error) ([]string, error) {
	m := members{known: map[string]bool{}}
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
	m := members{known: map[string]bool{}}
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

package userio

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/transform"
)

// row is a record of a table.
type row struct {
	line    int // that it begins on, from 1
	cells   []string
	problem string // why there are no cells, in a sentence; else empty
}

const (
	misquoted = "A quotation mark stands in the wrong place. Put the whole field in quotation marks and double those within."
	truncated = "This line is longer than 64 KB."
)

// readRows calls fn with the records of a table, of which the first begins behind
// the line before. cells are valid until fn returns.
func readRows(r *bufio.Reader, separator rune, before int, fn func(row) error) error {
	if separator == '\t' {
		return readTabs(r, before, fn)
	}
	return readCSV(r, separator, before, fn)
}

// readCSV reads RFC 4180 with any separator, and with blanks around separators.
func readCSV(r *bufio.Reader, separator rune, before int, fn func(row) error) error {
	b := &limitedReader{Reader: r}
	table := csv.NewReader(transform.NewReader(b, &blanksBehindQuotes{separator: byte(separator)}))
	table.Comma, table.FieldsPerRecord, table.ReuseRecord, table.TrimLeadingSpace = separator, -1, true, true
	for {
		b.left = maxRecord
		cells, err := table.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad) && bad.Line > bad.StartLine, errors.Is(err, errTooLong):
			number := before + 1
			if bad != nil {
				number = before + bad.StartLine
			} else if len(cells) > 0 {
				line, _ := table.FieldPos(0)
				number = before + line
			}
			return &FileError{Line: number, Text: "A quotation mark is opened around here and not closed, or a person takes more than 64 KB. Nothing behind it can be read."}
		case bad != nil:
			if err := fn(row{line: before + bad.StartLine, problem: misquoted}); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		line, _ := table.FieldPos(0)
		if err := fn(row{line: before + line, cells: cells}); err != nil {
			return err
		}
	}
}

// readTabs reads a table with tabs between its columns: as `mysql --batch` writes
// it (https://dev.mysql.com/doc/refman/8.4/en/mysql-command-options.html, --raw),
// where NULL is nothing and a backslash stands twice, or as spreadsheets do, which
// put some fields in quotation marks, within which lines may end.
func readTabs(r *bufio.Reader, before int, fn func(row) error) error {
	lines := lineReader{r: r, number: before}
	for {
		first, ok, err := lines.next()
		if err != nil || !ok {
			return err
		}
		if first.long {
			if err := fn(row{line: first.number, problem: truncated}); err != nil {
				return err
			}
			continue
		}
		cells, err := lines.cells(first)
		if err != nil {
			return err
		}
		rec := row{line: first.number, cells: cells}
		if cells == nil {
			rec.problem = misquoted
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
}

// cells splits a line, and reads on where a field in quotation marks goes on in the
// next. It returns nil if the quotation mark is not closed, or only behind another
// column; then the lines behind the first are read again, by themselves.
func (l *lineReader) cells(first textLine) ([]string, error) {
	const most = 100 // lines of one field
	text, ahead := first.text, []textLine(nil)
	cells, open := splitTabs(text)
	for open && len(ahead) < most && len(text) <= maxRecord {
		next, ok, err := l.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		ahead = append(ahead, next)
		if next.long {
			break
		}
		text += strings.Repeat("\n", next.number-first.number-strings.Count(text, "\n")) + next.text
		cells, open = splitTabs(text)
	}
	if open || slices.ContainsFunc(cells, hasTabAndLineEnd) {
		l.again = append(ahead, l.again...)
		return nil, nil
	}
	return cells, nil
}

func hasTabAndLineEnd(cell string) bool {
	return strings.Contains(cell, "\t") && strings.Contains(cell, "\n")
}

// splitTabs returns the fields of a record; open says that it ends within quotation
// marks.
func splitTabs(text string) (cells []string, open bool) {
	for {
		cell, rest, quoted, closed := quotedCell(text)
		if quoted && !closed {
			return nil, true
		}
		more := rest != ""
		if quoted {
			rest = strings.TrimPrefix(rest, "\t")
		} else {
			cell, rest, more = strings.Cut(text, "\t")
			cell = bareCell(cell)
		}
		cells = append(cells, unescapeFormula(cell))
		if !more {
			return cells, false
		}
		text = rest
	}
}

// quotedCell reads a field in quotation marks; rest begins with the tab behind it.
// A field that only begins with one, "x" and "y", is not quoted.
func quotedCell(text string) (cell, rest string, quoted, closed bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", "", false, false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
			b.WriteByte(text[i])
		case strings.HasPrefix(text[i:], `""`):
			b.WriteByte('"')
			i++
		case i+1 == len(text) || text[i+1] == '\t':
			return b.String(), text[i+1:], true, true
		default:
			return "", "", false, false
		}
	}
	return "", "", true, false
}

func bareCell(cell string) string {
	if cell == "NULL" {
		return ""
	}
	return strings.ReplaceAll(cell, `\\`, `\`)
}

// lineReader reads the lines of a text that are not empty.
type lineReader struct {
	r      *bufio.Reader
	number int        // of the last line that was read
	again  []textLine // to be returned once more
	end    bool
}

type textLine struct {
	number int
	text   string
	long   bool // the text is only its beginning
}

func (l *lineReader) next() (line textLine, ok bool, err error) {
	if len(l.again) > 0 {
		line, l.again = l.again[0], l.again[1:]
		return line, true, nil
	}
	for !l.end {
		piece, err := l.r.ReadSlice('\n')
		l.number++
		line := textLine{number: l.number, text: strings.TrimSuffix(string(piece), "\n")}
		for errors.Is(err, bufio.ErrBufferFull) {
			line.long = true
			_, err = l.r.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return textLine{}, false, err
		}
		l.end = err != nil
		if strings.TrimSpace(line.text) != "" {
			return line, true, nil
		}
	}
	return textLine{}, false, nil
}

package userio

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"golang.org/x/text/transform"
)

// row is a record of a table.
type row struct {
	line    int // its first line, from 1
	cells   []string
	problem string // why there are no cells, in a sentence; else ""
}

const (
	misquoted   = "A quotation mark is in the wrong place. Put the whole value in quotation marks, and double those inside."
	lineTooLong = "This line is longer than 64 KB."
)

// readRows returns the records of a table. before is the number of lines that were read
// already. cells are valid until the next record is read. It ends after an error.
func readRows(r *bufio.Reader, separator rune, before int) iter.Seq2[row, error] {
	if separator == '\t' {
		return readTabs(r, before)
	}
	return readCSV(r, separator, before)
}

// readCSV reads RFC 4180 with any separator, and with spaces around separators.
func readCSV(r *bufio.Reader, separator rune, before int) iter.Seq2[row, error] {
	limited := &limitedReader{Reader: r}
	table := csv.NewReader(transform.NewReader(limited, &quoteTrimmer{separator: byte(separator)}))
	table.Comma = separator
	table.FieldsPerRecord = -1
	table.ReuseRecord = true
	table.TrimLeadingSpace = true
	return func(yield func(row, error) bool) {
		for {
			limited.left = maxRecord
			cells, err := table.Read()
			rec := row{line: before + 1, cells: cells}
			if len(cells) > 0 {
				line, _ := table.FieldPos(0)
				rec.line = before + line
			}
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				rec = row{line: before + bad.StartLine, problem: misquoted}
			}
			switch {
			case errors.Is(err, io.EOF):
				return
			case bad != nil && bad.Line > bad.StartLine, errors.Is(err, errTooLong):
				err = &FileError{Line: rec.line, Text: "A quotation mark around here is never closed, or a row is larger than 64 KB. Nothing after it can be read."}
			case bad != nil:
				err = nil
			}
			for i, cell := range rec.cells {
				rec.cells[i] = unescapeFormula(cell)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// readTabs reads tab-separated rows as `mysql --batch` or as spreadsheets write them. The
// former doesn't quote, doubles backslashes and writes NULL for nothing
// (https://dev.mysql.com/doc/refman/8.4/en/mysql-command-options.html, --raw); the latter
// quote some fields, which may contain line endings.
func readTabs(r *bufio.Reader, before int) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		lines := lineReader{r: r, number: before}
		for line, err := range lines.all() {
			rec := row{line: line.number, problem: lineTooLong}
			if err == nil && !line.long {
				rec.problem = ""
				if rec.cells, err = lines.cells(line); rec.cells == nil {
					rec.problem = misquoted
				}
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// cells splits a line into fields, and reads more lines while a quoted field is open. If the
// quotation mark isn't closed, or only after another column, cells returns nil, and the lines
// after the first are read again by themselves.
func (l *lineReader) cells(first textLine) ([]string, error) {
	const maxFieldLines = 100
	text := first.text
	var ahead []textLine
	cells, open := splitTabs(text)
	for open && len(ahead) < maxFieldLines && len(text) <= maxRecord {
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

// splitTabs returns the fields of a record. open reports whether it ends in a quoted field.
func splitTabs(text string) (cells []string, open bool) {
	for more := true; more; {
		cell, rest, quoted, closed := quotedCell(text)
		switch {
		case quoted && !closed:
			return nil, true
		case quoted:
			more = rest != ""
			rest = strings.TrimPrefix(rest, "\t")
		default:
			cell, rest, more = strings.Cut(text, "\t")
			cell = bareCell(cell)
		}
		cells = append(cells, unescapeFormula(cell))
		text = rest
	}
	return cells, false
}

// quotedCell parses a quoted field; rest begins with the tab after it. A field that only
// begins with a quotation mark, like "x" and "y", isn't quoted.
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

package roster

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
)

// readCSV reads RFC 4180 with any separator. before is how many lines of the file
// are behind the reader already.
func readCSV(r *bufio.Reader, separator rune, before int, each func(Line) error) ([]string, error) {
	b := &budget{Reader: r}
	table := csv.NewReader(b)
	table.Comma, table.FieldsPerRecord, table.ReuseRecord = separator, -1, true
	var cols *columns
	for {
		b.left = maxRecord
		cells, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		var l Line
		switch {
		case errors.As(err, &bad) && bad.Line > bad.StartLine, errors.Is(err, errTooLong):
			number := before + 1
			if bad != nil {
				number = before + bad.StartLine
			} else if len(cells) > 0 {
				line, _ := table.FieldPos(0)
				number = before + line
			}
			return nil, &FileError{Line: number, Text: "A quotation mark is opened around here and not closed, or a person takes more than 64 KB. Nothing behind it can be read."}
		case bad != nil:
			l = Line{Number: before + bad.StartLine, Problem: "A quotation mark stands in the wrong place. Put the whole field in quotation marks and double those within."}
		case err != nil:
			return nil, err
		default:
			line, _ := table.FieldPos(0)
			if cols == nil {
				header, err := parseHeader(before+line, cells)
				if err != nil {
					return nil, err
				}
				cols = &header
				continue
			}
			for i, cell := range cells {
				cells[i] = unguard(cell)
			}
			var ok bool
			if l, ok = cols.line(before+line, cells); !ok {
				continue
			}
		}
		if cols == nil {
			return nil, &FileError{Line: l.Number, Text: l.Problem}
		}
		if err := each(l); err != nil {
			return nil, err
		}
	}
	if cols == nil {
		return nil, &FileError{Text: "The file is empty."}
	}
	return cols.unused, nil
}

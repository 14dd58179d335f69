package roster

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Read calls each with one line after the other of a file: a table whose first
// line names its columns, with commas, semicolons or tabs between, as spreadsheets
// and `mysql --batch` write it; or JSON, an array of objects or one object a line.
// Text is UTF-8, or UTF-16 that says so by its first bytes. It holds one record in
// memory. It returns the columns that it made no use of, or *FileError, or the
// error of the reader or of each.
func Read(file io.Reader, each func(Line) error) (unused []string, err error) {
	r := bufio.NewReaderSize(transform.NewReader(file, unicode.BOMOverride(transform.Nop)), maxRecord)
	start, err := r.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	first := bytes.TrimLeft(start, " \t\r\n")
	switch {
	case len(first) == 0:
		return nil, &FileError{Text: "The file is empty."}
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return nil, &FileError{Text: "This is a spreadsheet in a format of its own. Save it as CSV and choose that file."}
	case bytes.IndexByte(start, 0) >= 0:
		return nil, &FileError{Text: "This is no text. Save the table as CSV (UTF-8) and choose that file."}
	case first[0] == '[':
		return readArray(r, each)
	case first[0] == '{':
		return readObjects(r, each)
	}
	return readTable(r, start, each)
}

// readTable finds out what stands between the columns, and reads on from there.
func readTable(r *bufio.Reader, start []byte, each func(Line) error) ([]string, error) {
	head, _, _ := strings.Cut(string(start), "\n")
	before := 0
	separator, said := strings.CutPrefix(strings.TrimSpace(head), "sep=") // a line of Excel's own
	if said {
		if _, err := r.Discard(min(len(head)+1, len(start))); err != nil {
			return nil, err
		}
		before = 1
	} else {
		separator = ","
		for _, s := range []string{";", "\t"} {
			if strings.Count(head, s) > strings.Count(head, separator) {
				separator = s
			}
		}
	}
	switch separator {
	case "\t", "":
		return readTabs(r, before, each)
	case ",", ";":
		return readCSV(r, rune(separator[0]), before, each)
	}
	return nil, &FileError{Line: 1, Text: "Separate the columns by commas, semicolons or tabs."}
}

// budget ends reading with errTooLong when more was read than is left of it, so
// that one record does not take all memory. It is filled up before each record.
type budget struct {
	io.Reader
	left int
}

var errTooLong = errors.New("record too long")

func (b *budget) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errTooLong
	}
	n, err := b.Reader.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

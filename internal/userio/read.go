package userio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Read calls each with one person after the other of a file, which is one of:
//
//   - a table whose first line names its columns, with commas, semicolons, tabs or
//     vertical bars between, as spreadsheets, directories of other programs and
//     `mysql --batch` write it; titles may stand above that line
//   - addresses without a header, one or several a line, also as Ada <ada@example.com>
//   - JSON: objects one behind the other, in an array, or in an array within an
//     object, such as {"users": [...]}
//
// Text is UTF-8 or UTF-16, with any line ends. Read holds one record in memory. It
// returns the columns that it made no use of. Errors: *FileError, the reader's, or
// what each returned.
func Read(file io.Reader, each func(Line) error) (unused []string, err error) {
	text, err := decodeText(file)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(text, maxRecord)
	sample, err := r.Peek(maxRecord)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	first := bytes.TrimSpace(sample)
	switch {
	case len(first) == 0:
		return nil, errEmpty
	case bytes.HasPrefix(sample, []byte("PK\x03\x04")):
		return nil, &FileError{Text: "This is a spreadsheet in a format of its own. Save it as CSV and choose that file."}
	case bytes.IndexByte(sample, 0) >= 0:
		return nil, &FileError{Text: "This is no text. Save the table as CSV (UTF-8) and choose that file."}
	case first[0] == '[', first[0] == '{':
		return readJSON(r, sample, each)
	}
	return readText(r, sample, each)
}

// limitedReader ends reading with errTooLong when more was read than is left of it, so
// that one record does not take all memory. It is filled up before each record.
type limitedReader struct {
	io.Reader
	left int
}

var errTooLong = errors.New("record too long")

func (b *limitedReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errTooLong
	}
	n, err := b.Reader.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

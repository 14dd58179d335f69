package userio

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"strings"
)

// Read calls each with every user in a file, which is one of:
//
//   - a table with a header, separated by commas, semicolons, tabs or vertical bars, as
//     spreadsheets, directories and `mysql --batch` write it; titles may precede the header
//   - addresses without a header, one or several per line, also as Ada <ada@example.com>
//   - JSON: consecutive objects, an array, or an array in an object ({"users": [...]})
//
// Text is UTF-8 or UTF-16 with any line endings. Read holds one record in memory. It returns
// the names of unused columns. Errors: *FileError, the reader's, and those of each.
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
		return nil, &FileError{Text: "This looks like an Excel file. Save it as CSV and choose that file."}
	case bytes.IndexByte(sample, 0) >= 0:
		return nil, &FileError{Text: "This isn't a text file. Save the table as CSV (UTF-8) and choose that file."}
	case first[0] == '[', first[0] == '{':
		return readJSON(r, sample, each)
	}
	return readText(r, sample, each)
}

// limitedReader fails with errTooLong after left bytes. Readers reset left before each
// record, so that a record can't use all memory.
type limitedReader struct {
	io.Reader
	left int
}

var errTooLong = errors.New("record too long")

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, errTooLong
	}
	n, err := l.Reader.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// lineReader reads the lines of a text that aren't blank.
type lineReader struct {
	r      *bufio.Reader
	number int        // of the last line read
	again  []textLine // returned before further lines
	end    bool
}

type textLine struct {
	number int
	text   string
	long   bool // text is only the beginning of the line
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

// all returns the lines. It ends after an error.
func (l *lineReader) all() iter.Seq2[textLine, error] {
	return func(yield func(textLine, error) bool) {
		for {
			line, ok, err := l.next()
			if !ok && err == nil || !yield(line, err) || err != nil {
				return
			}
		}
	}
}

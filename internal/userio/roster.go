// Package userio is people as files: it reads them from CSV, tab-separated text
// and JSON, writes them as CSV and JSON, and brings a file's people onto the list.
//
// An import goes like this. [Importer.Upload] reads the file once, as it comes,
// checks each line by the rules of package directory, and keeps the people in
// parts of some hundred, and beside them what is wrong, line by line: this is the
// preview, and nobody is on the list yet. [Importer.Start] lets it run. Whichever
// instance holds its lease brings one part after the other onto the list, each in
// one transaction with the place that the import has come to, so that wherever it
// is stopped or killed, the next instance goes on behind the last part, and nobody
// is missed or added twice. People on the list already stay as they are, so the
// same file may be imported again.
//
// With invitations, an import waits whenever the calls to Stytch wait: it goes no
// faster than mails leave.
package userio

import (
	"fmt"

	"github.com/guestlist/guestlist/internal/directory"
)

// What a file may hold at most. The memory of an upload is bounded by MaxLines:
// which address stood on which line.
const (
	MaxFile   = 100 << 20 // bytes
	MaxLines  = 1_000_000
	maxRecord = 64 << 10 // bytes of one person
)

// Line is what a file says of one person.
type Line struct {
	Number  int // of the line it begins on, from 1
	Entry   directory.UserInput
	Problem string // why nothing can be made of it, in a sentence; else empty
	LeftOut bool   // the problem is that the file says the person may not come in
}

// FileError is an error about a file as a whole, in a sentence for whoever sent it.
type FileError struct {
	Line int // from where on; 0: of no line
	Text string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("Line %d: %s", e.Line, e.Text)
}

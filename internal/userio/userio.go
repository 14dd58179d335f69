// Package userio reads users from files (CSV, tab-separated text, address lists, JSON),
// writes them as CSV and JSON, and imports the users of a file into the directory.
//
// [Importer.Upload] reads a file once, as a stream. It validates each line and stores the
// users in parts of at most 200, next to the problems by line. This is the preview; the
// directory doesn't change. [Importer.Start] makes the import run. The instance that holds
// its lease adds one part after the other, each in one transaction together with the
// position in the import. If it stops or is killed, another instance continues after the
// last part, and no user is missed or added twice. Existing users aren't changed, so a file
// can be imported again.
//
// An import that sends invitations waits while the outbox has many pending jobs.
package userio

import (
	"fmt"

	"github.com/guestlist/guestlist/internal/directory"
)

// Limits of a file. MaxLines bounds the memory of an upload, which remembers the line of
// each address.
const (
	MaxFile   = 100 << 20 // bytes
	MaxLines  = 1_000_000
	maxRecord = 64 << 10 // bytes of one user
)

// Line is one user in a file.
type Line struct {
	Number  int // of its first line, from 1
	Entry   directory.UserInput
	Groups  string // names of groups, see groupFinder.parse
	Until   string // when memberships without an end of their own end, see directory.ParseUntil
	Problem string // why it can't be used, in a sentence; else ""
	LeftOut bool   // the problem is that the file says the user may not sign in
}

// FileError is an error about a file as a whole, in a sentence for the person who chose it.
type FileError struct {
	Line int // where it begins; 0 if it has no line
	Text string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("Line %d: %s", e.Line, e.Text)
}

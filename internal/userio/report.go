package userio

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"

	"github.com/guestlist/guestlist/internal/directory"
)

// Note is a message about a line of a file.
type Note struct {
	Line  int
	Email string // as far as it could be read
	Text  string
}

// Notes returns up to limit notes of a kind, ordered by line.
func (im *Importer) Notes(ctx context.Context, id string, kind PartKind, limit int) ([]Note, error) {
	var notes []Note
	err := im.eachNote(ctx, id, kind, func(n Note) error {
		if len(notes) == limit {
			return io.EOF
		}
		notes = append(notes, n)
		return nil
	})
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return notes, err
}

// WriteNotes writes the notes about problems and then about existing users as CSV. It calls
// before before each line.
func (im *Importer) WriteNotes(ctx context.Context, id string, w io.Writer, before func() error) error {
	table := csv.NewWriter(w)
	table.UseCRLF = true
	if err := table.Write([]string{"line", "email", "problem"}); err != nil {
		return err
	}
	for _, kind := range []PartKind{Problems, Listed} {
		err := im.eachNote(ctx, id, kind, func(n Note) error {
			return errors.Join(before(), table.Write([]string{strconv.Itoa(n.Line), escapeFormula(n.Email), escapeFormula(n.Text)}))
		})
		if err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

func (im *Importer) eachNote(ctx context.Context, id string, kind PartKind, fn func(Note) error) error {
	for n := 0; ; n++ {
		entries, err := im.readPart(ctx, id, kind, n)
		if errors.Is(err, directory.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := fn(Note{e.Line, e.Email, e.Text}); err != nil {
				return err
			}
		}
	}
}

package userio

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"iter"
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
	for n, err := range im.notes(ctx, id, kind) {
		if err != nil || len(notes) == limit {
			return notes, err
		}
		notes = append(notes, n)
	}
	return notes, nil
}

// WriteNotes writes the notes about problems and then about existing users as CSV. It calls
// before before each line.
func (im *Importer) WriteNotes(ctx context.Context, id string, w io.Writer, before func() error) error {
	table := csv.NewWriter(w)
	table.UseCRLF = true
	err := table.Write([]string{"line", "email", "problem"})
	for _, kind := range []PartKind{Problems, Listed} {
		for n, noteErr := range im.notes(ctx, id, kind) {
			if err = errors.Join(err, noteErr); err != nil {
				return err
			}
			err = errors.Join(before(), table.Write([]string{strconv.Itoa(n.Line), escapeFormula(n.Email), escapeFormula(n.Text)}))
		}
	}
	table.Flush()
	return errors.Join(err, table.Error())
}

// notes iterates over the notes of a kind. It ends after an error.
func (im *Importer) notes(ctx context.Context, id string, kind PartKind) iter.Seq2[Note, error] {
	return func(yield func(Note, error) bool) {
		for part := 0; ; part++ {
			entries, err := im.readPart(ctx, id, kind, part)
			if errors.Is(err, directory.ErrNotFound) {
				return
			}
			if err != nil {
				yield(Note{}, err)
				return
			}
			for _, e := range entries {
				if !yield(Note{e.Line, e.Email, e.Text}, nil) {
					return
				}
			}
		}
	}
}

package userio

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"

	"github.com/guestlist/guestlist/internal/directory"
)

// Note is what there is to say about a line of a file.
type Note struct {
	Line  int
	Email string // as far as it could be read
	Text  string
}

// Notes returns the first notes of a series, in the order of the lines.
func (im *Importer) Notes(ctx context.Context, id string, s PartKind, most int) ([]Note, error) {
	var notes []Note
	err := im.eachNote(ctx, id, s, func(n Note) error {
		if len(notes) == most {
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

// WriteNotes writes all that there is to say about a file as CSV: the problems,
// then who was on the list. before is called before each line, to give it time.
func (im *Importer) WriteNotes(ctx context.Context, id string, w io.Writer, before func() error) error {
	table := csv.NewWriter(w)
	table.UseCRLF = true
	if err := table.Write([]string{"line", "email", "problem"}); err != nil {
		return err
	}
	for _, s := range []PartKind{Problems, Listed} {
		err := im.eachNote(ctx, id, s, func(n Note) error {
			return errors.Join(before(), table.Write([]string{strconv.Itoa(n.Line), escapeFormula(n.Email), escapeFormula(n.Text)}))
		})
		if err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

func (im *Importer) eachNote(ctx context.Context, id string, s PartKind, fn func(Note) error) error {
	for n := 0; ; n++ {
		content, err := im.store.GetPart(ctx, id, s, n)
		if errors.Is(err, directory.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		entries, err := decode(content)
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

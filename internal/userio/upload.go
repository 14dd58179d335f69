package userio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"strings"
	"unicode"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// What a part holds at most.
const (
	partSize   = 60 << 10 // bytes
	partPeople = 200      // whom one short transaction puts on the list
)

// storedLine is somebody in a part of people, or, in the other series, what there is to
// say about a line.
type storedLine struct {
	Line  int    `json:"line"`
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
	Role  string `json:"role,omitempty"`
	Text  string `json:"text,omitempty"`
}

// Upload reads a file and keeps it as an import that is ready to start, or nothing
// of it and an error. progress, which may be nil, is told how it goes. Errors:
// *FileError, the reader's, directory.ErrUnavailable.
func (im *Importer) Upload(ctx context.Context, file string, r io.Reader, progress func(Import)) (Import, error) {
	now := im.now()
	if progress == nil {
		progress = func(Import) {}
	}
	u := &uploadState{
		ctx: ctx, im: im, progress: progress, seed: maphash.MakeSeed(), seen: map[uint64]int{}, barred: map[string]int{},
		i: Import{ID: ids.New(), File: fileName(file), State: Uploading, CreatedAt: now, UpdatedAt: now},
	}
	if err := im.store.CreateImport(ctx, u.i); err != nil {
		return Import{}, err
	}
	var err error
	if u.i.UnknownColumns, err = Read(r, u.addLine); err == nil {
		err = u.finish()
	}
	if err != nil {
		if dropErr := im.store.DeleteImport(context.WithoutCancel(ctx), u.i.ID); dropErr != nil {
			im.log.Warn("import: a file that could not be read is not deleted yet", "import", u.i.ID, "error", dropErr)
		}
		return Import{}, err
	}
	return im.store.GetImport(ctx, u.i.ID)
}

// fileName is the last part of a path that a browser or a person gave.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "?"), `\`, "/"))
	return excerpt(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, name), 90)
}

// uploadState is one that is under way.
type uploadState struct {
	ctx      context.Context
	im       *Importer
	i        Import
	progress func(Import)
	seed     maphash.Seed
	seen     map[uint64]int // the line of each address, by a hash that nobody can aim at; of one that is left out, negative
	barred   map[string]int // addresses that are left out on this line, and were let in before it

	people, problems, listed part
	keys                     []string     // of those in people
	lines                    []storedLine // likewise
}

// addLine checks one line and keeps it.
func (u *uploadState) addLine(l Line) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if u.i.Lines++; u.i.Lines > MaxLines {
		return &FileError{Line: l.Number, Text: fmt.Sprintf("There are more than %d people in this file. Split it.", MaxLines)}
	}
	e := storedLine{Line: l.Number, Email: l.Entry.Email, Name: l.Entry.Name, Role: l.Entry.Role}
	arrival, err := l.Entry.Validate(event.Origin{}, false, u.i.CreatedAt)
	var invalid *directory.ValidationError
	switch {
	case l.LeftOut:
		return errors.Join(u.leaveOut(l), u.problem(e, l.Problem))
	case l.Problem != "":
		return u.problem(e, l.Problem)
	case errors.As(err, &invalid):
		return u.problem(e, validationMessages(invalid.Fields))
	}
	key := u.hash(arrival.User.Email)
	switch first := u.seen[key]; {
	case first < 0:
		return u.problem(e, fmt.Sprintf("This address is left out on line %d.", -first))
	case first > 0:
		return u.problem(e, fmt.Sprintf("This address is in the file already, on line %d.", first))
	}
	u.seen[key] = l.Number
	text := encode(e)
	if len(u.keys) == partPeople || !u.people.fits(text) {
		if err := u.flushUsers(); err != nil {
			return err
		}
	}
	u.i.People++
	if arrival.User.Role == directory.Admin {
		u.i.Admins++
	}
	u.people.Write(text)
	u.keys, u.lines = append(u.keys, arrival.User.Email.Normalized), append(u.lines, e)
	return nil
}

func (u *uploadState) hash(email directory.Email) uint64 {
	return maphash.String(u.seed, email.Normalized)
}

// validationMessages are those beside the fields, in the order of a form.
func validationMessages(fields map[string]string) string {
	var all []string
	for _, field := range []string{"email", "name", "role"} {
		if text := fields[field]; text != "" {
			all = append(all, map[string]string{"email": "Address: ", "name": "Name: ", "role": "Role: "}[field]+text)
		}
	}
	return strings.Join(all, " ")
}

// problem notes why a line can't be used.
func (u *uploadState) problem(e storedLine, text string) error {
	u.i.Problems++
	return u.note(&u.problems, Problems, e, text)
}

func (u *uploadState) note(p *part, s PartKind, e storedLine, text string) error {
	kept := encode(storedLine{Line: e.Line, Email: excerpt(e.Email, 100), Text: text})
	if !p.fits(kept) {
		if err := u.flush(p, s); err != nil {
			return err
		}
	}
	p.Write(kept)
	return nil
}

// flushUsers keeps a part of people, and notes who of them is on the list.
func (u *uploadState) flushUsers() error {
	if len(u.keys) == 0 {
		return nil
	}
	listed, err := u.im.store.ListedAddresses(u.ctx, u.keys)
	if err != nil {
		return err
	}
	on := map[string]bool{}
	for _, key := range listed {
		on[key] = true
	}
	for n, e := range u.lines {
		if !on[u.keys[n]] {
			continue
		}
		u.i.Listed++
		if err := u.note(&u.listed, Listed, e, "On the list already, and left as they are."); err != nil {
			return err
		}
	}
	u.keys, u.lines = u.keys[:0], u.lines[:0]
	if err := u.flush(&u.people, People); err != nil {
		return err
	}
	u.progress(u.i)
	return nil
}

func (u *uploadState) flush(p *part, s PartKind) error {
	if p.Len() == 0 {
		return nil
	}
	err := u.im.store.AddPart(u.ctx, u.i.ID, s, p.number, p.Bytes())
	p.Reset()
	p.number++
	return err
}

// finish keeps what is left and makes the import ready.
func (u *uploadState) finish() error {
	if err := u.flushUsers(); err != nil {
		return err
	}
	if err := u.bar(); err != nil {
		return err
	}
	if err := errors.Join(u.flush(&u.problems, Problems), u.flush(&u.listed, Listed)); err != nil {
		return err
	}
	u.i.Parts, u.i.UpdatedAt = u.people.number, u.im.now()
	return u.im.store.SetImportSummary(u.ctx, u.i)
}

// part is one that is being made.
type part struct {
	bytes.Buffer
	number int
}

func (p *part) fits(entry []byte) bool { return p.Len()+len(entry) <= partSize }

func encode(e storedLine) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // text and a number
	}
	return append(b, '\n')
}

// decode reads a part.
func decode(content []byte) ([]storedLine, error) {
	var all []storedLine
	for d := json.NewDecoder(bytes.NewReader(content)); d.More(); {
		var e storedLine
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("read a part of an import: %w", err)
		}
		all = append(all, e)
	}
	return all, nil
}

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
	"slices"
	"strings"
	"unicode"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// Limits of a part.
const (
	partSize   = 60 << 10 // bytes
	partPeople = 200      // added in one short transaction
)

// storedLine is a user in a part of People, or a note in the other kinds.
type storedLine struct {
	Line  int    `json:"line"`
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
	Role  string `json:"role,omitempty"`

	Groups []storedGroup `json:"groups,omitempty"`

	Text string `json:"text,omitempty"`
}

// Upload reads a file and stores it as an import that is ready to start. It stores nothing
// if there is an error. It reports its progress to progress, which may be nil. Errors:
// *FileError, the reader's, directory.ErrUnavailable.
func (im *Importer) Upload(ctx context.Context, file string, r io.Reader, progress func(Import)) (Import, error) {
	now := im.now()
	if progress == nil {
		progress = func(Import) {}
	}
	u := &uploadState{
		ctx: ctx, im: im, progress: progress, seed: maphash.MakeSeed(), seen: map[uint64]int{}, excluded: map[string]int{}, groups: newGroupFinder(im.store),
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
			im.log.Warn("import: the rest of a failed upload could not be deleted", "import", u.i.ID, "error", dropErr)
		}
		return Import{}, err
	}
	return im.store.GetImport(ctx, u.i.ID)
}

// fileName returns the last element of a path, in printable characters.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "?"), `\`, "/"))
	return excerpt(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, name), 90)
}

// uploadState is the state of an upload.
type uploadState struct {
	ctx      context.Context
	im       *Importer
	i        Import
	progress func(Import)
	seed     maphash.Seed
	seen     map[uint64]int // line of each address by its seeded hash, negative if excluded
	groups   *groupFinder
	excluded map[string]int // excluding line of addresses that an earlier line included

	people, problems, listed part
	keys                     []string     // normalized addresses in people
	lines                    []storedLine // lines in people
}

// addLine validates and stores a line.
func (u *uploadState) addLine(l Line) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if u.i.Lines++; u.i.Lines > MaxLines {
		return &FileError{Line: l.Number, Text: fmt.Sprintf("This file has more than %d people. Split it.", MaxLines)}
	}
	e := storedLine{Line: l.Number, Email: l.Entry.Email, Name: l.Entry.Name, Role: l.Entry.Role}
	user, err := l.Entry.Validate(event.Origin{}, false, u.i.CreatedAt)
	var invalid *directory.ValidationError
	switch {
	case l.LeftOut:
		return errors.Join(u.exclude(l), u.problem(e, l.Problem))
	case l.Problem != "":
		return u.problem(e, l.Problem)
	case errors.As(err, &invalid):
		return u.problem(e, validationMessages(invalid.Fields))
	}
	groups, problem, err := u.groups.parse(u.ctx, l.Groups, l.Until, u.i.CreatedAt)
	if err != nil {
		return err
	}
	if problem != "" {
		return u.problem(e, problem)
	}
	e.Groups = groups
	key := u.hash(user.User.Email)
	switch first := u.seen[key]; {
	case first < 0:
		return u.problem(e, fmt.Sprintf("Line %d excludes this address.", -first))
	case first > 0:
		return u.problem(e, fmt.Sprintf("This address is already on line %d.", first))
	}
	u.seen[key] = l.Number
	text := encode(e)
	if len(u.keys) == partPeople || !u.people.fits(text) {
		if err := u.flushUsers(); err != nil {
			return err
		}
	}
	u.i.People++
	if user.User.Role == directory.Admin {
		u.i.Admins++
	}
	u.people.Write(text)
	u.keys = append(u.keys, user.User.Email.Normalized)
	u.lines = append(u.lines, e)
	return nil
}

func (u *uploadState) hash(email directory.Email) uint64 {
	return maphash.String(u.seed, email.Normalized)
}

// validationMessages joins the messages of invalid fields.
func validationMessages(fields map[string]string) string {
	var all []string
	for _, field := range []string{"email", "name", "role"} {
		if text := fields[field]; text != "" {
			all = append(all, map[string]string{"email": "Address: ", "name": "Name: ", "role": "Role: "}[field]+text)
		}
	}
	return strings.Join(all, " ")
}

// problem stores why a line can't be used.
func (u *uploadState) problem(e storedLine, text string) error {
	u.i.Problems++
	return u.note(&u.problems, Problems, e, text)
}

func (u *uploadState) note(p *part, kind PartKind, e storedLine, text string) error {
	note := encode(storedLine{Line: e.Line, Email: excerpt(e.Email, 100), Text: text})
	if !p.fits(note) {
		if err := u.flush(p, kind); err != nil {
			return err
		}
	}
	p.Write(note)
	return nil
}

// flushUsers stores a part of People, and notes which users exist.
func (u *uploadState) flushUsers() error {
	if len(u.keys) == 0 {
		return nil
	}
	listed, err := u.im.store.ListedAddresses(u.ctx, u.keys)
	if err != nil {
		return err
	}
	slices.Sort(listed)
	for n, e := range u.lines {
		if _, ok := slices.BinarySearch(listed, u.keys[n]); !ok {
			continue
		}
		u.i.Listed++
		if err := u.note(&u.listed, Listed, e, "Already on the list, and not changed."); err != nil {
			return err
		}
	}
	u.keys = u.keys[:0]
	u.lines = u.lines[:0]
	if err := u.flush(&u.people, People); err != nil {
		return err
	}
	u.progress(u.i)
	return nil
}

func (u *uploadState) flush(p *part, kind PartKind) error {
	if p.Len() == 0 {
		return nil
	}
	err := u.im.store.AddPart(u.ctx, u.i.ID, kind, p.number, p.Bytes())
	p.Reset()
	p.number++
	return err
}

// finish stores the rest and makes the import ready.
func (u *uploadState) finish() error {
	if err := u.flushUsers(); err != nil {
		return err
	}
	if err := u.storeExcluded(); err != nil {
		return err
	}
	if err := errors.Join(u.flush(&u.problems, Problems), u.flush(&u.listed, Listed)); err != nil {
		return err
	}
	u.i.Parts, u.i.UpdatedAt = u.people.number, u.im.now()
	return u.im.store.SetImportSummary(u.ctx, u.i)
}

// part is a part that is being built.
type part struct {
	bytes.Buffer
	number int
}

func (p *part) fits(line []byte) bool { return p.Len()+len(line) <= partSize }

func encode(e storedLine) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and a number can always be encoded
	}
	return append(b, '\n')
}

func (im *Importer) readPart(ctx context.Context, id string, kind PartKind, n int) ([]storedLine, error) {
	content, err := im.store.GetPart(ctx, id, kind, n)
	if err != nil {
		return nil, err
	}
	var all []storedLine
	for d := json.NewDecoder(bytes.NewReader(content)); d.More(); {
		var e storedLine
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("read part %d of import %s: %w", n, id, err)
		}
		all = append(all, e)
	}
	return all, nil
}

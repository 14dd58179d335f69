package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/userio"
)

// importsPage has the form for a file, and recent imports.
type importsPage struct {
	layoutData
	Error   string // beside the field
	Imports []userio.Import
}

// importPage shows one import: the file, its progress and its result.
type importPage struct {
	layoutData
	Import   userio.Import
	Problems []userio.Note // the first of them
	Listed   []userio.Note // people on the list already; the first of them
	Role     string        // as chosen
	Errors   map[string]string
}

// Limits of what the pages show.
const (
	maxImports = 20
	maxNotes   = 50
)

// clientTimeout limits each read and write of a long body.
const clientTimeout = 30 * time.Second

func (s *server) showImports(w http.ResponseWriter, r *http.Request) error {
	return s.importForm(w, r, http.StatusOK, "")
}

func (s *server) importForm(w http.ResponseWriter, r *http.Request, status int, text string) error {
	imports, err := s.opts.Importer.List(r.Context(), maxImports)
	if err != nil {
		return err
	}
	view := importsPage{layoutData: s.sectionLayout(w, r, "Import people", "users"), Error: text, Imports: imports}
	return s.render(w, r, status, "imports", view)
}

// uploadImport reads a file while it arrives, without keeping it in memory.
func (s *server) uploadImport(w http.ResponseWriter, r *http.Request) error {
	extend := extendDeadlines(w)
	file, name, err := postedFile(r, extend)
	if err != nil {
		return err
	}
	if name == "" {
		return s.importForm(w, r, http.StatusUnprocessableEntity, "Choose a file.")
	}
	// An upload may outlast the deadline of a request: each read has its own.
	i, err := s.opts.Importer.Upload(context.WithoutCancel(r.Context()), name, file, nil)
	_ = extend()
	// The response needs the database, too, and the deadline may have passed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), requestTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	var bad *userio.FileError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &bad):
		return s.importForm(w, r, http.StatusUnprocessableEntity, bad.Error())
	case errors.As(err, &tooLarge):
		return s.importForm(w, r, http.StatusRequestEntityTooLarge, "The file is larger than 100 MB. Split it into smaller files.")
	case file.failed:
		return errBadForm
	case err != nil:
		return err
	}
	return s.redirect(w, r, "/imports/"+i.ID)
}

// postedFile returns the file of a form. name is empty if none was chosen.
func postedFile(r *http.Request, extend func() error) (file *deadlineReader, name string, err error) {
	r.Body = &deadlineReader{ReadCloser: r.Body, extend: extend}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, "", errBadForm
	}
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, "", nil
		case err != nil:
			return nil, "", bodyError(err, errBadForm)
		case part.FormName() == "file":
			return &deadlineReader{ReadCloser: part, extend: extend}, part.FileName(), nil
		}
	}
}

// deadlineReader is a body that may take long as a whole, but not between two reads.
type deadlineReader struct {
	io.ReadCloser
	extend func() error
	failed bool // whether reading it failed
}

func (a *deadlineReader) Read(p []byte) (int, error) {
	_ = a.extend()
	n, err := a.ReadCloser.Read(p)
	a.failed = a.failed || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// extendDeadlines returns a function that gives the client more time to send or read. It always
// returns nil.
func extendDeadlines(w http.ResponseWriter) func() error {
	control := http.NewResponseController(w)
	return func() error {
		deadline := time.Now().Add(clientTimeout)
		_ = control.SetReadDeadline(deadline) // fails if the connection has no deadlines
		_ = control.SetWriteDeadline(deadline)
		return nil
	}
}

func (s *server) showImport(w http.ResponseWriter, r *http.Request) error {
	return s.newImportPage(w, r, http.StatusOK, "", nil)
}

func (s *server) newImportPage(w http.ResponseWriter, r *http.Request, status int, role string, problems map[string]string) error {
	id := r.PathValue("id")
	i, err := s.opts.Importer.Get(r.Context(), id)
	if errors.Is(err, directory.ErrNotFound) {
		return errPageNotFound
	}
	if err != nil {
		return err
	}
	view := importPage{layoutData: s.sectionLayout(w, r, i.File, "users"), Import: i, Role: role, Errors: problems}
	if view.Problems, err = s.opts.Importer.Notes(r.Context(), id, userio.Problems, maxNotes); err == nil {
		view.Listed, err = s.opts.Importer.Notes(r.Context(), id, userio.Listed, maxNotes)
	}
	if err != nil {
		return err
	}
	return s.render(w, r, status, "import", view)
}

func (s *server) startImport(w http.ResponseWriter, r *http.Request, form url.Values) error {
	err := s.opts.Importer.Start(r.Context(), actorOf(r), r.PathValue("id"), form.Get("role"), form.Get("invite") == "yes")
	if invalid := invalidFields(err); invalid != nil {
		return s.newImportPage(w, r, http.StatusUnprocessableEntity, form.Get("role"), invalid)
	}
	return s.redirectToImport(w, r, err)
}

func (s *server) stopImport(w http.ResponseWriter, r *http.Request) error {
	return s.redirectToImport(w, r, s.opts.Importer.Stop(r.Context(), originOf(r), r.PathValue("id")))
}

func (s *server) resumeImport(w http.ResponseWriter, r *http.Request) error {
	return s.redirectToImport(w, r, s.opts.Importer.Resume(r.Context(), actorOf(r), r.PathValue("id")))
}

// redirectToImport returns to an import's page, also if the import was not in the state that the
// button was for.
func (s *server) redirectToImport(w http.ResponseWriter, r *http.Request, err error) error {
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return errPageNotFound
	case err != nil && !errors.Is(err, userio.ErrInvalidState):
		return err
	}
	return s.redirect(w, r, "/imports/"+r.PathValue("id"))
}

func (s *server) discardImport(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.opts.Importer.Get(r.Context(), r.PathValue("id")); err != nil {
		return s.redirectToImport(w, r, err)
	}
	if err := s.opts.Importer.Delete(r.Context(), r.PathValue("id")); err != nil {
		return s.redirectToImport(w, r, err)
	}
	return s.redirectWithMessage(w, r, "/users/import", "The file was deleted. People who were already imported stay on the list.")
}

// importProblems serves everything there is to say about a file, line by line.
func (s *server) importProblems(w http.ResponseWriter, r *http.Request) error {
	i, err := s.opts.Importer.Get(r.Context(), r.PathValue("id"))
	if errors.Is(err, directory.ErrNotFound) {
		return errPageNotFound
	}
	if err != nil {
		return err
	}
	return s.streamFile(w, r, "problems.csv", userio.Formats["csv"], func(ctx context.Context, extend func() error) error {
		return s.opts.Importer.WriteNotes(ctx, i.ID, w, extend)
	})
}

package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/userio"
)

// exportUsers hands out the people whom the list's filters let through, in one of
// the formats of package roster.
func (s *server) exportUsers(format string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		asked := r.URL.Query()
		asked.Del("cursor")
		query, err := s.queryFromRequest(asked)
		var invalid *directory.ValidationError
		if errors.As(err, &invalid) {
			return s.redirect(w, r, "/users"+listURL(asked, nil)) // which says what is wrong
		}
		if err != nil {
			return err
		}
		words := userio.ExportDescription(format, asked.Get("q"), asked.Get("role"), asked.Get("status"))
		if err := s.opts.Directory.RecordExport(r.Context(), actorOf(r), words); err != nil {
			return err
		}
		return s.streamFile(w, r, "people."+format, userio.Formats[format], func(ctx context.Context, prolong func() error) error {
			_, err := userio.Export(ctx, s.opts.Directory, query, userio.NewWriter(w, format), prolong)
			return err
		})
	}
}

// streamFile sends a file of any length as it is written. It may take longer than a
// request does, as long as the client takes what comes. Where it can't be finished,
// the connection is cut, so that no half of a file passes for the whole.
func (s *server) streamFile(
	w http.ResponseWriter, r *http.Request, name, kind string, write func(ctx context.Context, prolong func() error) error,
) error {
	h, more := w.Header(), extendDeadlines(w)
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if r.Method == http.MethodHead {
		return nil
	}
	err := write(context.WithoutCancel(r.Context()), func() error {
		more()
		return nil
	})
	switch {
	case err == nil:
		return nil
	case stateOf(r).Status == 0:
		h.Del("Content-Disposition")
		return err
	}
	s.opts.Log.Warn("a download broke off", "path", s.redactedPath(r), "error", err, "request_id", requestID(r))
	panic(http.ErrAbortHandler)
}

package web

import (
	"context"
	"net/http"

	"github.com/guestlist/guestlist/internal/userio"
)

// exportUsers serves the users that match the list's filters as a file.
func (s *server) exportUsers(format string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		params := r.URL.Query()
		params.Del("cursor")
		query, err := s.queryFromRequest(params)
		if invalid := invalidFields(err); invalid != nil {
			return s.redirect(w, r, "/users"+listURL(params, nil)) // which shows the errors
		}
		if err != nil {
			return err
		}
		filters := userio.ExportDescription(format, params.Get("q"), params.Get("role"), params.Get("status"))
		if err := s.opts.Directory.RecordExport(r.Context(), actorOf(r), filters); err != nil {
			return err
		}
		return s.streamFile(w, r, "people."+format, userio.Formats[format], func(ctx context.Context, extend func() error) error {
			_, err := userio.Export(ctx, s.opts.Directory, s.opts.Groups, query, w, format, extend)
			return err
		})
	}
}

// streamFile serves a file while it is written, for as long as the client keeps reading. If writing
// fails midway, it aborts the connection, so that the partial file isn’t taken for the whole.
func (s *server) streamFile(
	w http.ResponseWriter, r *http.Request, name, kind string, write func(ctx context.Context, extend func() error) error,
) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if r.Method == http.MethodHead {
		return nil
	}
	err := write(context.WithoutCancel(r.Context()), extendDeadlines(w))
	switch {
	case err == nil:
		return nil
	case stateOf(r).Status == 0:
		h.Del("Content-Disposition")
		return err
	}
	s.opts.Log.Warn("download aborted", "path", s.redactedPath(r), "error", err, "request_id", requestID(r))
	panic(http.ErrAbortHandler)
}

package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
	"github.com/guestlist/guestlist/internal/userio"
)

// CreateImport inserts an import whose file is being uploaded.
func (s *Store) CreateImport(ctx context.Context, i userio.Import) error {
	return translate("create import", s.writer().InsertImport(ctx, dbsqlc.InsertImportParams{
		ID: i.ID, File: i.File, State: string(i.State), CreatedAt: micros(i.CreatedAt), UpdatedAt: micros(i.UpdatedAt),
	}))
}

// GetImport returns an import.
func (s *Store) GetImport(ctx context.Context, id string) (userio.Import, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetImport, id)
	return toImport(row), translate("get import", err)
}

// ListImports returns the newest imports.
func (s *Store) ListImports(ctx context.Context, limit int) ([]userio.Import, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListImports, int32(limit))
	imports := make([]userio.Import, len(rows))
	for n, row := range rows {
		imports[n] = toImport(row)
	}
	return imports, translate("list imports", err)
}

// columnSeparator separates column names in a row; no name contains it.
const columnSeparator = "\n"

func toImport(r *dbsqlc.Import) userio.Import {
	i := userio.Import{
		ID: r.ID, File: text.Clean(r.File), State: userio.State(r.State), Reason: r.Reason, Invite: r.Invite == 1, Role: directory.Role(r.Role),
		Lines: int(r.LineCount), People: int(r.People), Admins: int(r.Admins), Listed: int(r.Listed), Problems: int(r.Problems),
		Parts: int(r.Parts), Part: int(r.Part), Added: int(r.Added), Skipped: int(r.Kept), LeftOut: int(r.LeftOut), Removals: int(r.Removals),
		Actor: event.Origin{ActorID: r.ActorID, Actor: r.Actor, Address: r.Address, UserAgent: r.UserAgent, RequestID: r.RequestID},
		Lease: r.Lease, CreatedAt: fromMicros(r.CreatedAt), UpdatedAt: fromMicros(r.UpdatedAt),
	}
	if r.Unused != "" {
		i.UnknownColumns = strings.Split(r.Unused, columnSeparator)
	}
	return i
}

// partID returns the key of a part. The parts of one kind are a range, in order.
func partID(id string, s userio.PartKind, n int) string { return fmt.Sprintf("%s/%s%08d", id, s, n) }

// AddPart stores a part of a file.
func (s *Store) AddPart(ctx context.Context, id string, kind userio.PartKind, n int, content []byte) error {
	return translate("save part of import", s.writer().InsertImportPart(ctx, dbsqlc.InsertImportPartParams{ID: partID(id, kind, n), Content: content}))
}

// GetPart returns a part of a file.
func (s *Store) GetPart(ctx context.Context, id string, kind userio.PartKind, n int) ([]byte, error) {
	content, err := read(ctx, s, (*dbsqlc.Queries).GetImportPart, partID(id, kind, n))
	return content, translate("get part of import", err)
}

// SetImportSummary stores what the upload has found.
func (s *Store) SetImportSummary(ctx context.Context, i userio.Import) error {
	n, err := s.writer().SetImportSummary(ctx, dbsqlc.SetImportSummaryParams{
		ID: i.ID, LineCount: int64(i.Lines), People: int64(i.People), Admins: int64(i.Admins), Listed: int64(i.Listed), Problems: int64(i.Problems),
		Unused: truncate(strings.Join(i.UnknownColumns, columnSeparator), 900), Parts: int64(i.Parts), UpdatedAt: micros(i.UpdatedAt),
	})
	return translate("set summary of import", requireOneRow(n, err, userio.ErrInvalidState))
}

// requireOneRow returns otherwise if a change found no row.
func requireOneRow(n int64, err, otherwise error) error {
	if err == nil && n == 0 {
		return otherwise
	}
	return err
}

// StartImport starts an import; see userio.Store.
func (s *Store) StartImport(ctx context.Context, i userio.Import, e event.Event) error {
	return s.inTx(ctx, "start import", func(q queries) error {
		invite := int64(0)
		if i.Invite {
			invite = 1
		}
		was, err := q.GetImport(ctx, i.ID)
		if err != nil {
			return err
		}
		removals := was.Removals
		if userio.State(was.State) == userio.Ready { // otherwise it continues as it was started
			if removals, err = countRemovals(ctx, q); err != nil {
				return err
			}
		}
		n, err := q.StartImport(ctx, dbsqlc.StartImportParams{
			ID: i.ID, Invite: invite, Role: string(i.Role), ActorID: i.Actor.ActorID, Actor: truncate(i.Actor.Actor, 254), Address: truncate(i.Actor.Address, 64),
			UserAgent: truncate(i.Actor.UserAgent, 400), RequestID: i.Actor.RequestID, UpdatedAt: micros(e.At), Removals: removals,
		})
		if err := requireOneRow(n, err, userio.ErrInvalidState); err != nil {
			return err
		}
		if err := insertEvents(ctx, q, e); err != nil || i.Admins == 0 && i.Role != directory.Admin {
			return err
		}
		return s.noticeAdmins(ctx, q, "", e) // one notice for the whole import
	})
}

// StopImport stops a running import.
func (s *Store) StopImport(ctx context.Context, id, reason string, e event.Event) error {
	return s.inTx(ctx, "stop import", func(q queries) error {
		n, err := q.StopImport(ctx, dbsqlc.StopImportParams{ID: id, Reason: truncate(reason, 200), UpdatedAt: micros(e.At)})
		if err := requireOneRow(n, err, userio.ErrInvalidState); err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// LeaseImport takes an import that no instance works on; see userio.Store. If two instances read the same one, the
// first gets it and the other looks again.
func (s *Store) LeaseImport(ctx context.Context, id, lease string, now, until time.Time) (userio.Import, error) {
	for {
		row, err := s.freeImport(ctx, id, micros(now))
		if dbconn.IsNoRows(err) {
			return userio.Import{}, userio.ErrNoImport
		}
		if err != nil {
			return userio.Import{}, translate("find import", err)
		}
		n, err := s.writer().LeaseImport(ctx, dbsqlc.LeaseImportParams{
			ID: row.ID, Lease: lease, LeaseEnd: micros(until), Was: row.Lease, Now: micros(now),
		})
		if err != nil {
			return userio.Import{}, translate("lease import", err)
		}
		if n == 1 {
			row.Lease = lease
			return toImport(row), nil
		}
	}
}

func (s *Store) freeImport(ctx context.Context, id string, now int64) (*dbsqlc.Import, error) {
	if id == "" {
		return read(ctx, s, (*dbsqlc.Queries).FreeImport, now)
	}
	return read(ctx, s, (*dbsqlc.Queries).FreeImportOf, dbsqlc.FreeImportOfParams{ID: id, Now: now})
}

// ExtendImportLease changes when a lease ends.
func (s *Store) ExtendImportLease(ctx context.Context, i userio.Import, until time.Time) error {
	n, err := s.writer().ExtendImportLease(ctx, dbsqlc.ExtendImportLeaseParams{ID: i.ID, Lease: i.Lease, LeaseEnd: micros(until)})
	return translate("extend lease of import", requireOneRow(n, err, userio.ErrLeaseLost))
}

// CountPendingJobs counts the pending calls to Stytch, up to a limit.
func (s *Store) CountPendingJobs(ctx context.Context, limit int) (int, error) {
	n, err := read(ctx, s, (*dbsqlc.Queries).CountWaitingCalls, int32(limit))
	return int(n), translate("count waiting calls", err)
}

// DeleteImport deletes an import and its file in batches.
func (s *Store) DeleteImport(ctx context.Context, id string) error {
	n, err := s.writer().MarkImportDropped(ctx, id)
	if err := requireOneRow(n, err, userio.ErrInvalidState); err != nil {
		return translate("drop import", err)
	}
	_, err = s.deleteInBatches(ctx, "delete parts of import", func(q queries, limit int32) ([]string, error) {
		return q.ImportParts(ctx, dbsqlc.ImportPartsParams{First: id + "/", Behind: id + "0", Limit: limit}) // 0 follows the slash
	}, func(q queries, part string) (int64, error) { return q.DeleteImportPart(ctx, part) })
	if err == nil {
		_, err = s.writer().DeleteImport(ctx, id)
	}
	return translate("drop import", err)
}

// DeleteImports deletes imports that are not running and have not changed since a time, and returns how many.
func (s *Store) DeleteImports(ctx context.Context, before time.Time) (int, error) {
	ids, err := read(ctx, s, (*dbsqlc.Queries).OldImports, dbsqlc.OldImportsParams{UpdatedAt: micros(before), Limit: 100})
	for n, id := range ids {
		if err := s.DeleteImport(ctx, id); err != nil {
			return n, err
		}
	}
	return len(ids), translate("look for old imports", err)
}

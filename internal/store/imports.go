package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
	"github.com/guestlist/guestlist/internal/userio"
)

// CreateImport writes an import whose file is still read.
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

// ListImports returns the newest.
func (s *Store) ListImports(ctx context.Context, limit int) ([]userio.Import, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListImports, int32(limit))
	imports := make([]userio.Import, len(rows))
	for n, row := range rows {
		imports[n] = toImport(row)
	}
	return imports, translate("list imports", err)
}

// columnSeparator separates columns in a row; no column's name holds it.
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

// partID is the key of a part: those of a series are one range, in order.
func partID(id string, s userio.PartKind, n int) string { return fmt.Sprintf("%s/%s%08d", id, s, n) }

// AddPart keeps a part of a file.
func (s *Store) AddPart(ctx context.Context, id string, series userio.PartKind, n int, content []byte) error {
	return translate("keep part of import", s.writer().InsertImportPart(ctx, dbsqlc.InsertImportPartParams{ID: partID(id, series, n), Content: content}))
}

// GetPart returns a part of a file.
func (s *Store) GetPart(ctx context.Context, id string, series userio.PartKind, n int) ([]byte, error) {
	content, err := read(ctx, s, (*dbsqlc.Queries).GetImportPart, partID(id, series, n))
	return content, translate("get part of import", err)
}

// SetImportSummary notes what the upload has found.
func (s *Store) SetImportSummary(ctx context.Context, i userio.Import) error {
	n, err := s.writer().SetImportSummary(ctx, dbsqlc.SetImportSummaryParams{
		ID: i.ID, LineCount: int64(i.Lines), People: int64(i.People), Admins: int64(i.Admins), Listed: int64(i.Listed), Problems: int64(i.Problems),
		Unused: truncate(strings.Join(i.UnknownColumns, columnSeparator), 900), Parts: int64(i.Parts), UpdatedAt: micros(i.UpdatedAt),
	})
	return translate("fill import", requireOneRow(n, err, userio.ErrInvalidState))
}

// requireOneRow is the error of a change that must have found one row.
func requireOneRow(n int64, err, otherwise error) error {
	if err == nil && n == 0 {
		return otherwise
	}
	return err
}

// StartImport has an import run; see userio.Store.
func (s *Store) StartImport(ctx context.Context, i userio.Import, e event.Event) error {
	return s.inTx(ctx, "run import", func(q queries) error {
		invite := int64(0)
		if i.Invite {
			invite = 1
		}
		was, err := q.GetImport(ctx, i.ID)
		if err != nil {
			return err
		}
		removals := was.Removals
		if userio.State(was.State) == userio.Ready { // else it goes on as it was started
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
		return s.noticeAdmins(ctx, q, "", e) // one for the whole import
	})
}

// StopImport stops an import that runs.
func (s *Store) StopImport(ctx context.Context, id, reason string, e event.Event) error {
	return s.inTx(ctx, "stop import", func(q queries) error {
		n, err := q.StopImport(ctx, dbsqlc.StopImportParams{ID: id, Reason: truncate(reason, 200), UpdatedAt: micros(e.At)})
		if err := requireOneRow(n, err, userio.ErrInvalidState); err != nil {
			return err
		}
		return insertEvents(ctx, q, e)
	})
}

// LeaseImport takes an import that nobody is at; see userio.Store. Of two
// instances that see the same one, the first has it; the other looks again.
func (s *Store) LeaseImport(ctx context.Context, id, lease string, now, until time.Time) (userio.Import, error) {
	for {
		row, err := s.freeImport(ctx, id, micros(now))
		if isNoRows(err) {
			return userio.Import{}, userio.ErrNoImport
		}
		if err != nil {
			return userio.Import{}, translate("look for an import", err)
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

// ExtendImportLease makes a lease end at another time.
func (s *Store) ExtendImportLease(ctx context.Context, i userio.Import, until time.Time) error {
	n, err := s.writer().ExtendImportLease(ctx, dbsqlc.ExtendImportLeaseParams{ID: i.ID, Lease: i.Lease, LeaseEnd: micros(until)})
	return translate("hold import", requireOneRow(n, err, userio.ErrLeaseLost))
}

// CountPendingJobs counts calls to Stytch that wait, to most.
func (s *Store) CountPendingJobs(ctx context.Context, most int) (int, error) {
	n, err := read(ctx, s, (*dbsqlc.Queries).CountWaitingCalls, int32(most))
	return int(n), translate("count waiting calls", err)
}

// DeleteImport forgets an import and its file, piece by piece.
func (s *Store) DeleteImport(ctx context.Context, id string) error {
	n, err := s.writer().MarkImportDropped(ctx, id)
	if err := requireOneRow(n, err, userio.ErrInvalidState); err != nil {
		return translate("drop import", err)
	}
	_, err = s.deleteInBatches(ctx, "delete parts of import", func(q queries, most int32) ([]string, error) {
		return q.ImportParts(ctx, dbsqlc.ImportPartsParams{First: id + "/", Behind: id + "0", Limit: most}) // 0 is behind the slash
	}, func(q queries, part string) (int64, error) { return q.DeleteImportPart(ctx, part) })
	if err == nil {
		_, err = s.writer().DeleteImport(ctx, id)
	}
	return translate("drop import", err)
}

// DeleteImports forgets imports that nobody has touched since a time, but for
// those that run, and returns how many there were.
func (s *Store) DeleteImports(ctx context.Context, before time.Time) (int, error) {
	ids, err := read(ctx, s, (*dbsqlc.Queries).OldImports, dbsqlc.OldImportsParams{UpdatedAt: micros(before), Limit: 100})
	for n, id := range ids {
		if err := s.DeleteImport(ctx, id); err != nil {
			return n, err
		}
	}
	return len(ids), translate("look for old imports", err)
}

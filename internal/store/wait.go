package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// Pauses between attempts of Wait.
const (
	serverPause = 2 * time.Second
	filePause   = 100 * time.Millisecond
)

// Prepare waits until the database responds and migrates it; see Wait and Migrate. If the server goes away in between,
// it waits again.
func (s *Store) Prepare(ctx context.Context, log *slog.Logger) error {
	for {
		if err := s.Wait(ctx, log); err != nil {
			return err
		}
		_, err := s.Migrate(ctx, log)
		if !isAway(err) || !waits(ctx, log, err, serverPause) {
			return err
		}
	}
}

// Wait returns when the database responds. If a server can't be reached, has no connections left or no primary, or
// another program is creating the file, it tries again until ctx ends. If a server refuses (wrong password, no such
// database), or a file is corrupt or not a database, it returns an error.
func (s *Store) Wait(ctx context.Context, log *slog.Logger) error {
	check, again, pause := s.reachTables, isAway, serverPause
	if s.sqlite {
		check, again, pause = s.checkFile, dbconn.IsContention, filePause
	}
	for {
		err := check(ctx)
		if err == nil || !again(err) || !waits(ctx, log, err, pause) {
			return connectError(err)
		}
	}
}

// WaitForWrites returns when the database accepts changes: a server may be read-only for a while, as after a failover.
func (s *Store) WaitForWrites(ctx context.Context, log *slog.Logger) error {
	for !s.sqlite {
		_, err := s.migrator.ExecContext(ctx, "UPDATE settings SET value = value WHERE name = 'admin_lock'")
		if err == nil || !isAway(err) || !waits(ctx, log, err, serverPause) {
			return connectError(err)
		}
	}
	return nil
}

// waits logs err, waits, and returns false if ctx ended.
func waits(ctx context.Context, log *slog.Logger, err error, pause time.Duration) bool {
	log.Warn("waiting for the database", dbconn.LogAttrs(err)...)
	return retry.Sleep(ctx, pause) == nil
}

func connectError(err error) error {
	if fault.IsFault(err) {
		return err
	}
	return translate("connect", err)
}

// reachTables runs a query that only a server with the tables can answer: without a primary, vtgate still answers a
// ping and a SELECT without a table.
func (s *Store) reachTables(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	rows, err := s.migrator.QueryContext(ctx, "SELECT 1 FROM information_schema.tables LIMIT 1")
	if errors.Is(err, context.DeadlineExceeded) {
		return mysql.ErrInvalidConn // the server accepts connections but doesn't respond
	}
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

func (s *Store) checkFile(ctx context.Context) error {
	if s.path == "" {
		return dbconn.CheckUpTo(ctx, s.migrator, dbconn.MaxStartupCheckSize)
	}
	return dbconn.CheckFile(ctx, s.path)
}

// isAway reports whether the server is unavailable now and may be back later: it can't be reached, has no connections
// left, is shutting down, is read-only, or has no primary.
func isAway(err error) bool {
	if err == nil || errors.Is(err, mysql.ErrNoTLS) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch dbconn.MySQLNumber(err) {
	case 0:
		return dbconn.IsConnectionError(err)
	case 1040, 1203, 1226, // too many connections: of all, of any user, of this user
		1053, 1077, 1079, 1927, 3032, // shutting down, connection killed, offline
		1290, 1792, 1836, // read-only
		2002, 2003, 2006, 2013, // vttablet can't reach its MySQL
		3024: // vttablet's MySQL took too long
		return true
	case 1105: // Vitess's generic number
		return isPrimaryAway(err)
	}
	return false
}

// isPrimaryAway recognizes, by their text, the errors of a vtgate without a primary.
func isPrimaryAway(err error) bool {
	text := strings.ToLower(err.Error())
	for _, words := range []string{
		"no healthy tablet", "no valid tablet", "primary is not serving", "not serving", "reparent operation in progress",
		"code = unavailable", "code = cluster_event", "connection refused", "shutting down", "(errno 2002)", "(errno 2003)", "(errno 2006)", "(errno 2013)",
	} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

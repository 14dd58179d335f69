package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// leaseTime is how long others wait for an instance that was killed while it migrated. A running instance renews its
// lease four times as often.
const leaseTime = 6 * time.Second

// leaseID is the id of the lease's row, which goose uses too.
const leaseID = 4097083626

// leaseRetry is the pause between attempts to take the lease, leaseLog the pause between log lines about it.
const (
	leaseRetry = 250 * time.Millisecond
	leaseLog   = 5 * time.Second
)

// lease lets one instance at a time migrate a MySQL database. It is a row instead of GET_LOCK, which Vitess releases
// if its connection is silent for 20 seconds.
type lease struct {
	db     *sql.DB
	holder string
	length time.Duration
	log    *slog.Logger
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed when renewing has stopped
}

// errLeaseLost is the cause of cancelling the work of an instance that couldn't renew its lease in time.
var errLeaseLost = errors.New("another instance may be migrating the database: the lease could not be renewed in time")

// takeLease waits until no other instance holds the lease and takes it. The returned context is cancelled if the lease
// is lost. The caller must release it.
func (s *Store) takeLease(ctx context.Context, exists bool, log *slog.Logger) (context.Context, *lease, error) {
	l := &lease{db: s.migrator, holder: rand.Text(), length: s.leaseTime, log: log, ended: make(chan struct{})}
	if !exists {
		if err := l.createTable(ctx); err != nil {
			return nil, nil, err
		}
	}
	if _, err := l.db.ExecContext(ctx, "INSERT IGNORE INTO "+inspect.LeaseTable+" (lock_id, locked) VALUES (?, 0)", leaseID); err != nil {
		return nil, nil, err
	}
	logged := time.Time{}
	for {
		taken, err := l.take(ctx)
		if err != nil {
			return nil, nil, err
		}
		if taken {
			break
		}
		if time.Since(logged) >= leaseLog {
			log.Info("another instance migrates the database; waiting for it")
			logged = time.Now()
		}
		if err := retry.Sleep(ctx, min(leaseRetry, l.length/4)); err != nil {
			return nil, nil, err
		}
	}
	ctx, l.cancel = context.WithCancelCause(ctx)
	go l.renew(ctx)
	return ctx, l, nil
}

func (l *lease) createTable(ctx context.Context) error {
	_, err := l.db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS `+inspect.LeaseTable+` (
  lock_id          BIGINT      NOT NULL PRIMARY KEY,
  locked           BOOLEAN     NOT NULL DEFAULT 0,
  locked_at        DATETIME(6) NULL,
  locked_by        TEXT        NULL,
  lease_expires_at DATETIME(6) NULL,
  updated_at       DATETIME(6) NULL
) `+inspect.TableOptions)
	return err
}

// take takes the lease if it is free, has expired, or expires later than any lease does, because a clock was wrong.
func (l *lease) take(ctx context.Context) (bool, error) {
	return l.update(ctx, `locked = 1, locked_at = NOW(6), locked_by = ?, lease_expires_at = NOW(6) + INTERVAL ? MICROSECOND, updated_at = NOW(6)
WHERE lock_id = ? AND (locked = 0 OR lease_expires_at IS NULL OR lease_expires_at < NOW(6) OR lease_expires_at > NOW(6) + INTERVAL 5 MINUTE)`,
		l.holder, l.length.Microseconds(), leaseID)
}

// renew renews the lease until ctx ends or the lease is lost.
func (l *lease) renew(ctx context.Context) {
	defer close(l.ended)
	renewed := time.Now()
	for {
		if retry.Sleep(ctx, l.length/4) != nil {
			return
		}
		begin := time.Now()
		held, err := l.update(ctx, "lease_expires_at = NOW(6) + INTERVAL ? MICROSECOND, updated_at = NOW(6) WHERE lock_id = ? AND locked_by = ? AND locked = 1",
			l.length.Microseconds(), leaseID, l.holder)
		switch {
		case err == nil && held:
			renewed = begin
		case err == nil || time.Since(renewed) > l.length:
			l.cancel(errLeaseLost)
			return
		default:
			l.log.Warn("the lease for migrating was not renewed", "error", dbconn.Redact(err))
		}
	}
}

// release releases the lease. If that fails, it expires.
func (l *lease) release(ctx context.Context) {
	l.cancel(nil)
	<-l.ended
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dbconn.DefaultTimeout)
	defer cancel()
	_, err := l.update(ctx, "locked = 0, locked_at = NULL, locked_by = NULL, lease_expires_at = NULL, updated_at = NOW(6) WHERE lock_id = ? AND locked_by = ?",
		leaseID, l.holder)
	if err != nil {
		l.log.Warn("the lease for migrating was not given back", "error", dbconn.Redact(err))
	}
}

// update changes the lease's row and reports whether the conditions matched.
func (l *lease) update(ctx context.Context, set string, args ...any) (bool, error) {
	result, err := l.db.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET %s", inspect.LeaseTable, set), args...)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

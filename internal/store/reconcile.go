package store

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// ListUsersWithAccount returns users whose Stytch account is known, ordered by its id; see reconcile.Store.
func (s *Store) ListUsersWithAccount(ctx context.Context, after directory.User, limit int) ([]directory.User, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListUsersWithAccount, dbsqlc.ListUsersWithAccountParams{
		AfterAccount: after.StytchUserID, AfterID: after.ID, Limit: int32(limit),
	})
	users := make([]directory.User, len(rows))
	for i, r := range rows {
		users[i] = toUser(r)
	}
	return users, translate("list users with an account", err)
}

// GetUserByStytchID returns the user with a Stytch account.
func (s *Store) GetUserByStytchID(ctx context.Context, id string) (directory.User, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetUserByStytchID, id)
	return toUser(row), translate("get user by Stytch id", err)
}

// ListedAddresses returns the addresses that belong to users, all normalized.
func (s *Store) ListedAddresses(ctx context.Context, addresses []string) ([]string, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	listed, err := read(ctx, s, (*dbsqlc.Queries).ListedAddresses, addresses)
	return listed, translate("find addresses", err)
}

// AddJobsUnlessListed inserts an event and jobs about addresses unless one of them belongs to a user; see
// reconcile.Store.
func (s *Store) AddJobsUnlessListed(ctx context.Context, addresses []string, e event.Event, jobs []outbox.Job) (bool, error) {
	added := false
	err := s.inTx(ctx, "add jobs of an unlisted address", func(q queries) error {
		added = false
		for _, address := range addresses {
			if n, err := q.LockUserByEmailKey(ctx, address); err != nil || n > 0 {
				return err
			}
		}
		added = true
		if err := insertEvents(ctx, q, e); err != nil {
			return err
		}
		return insertJobs(ctx, q, jobs)
	})
	return added && err == nil, err
}

// lastReconcileKey is the setting whose time is when the directory was last compared with Stytch.
const lastReconcileKey = "reconciled_at"

// AcquireRun reports whether the caller may compare the directory with Stytch now, because no instance has since
// before. Only one of several instances may. The first run comes at a random time in the first interval, so that
// installations don't all start at once.
func (s *Store) AcquireRun(ctx context.Context, now, before time.Time) (bool, error) {
	q := s.writer()
	n, err := q.AcquireRun(ctx, dbsqlc.AcquireRunParams{Now: micros(now), Name: lastReconcileKey, Before: micros(before)})
	if err != nil || n == 1 {
		return n == 1, translate("acquire run", err)
	}
	if _, err = q.GetSetting(ctx, lastReconcileKey); !dbconn.IsNoRows(err) {
		return false, translate("find run", err)
	}
	first := now.Add(-rand.N(now.Sub(before)))
	err = q.InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: lastReconcileKey, UpdatedAt: micros(first)})
	if IsDuplicate(err) { // another instance was faster
		err = nil
	}
	return false, translate("insert run", err)
}

// ReleaseRun sets the time of the last run, after one that failed.
func (s *Store) ReleaseRun(ctx context.Context, at time.Time) error {
	_, err := s.writer().SetTurn(ctx, dbsqlc.SetTurnParams{At: micros(at), Name: lastReconcileKey})
	return translate("release run", err)
}

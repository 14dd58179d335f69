package store

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// ListUsersWithAccount returns people whose account at Stytch is known, in the
// order of its id; see reconcile.Store.
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

// GetUserByStytchID returns the person whose account at Stytch has an id.
func (s *Store) GetUserByStytchID(ctx context.Context, id string) (directory.User, error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetUserByStytchID, id)
	return toUser(row), translate("get user by Stytch id", err)
}

// ListedAddresses returns those of the addresses that are on the list, all in
// their compared form.
func (s *Store) ListedAddresses(ctx context.Context, addresses []string) ([]string, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	listed, err := read(ctx, s, (*dbsqlc.Queries).ListedAddresses, addresses)
	return listed, translate("look addresses up", err)
}

// AddJobsUnlessListed writes an event and calls to Stytch about somebody who is not
// on the list; see reconcile.Store.
func (s *Store) AddJobsUnlessListed(ctx context.Context, addresses []string, e event.Event, jobs []outbox.Job) (bool, error) {
	added := false
	err := s.inTx(ctx, "add jobs of a stranger", func(q queries) error {
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

// lastReconcileKey is the row that says when the list was last compared with Stytch.
const lastReconcileKey = "reconciled_at"

// AcquireRun reports whether it is the caller's turn to compare the list with
// Stytch: nobody has had one since before. Of any number of instances that ask,
// one gets it. The first turn of all comes at a random minute of the first day,
// so that not all programs in the world come at once.
func (s *Store) AcquireRun(ctx context.Context, now, before time.Time) (bool, error) {
	q := s.writer()
	n, err := q.AcquireRun(ctx, dbsqlc.AcquireRunParams{Now: micros(now), Name: lastReconcileKey, Before: micros(before)})
	if err != nil || n == 1 {
		return n == 1, translate("take turn", err)
	}
	if _, err = q.GetSetting(ctx, lastReconcileKey); !isNoRows(err) {
		return false, translate("look for turn", err)
	}
	first := now.Add(-rand.N(now.Sub(before)))
	err = q.InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: lastReconcileKey, UpdatedAt: micros(first)})
	if IsDuplicate(err) { // another instance was quicker
		err = nil
	}
	return false, translate("write turn", err)
}

// ReleaseRun makes a turn that failed count as one that was taken at a time.
func (s *Store) ReleaseRun(ctx context.Context, at time.Time) error {
	_, err := s.writer().SetTurn(ctx, dbsqlc.SetTurnParams{At: micros(at), Name: lastReconcileKey})
	return translate("give turn back", err)
}

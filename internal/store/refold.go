package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// foldSetting is the setting that stores the progress of RefoldUsers.
const foldSetting = "fold"

// foldProgress is the value of foldSetting.
type foldProgress struct {
	Version int    `json:"version"` // the directory.FoldVersion that users are converted to
	Pass    int    `json:"pass"`    // 1 or 2; 0 when done
	After   string `json:"after"`   // the id of the last user processed in this pass
	Changed bool   `json:"changed"` // whether this pass changed a user
}

const (
	refoldBatch = 100         // users in one transaction, fewer if that takes too long
	refoldAgain = time.Hour   // until the second pass, for users that instances of the previous release wrote in the meantime
	refoldBusy  = time.Minute // maximum wait of an instance that found another one at work
)

// errRefoldBusy aborts a transaction of RefoldUsers because another instance was faster.
var errRefoldBusy = errors.New("another instance is converting the users")

// RefoldUsers updates the sort keys and search words of users that a release with another directory.FoldVersion wrote.
// It works in short transactions and continues where an earlier call or another instance stopped. It returns how many
// users it changed and how long to wait before calling it again; 0 means never.
func (s *Store) RefoldUsers(ctx context.Context) (changed int, again time.Duration, err error) {
	batch := refoldBatch
	for {
		begin := time.Now() // a stopwatch
		n, wait, err := s.refoldStep(ctx, batch)
		changed += n
		switch {
		case errors.Is(err, errRefoldBusy):
			return changed, rand.N(refoldBusy), nil
		case err != nil && batch > 1 && ctx.Err() == nil:
			batch /= 2
		case err != nil:
			return changed, refoldBusy, translate("refold users", err)
		case wait >= 0:
			return changed, wait, nil
		}
		if err := retry.Sleep(ctx, min(time.Since(begin), time.Second)); err != nil { // leave room for others
			return changed, 0, err
		}
	}
}

// refoldStep processes the next users. wait is negative if there are more.
func (s *Store) refoldStep(ctx context.Context, batch int) (changed int, wait time.Duration, err error) {
	was, text, wait, err := s.refoldProgress(ctx)
	if err != nil || wait >= 0 {
		return 0, wait, err
	}
	ids, err := read(ctx, s, (*dbsqlc.Queries).ListUserIDs, dbsqlc.ListUserIDsParams{ID: was.After, Limit: int32(batch)})
	if err != nil {
		return 0, 0, err
	}
	err = s.Transact(ctx, func(tx *sql.Tx) (err error) {
		q := s.queriesTx(tx)
		if err := s.setFoldProgress(ctx, q, text, text); err != nil { // other instances wait here and then fail
			return err
		}
		if changed, err = refold(ctx, q, ids); err != nil {
			return err
		}
		next, err := json.Marshal(was.next(ids, batch, changed > 0))
		if err != nil {
			return err
		}
		return s.setFoldProgress(ctx, q, text, string(next))
	})
	return changed, -1, err
}

// refoldProgress returns the progress, parsed and as stored, and how long to wait, negative if there is something to
// do now.
func (s *Store) refoldProgress(ctx context.Context) (p foldProgress, text string, wait time.Duration, err error) {
	row, err := read(ctx, s, (*dbsqlc.Queries).GetSettingRow, foldSetting)
	if dbconn.IsNoRows(err) {
		return s.beginRefold(ctx)
	}
	if err != nil {
		return p, "", 0, err
	}
	if err := json.Unmarshal([]byte(row.Value), &p); err != nil || p.Version < directory.FoldVersion {
		return foldProgress{Version: directory.FoldVersion, Pass: 1}, row.Value, -1, nil
	}
	switch {
	case p.Version > directory.FoldVersion, p.Pass == 0: // done, or converted by a later release
		return p, "", 0, nil
	case p.Pass == 2 && p.After == "":
		wait = fromMicros(row.UpdatedAt).Add(refoldAgain).Sub(s.now())
	}
	if wait <= 0 {
		wait = -1
	}
	return p, row.Value, wait, nil
}

// beginRefold inserts the setting.
func (s *Store) beginRefold(ctx context.Context) (p foldProgress, text string, wait time.Duration, err error) {
	p = foldProgress{Version: directory.FoldVersion, Pass: 1}
	b, err := json.Marshal(p)
	if err != nil {
		return p, "", 0, err
	}
	err = s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: foldSetting, Value: string(b), UpdatedAt: micros(s.now())})
	if IsDuplicate(err) {
		err = errRefoldBusy
	}
	return p, string(b), -1, err
}

// next returns the progress after a batch.
func (p foldProgress) next(ids []string, batch int, changed bool) foldProgress {
	p.Changed = p.Changed || changed
	switch {
	case len(ids) == batch:
		p.After = ids[batch-1]
	case p.Pass == 1 && p.Changed:
		p = foldProgress{Version: p.Version, Pass: 2}
	default:
		p = foldProgress{Version: p.Version}
	}
	return p
}

// setFoldProgress stores the progress unless another instance has stored its own.
func (s *Store) setFoldProgress(ctx context.Context, q queries, was, next string) error {
	n, err := q.SetSetting(ctx, dbsqlc.SetSettingParams{Value: next, UpdatedAt: micros(s.now()), Name: foldSetting, Was: was})
	return requireOneRow(n, err, errRefoldBusy)
}

// refold updates the keys and words of users that differ and returns how many users it changed.
func refold(ctx context.Context, q queries, ids []string) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	if _, err := q.LockUsers(ctx, ids); err != nil {
		return 0, err
	}
	users, err := q.ListUsersByID(ctx, dbsqlc.ListUsersByIDParams{Ids: ids})
	if err != nil {
		return 0, err
	}
	rows, err := q.ListAllWordsOfUsers(ctx, ids)
	if err != nil {
		return 0, err
	}
	had := map[string][]string{}
	for _, row := range rows {
		had[row.UserID] = append(had[row.UserID], row.Word)
	}
	stale := map[string][]string{}
	changed := 0
	for _, row := range users {
		u := toUser(row)
		key, words := u.SortKey(), u.SearchTerms()
		if key != row.NameKey {
			if _, err := q.SetUserNameKey(ctx, dbsqlc.SetUserNameKeyParams{NameKey: key, ID: row.ID}); err != nil {
				return 0, err
			}
		}
		same := slices.Equal(words, had[row.ID])
		if !same {
			stale[row.ID] = words
		}
		if !same || key != row.NameKey {
			changed++
		}
	}
	if len(stale) == 0 {
		return changed, nil
	}
	if err := q.DeleteWordsOfUsers(ctx, slices.Collect(maps.Keys(stale))); err != nil {
		return 0, err
	}
	return changed, insertWords(ctx, q, stale)
}

package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CookieKey returns the secret that cookies are signed and encrypted with if none is set. It is generated on first use
// and shared by all instances.
func (s *Store) CookieKey(ctx context.Context, created event.Event) (string, error) {
	return s.sharedKey(ctx, "cookie_key", created)
}

// sharedKey returns the random key stored under a name in the settings. The first call generates it and writes the
// events; all instances get the same key.
func (s *Store) sharedKey(ctx context.Context, name string, created ...event.Event) (string, error) {
	key, err := read(ctx, s, (*dbsqlc.Queries).GetSetting, name)
	if err == nil || !dbconn.IsNoRows(err) {
		return key, translate("get key", err)
	}
	row := dbsqlc.InsertSettingParams{Name: name, Value: rand.Text() + rand.Text(), UpdatedAt: micros(s.now())} // 260 random bits
	err = s.Transact(ctx, func(tx *sql.Tx) error {
		q := s.queriesTx(tx)
		if err := q.InsertSetting(ctx, row); err != nil {
			return err
		}
		return insertEvents(ctx, q, created...)
	})
	if IsDuplicate(err) { // another instance was faster: use its key
		key, err = read(ctx, s, (*dbsqlc.Queries).GetSetting, name)
		return key, translate("get key", err)
	}
	return row.Value, translate("save key", err)
}

// demoAppKey is the setting that holds the id of the demo app, also after its removal.
const demoAppKey = "demo_app"

// DemoApp returns the id of the demo app, which may have been removed, or "" if there has been none.
func (s *Store) DemoApp(ctx context.Context) (id string, err error) {
	id, err = read(ctx, s, (*dbsqlc.Queries).GetSetting, demoAppKey)
	if dbconn.IsNoRows(err) {
		return "", nil
	}
	return id, translate("get demo app", err)
}

// RecordDemoApp records the id of the demo app, so that it isn't created again.
func (s *Store) RecordDemoApp(ctx context.Context, id string) error {
	err := s.writer().InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: demoAppKey, Value: id, UpdatedAt: micros(s.now())})
	return translate("record demo app", err)
}

// RecordSettings records the settings that the program runs with, by name; those in secret only as a keyed hash. If
// they differ from the last recorded ones, it writes an event with the differences, which says of a secret only that
// it was set, changed or unset.
func (s *Store) RecordSettings(ctx context.Context, plain, secret map[string]string, e event.Event) error {
	key, err := s.sharedKey(ctx, inspect.SettingsHashKey)
	if err != nil {
		return err
	}
	current := inspect.SettingsRecord(key, plain, secret)
	b, err := json.Marshal(current)
	if err != nil {
		return err
	}
	now, value := s.now(), string(b)
	err = s.Transact(ctx, func(tx *sql.Tx) error {
		q := s.queriesTx(tx)
		was, err := q.GetSetting(ctx, inspect.CurrentSettingsKey)
		switch {
		case dbconn.IsNoRows(err):
			return q.InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: inspect.CurrentSettingsKey, Value: value, UpdatedAt: micros(now)})
		case err != nil || was == value:
			return err
		}
		n, err := q.SetSetting(ctx, dbsqlc.SetSettingParams{Value: value, UpdatedAt: micros(now), Name: inspect.CurrentSettingsKey, Was: was})
		if err != nil || n == 0 { // 0: another instance has just recorded its own
			return err
		}
		if e.Changes = inspect.SettingsChanges(was, current); len(e.Changes) == 0 {
			return nil // only settings that a new release added or removed
		}
		return insertEvents(ctx, q, e)
	})
	if IsDuplicate(err) { // another instance was faster
		return nil
	}
	return translate("record settings", err)
}

// The setting that stores the progress of RemoveSecretHashes: the id of the last event it checked, or allHashesRemoved.
const (
	hashesRemoved    = "secret_hashes_removed"
	allHashesRemoved = "all"
)

// RemoveSecretHashes removes the hashes of secrets that earlier releases wrote from events, once, and returns how many
// events it changed. It works in batches and resumes after an interruption.
func (s *Store) RemoveSecretHashes(ctx context.Context) (int, error) {
	total := 0
	for {
		done, changed := false, 0
		err := s.Transact(ctx, func(tx *sql.Tx) (err error) {
			done, changed, err = s.removeSecretHashes(ctx, s.queriesTx(tx))
			return err
		})
		if IsDuplicate(err) { // another instance has started, too
			continue
		}
		if err != nil {
			return total, translate("remove hashes of secrets", err)
		}
		if total += changed; done {
			return total, nil
		}
	}
}

// removeSecretHashes processes one batch of RemoveSecretHashes.
func (s *Store) removeSecretHashes(ctx context.Context, q queries) (done bool, changed int, err error) {
	const batch = 100
	before := maxRune
	was, err := q.GetSetting(ctx, hashesRemoved)
	started := !dbconn.IsNoRows(err)
	switch {
	case started && err != nil:
		return false, 0, err
	case started && was == allHashesRemoved:
		return true, 0, nil
	case started:
		before = was
	}
	rows, err := selectEvents(ctx, q, event.Query{Kind: event.SettingChanged}, before, batch)
	if err != nil {
		return false, 0, err
	}
	for _, r := range rows {
		n, err := removeHashes(ctx, q, r)
		if err != nil {
			return false, 0, err
		}
		changed += n
	}
	next := allHashesRemoved
	if len(rows) == batch {
		next = rows[batch-1].ID
	}
	now := micros(s.now())
	if !started {
		return next == allHashesRemoved, changed, q.InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: hashesRemoved, Value: next, UpdatedAt: now})
	}
	_, err = q.SetSetting(ctx, dbsqlc.SetSettingParams{Value: next, UpdatedAt: now, Name: hashesRemoved, Was: was})
	return next == allHashesRemoved, changed, err
}

// removeHashes removes the hashes from one event and returns 1 if there were any.
func removeHashes(ctx context.Context, q queries, row *dbsqlc.Event) (int, error) {
	var changes []event.Change
	if json.Unmarshal([]byte(row.Changes), &changes) != nil {
		return 0, nil // not written by any release
	}
	clean := slices.Clone(changes)
	for i, c := range clean {
		clean[i] = inspect.WithoutHashes(c)
	}
	if slices.Equal(clean, changes) {
		return 0, nil
	}
	b, err := json.Marshal(clean)
	if err != nil {
		return 0, err
	}
	return 1, q.SetEventChanges(ctx, dbsqlc.SetEventChangesParams{Changes: string(b), ID: row.ID})
}

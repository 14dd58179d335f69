package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/guestlist/guestlist/internal/event"
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
	if err == nil || !isNoRows(err) {
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

// Settings are recorded in one row, as a JSON object of names and values. A secret is recorded as a keyed hash: instances
// can compare it, and it can't be guessed without the key, which is in another row.
const (
	currentSettingsKey = "in_force"
	settingsKey        = "in_force_key"
	keyedHash          = "hmac-sha256:"
	unsetSetting       = "(unset)"
)

// RecordSettings records the settings that the program runs with, by name; those in secret only as a keyed hash. If
// they differ from the last recorded ones, it writes an event with the differences, which says of a secret only that
// it was set, changed or unset.
func (s *Store) RecordSettings(ctx context.Context, plain, secret map[string]string, e event.Event) error {
	key, err := s.sharedKey(ctx, settingsKey)
	if err != nil {
		return err
	}
	current := settingsRecord(key, plain, secret)
	b, err := json.Marshal(current)
	if err != nil {
		return err
	}
	now, value := s.now(), string(b)
	err = s.Transact(ctx, func(tx *sql.Tx) error {
		q := s.queriesTx(tx)
		was, err := q.GetSetting(ctx, currentSettingsKey)
		switch {
		case isNoRows(err):
			return q.InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: currentSettingsKey, Value: value, UpdatedAt: micros(now)})
		case err != nil || was == value:
			return err
		}
		n, err := q.SetSetting(ctx, dbsqlc.SetSettingParams{Value: value, UpdatedAt: micros(now), Name: currentSettingsKey, Was: was})
		if err != nil || n == 0 { // 0: another instance has just recorded its own
			return err
		}
		if e.Changes = settingsChanges(was, current); len(e.Changes) == 0 {
			return nil // only settings that a new release added or removed
		}
		return insertEvents(ctx, q, e)
	})
	if IsDuplicate(err) { // another instance was faster
		return nil
	}
	return translate("record settings", err)
}

// settingsRecord returns what is recorded of settings.
func settingsRecord(key string, plain, secret map[string]string) map[string]string {
	all := maps.Clone(plain)
	if all == nil {
		all = map[string]string{}
	}
	for name, value := range secret {
		all[name] = unsetSetting
		if value != "" {
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(name + "\x00" + value))
			all[name] = keyedHash + hex.EncodeToString(mac.Sum(nil))
		}
	}
	return all
}

// settingsChanges returns the settings that were recorded and have other values now.
func settingsChanges(recorded string, current map[string]string) []event.Change {
	was := map[string]string{}
	if json.Unmarshal([]byte(recorded), &was) != nil {
		return nil // recorded by a later release in another format
	}
	var changes []event.Change
	for _, name := range slices.Sorted(maps.Keys(current)) {
		old, known := was[name]
		if known && old != current[name] && !plainHash().MatchString(old) {
			changes = append(changes, withoutHashes(event.Change{Field: name, Old: old, New: current[name]}))
		}
	}
	return changes
}

// plainHash matches an unkeyed hash, which earlier releases recorded of a secret. It is too short to identify the
// secret but long enough to test guesses.
var plainHash = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^secret [0-9a-f]{8}$`) })

// withoutHashes returns a change that says of a secret only whether it was set before and is set now.
func withoutHashes(c event.Change) event.Change {
	isHash := func(value string) bool { return strings.HasPrefix(value, keyedHash) || plainHash().MatchString(value) }
	before, after := isHash(c.Old), isHash(c.New)
	if before {
		c.Old = "set"
	}
	switch {
	case after && before:
		c.New = "changed"
	case after:
		c.New = "set"
	}
	return c
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
	started := !isNoRows(err)
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
		clean[i] = withoutHashes(c)
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

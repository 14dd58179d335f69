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

// CookieKey returns the secret that cookies are signed and encrypted with when
// none is set, made on first use and shared by all instances.
// created is the event written when it is made.
func (s *Store) CookieKey(ctx context.Context, created event.Event) (string, error) {
	return s.keptKey(ctx, "cookie_key", created)
}

// keptKey returns the random key of a name in the settings. The first call makes it,
// with events that say so; all instances have the same.
func (s *Store) keptKey(ctx context.Context, name string, made ...event.Event) (string, error) {
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
		return insertEvents(ctx, q, made...)
	})
	if IsDuplicate(err) { // another instance was quicker: its key counts
		key, err = read(ctx, s, (*dbsqlc.Queries).GetSetting, name)
		return key, translate("get key", err)
	}
	return row.Value, translate("keep key", err)
}

// Settings are noted in one row, as JSON from name to value. Of a secret a keyed
// hash is noted, so that instances can compare it and nobody can guess it without
// the key, which is in a row of its own.
const (
	currentSettingsKey = "in_force"
	settingsKey        = "in_force_key"
	keyedHash          = "hmac-sha256:"
	unsetSetting       = "(unset)"
)

// RecordSettings remembers the settings that the program runs with, by name; those in
// secret are told by nothing but a keyed hash. If it ran with others before, the
// event e is written with the differences: of a secret they say only that it was set,
// changed or taken away.
func (s *Store) RecordSettings(ctx context.Context, plain, secret map[string]string, e event.Event) error {
	key, err := s.keptKey(ctx, settingsKey)
	if err != nil {
		return err
	}
	inForce := noted(key, plain, secret)
	b, err := json.Marshal(inForce)
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
		if err != nil || n == 0 { // 0: another instance has just noted its own
			return err
		}
		if e.Changes = differences(was, inForce); len(e.Changes) == 0 {
			return nil // a new release has other settings
		}
		return insertEvents(ctx, q, e)
	})
	if IsDuplicate(err) { // another instance was quicker
		return nil
	}
	return translate("note settings", err)
}

// noted returns what is noted of settings in force.
func noted(key string, plain, secret map[string]string) map[string]string {
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

// differences are the settings that were noted, and are others now.
func differences(noted string, inForce map[string]string) []event.Change {
	was := map[string]string{}
	if json.Unmarshal([]byte(noted), &was) != nil {
		return nil // a later release's, in another form
	}
	var changes []event.Change
	for _, name := range slices.Sorted(maps.Keys(inForce)) {
		old, known := was[name]
		if known && old != inForce[name] && !plainHash().MatchString(old) {
			changes = append(changes, withoutHashes(event.Change{Field: name, Old: old, New: inForce[name]}))
		}
	}
	return changes
}

// plainHash recognizes the beginning of an unkeyed hash, by which earlier releases
// told a secret: short enough to be a fingerprint, and long enough to try guesses on.
var plainHash = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^secret [0-9a-f]{8}$`) })

// withoutHashes returns a change that says of a secret only that there is one, and
// whether it was there before.
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

// The row that says how far RemoveSecretHashes has come: the id of the last event
// that it looked at, or that it looked at all.
const (
	hashesRemoved    = "secret_hashes_removed"
	allHashesRemoved = "all"
)

// RemoveSecretHashes takes the hashes of secrets that earlier releases wrote out of
// the audit trail, once, and returns from how many events. It works in pieces and goes
// on where an earlier call was cut off.
func (s *Store) RemoveSecretHashes(ctx context.Context) (int, error) {
	total := 0
	for {
		done, changed := false, 0
		err := s.Transact(ctx, func(tx *sql.Tx) (err error) {
			done, changed, err = s.removeSecretHashes(ctx, s.queriesTx(tx))
			return err
		})
		if IsDuplicate(err) { // another instance has begun, too
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

// removeSecretHashes does a piece of RemoveSecretHashes.
func (s *Store) removeSecretHashes(ctx context.Context, q queries) (done bool, changed int, err error) {
	const piece = 100
	before := maxRune
	was, err := q.GetSetting(ctx, hashesRemoved)
	begun := !isNoRows(err)
	switch {
	case begun && err != nil:
		return false, 0, err
	case begun && was == allHashesRemoved:
		return true, 0, nil
	case begun:
		before = was
	}
	rows, err := selectEvents(ctx, q, event.Query{Kind: event.SettingChanged}, before, piece)
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
	if len(rows) == piece {
		next = rows[piece-1].ID
	}
	now := micros(s.now())
	if !begun {
		return next == allHashesRemoved, changed, q.InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: hashesRemoved, Value: next, UpdatedAt: now})
	}
	_, err = q.SetSetting(ctx, dbsqlc.SetSettingParams{Value: next, UpdatedAt: now, Name: hashesRemoved, Was: was})
	return next == allHashesRemoved, changed, err
}

// removeHashes takes the hashes out of one event, and returns 1 if there were any.
func removeHashes(ctx context.Context, q queries, row *dbsqlc.Event) (int, error) {
	var changes []event.Change
	if json.Unmarshal([]byte(row.Changes), &changes) != nil {
		return 0, nil // in a form that no release of ours wrote
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

package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CookieKey returns the secret that cookies are signed and encrypted with when
// none is set, made on first use and shared by all instances.
func (s *Store) CookieKey(ctx context.Context) (string, error) {
	const name = "cookie_key"
	key, err := s.queries().GetSetting(ctx, name)
	if err == nil || !isNoRows(err) {
		return key, translate("get cookie key", err)
	}
	now := s.now()
	made := dbsqlc.InsertSettingParams{Name: name, Value: rand.Text() + rand.Text(), UpdatedAt: micros(now)} // 260 random bits
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		q := s.within(tx)
		if err := q.InsertSetting(ctx, made); err != nil {
			return err
		}
		return insertEvents(ctx, q, event.New(event.SettingChanged, now, "", "", "a key for cookies was made"))
	})
	if IsDuplicate(err) { // another instance was quicker: its key counts
		key, err = s.queries().GetSetting(ctx, name)
		return key, translate("get cookie key", err)
	}
	return made.Value, translate("keep cookie key", err)
}

// settingsInForce is the name under which the settings are noted.
const settingsInForce = "in_force"

// NoteSettings remembers the settings that the program runs with, by name. If it
// ran with others before, the audit trail says which. Secrets must be masked.
func (s *Store) NoteSettings(ctx context.Context, inForce map[string]string) error {
	b, err := json.Marshal(inForce)
	if err != nil {
		return err
	}
	now, value := s.now(), string(b)
	err = s.InTx(ctx, func(tx *sql.Tx) error {
		q := s.within(tx)
		was, err := q.GetSetting(ctx, settingsInForce)
		switch {
		case isNoRows(err):
			return q.InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: settingsInForce, Value: value, UpdatedAt: micros(now)})
		case err != nil || was == value:
			return err
		}
		n, err := q.SetSetting(ctx, dbsqlc.SetSettingParams{Value: value, UpdatedAt: micros(now), Name: settingsInForce, Was: was})
		if err != nil || n == 0 { // 0: another instance has just noted its own
			return err
		}
		e := event.New(event.SettingChanged, now, "", "", "")
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

// differences are the settings that were noted, and are others now.
func differences(noted string, inForce map[string]string) []event.Change {
	was := map[string]string{}
	if json.Unmarshal([]byte(noted), &was) != nil {
		return nil // a later release's, in another form
	}
	var changes []event.Change
	for _, name := range slices.Sorted(maps.Keys(inForce)) {
		if old, known := was[name]; known && old != inForce[name] {
			changes = append(changes, event.Change{Field: name, Old: old, New: inForce[name]})
		}
	}
	return changes
}

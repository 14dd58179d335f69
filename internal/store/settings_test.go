package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/testdb"
)

// migrated is a database with its tables.
func migrated(t *testing.T, databaseURL string) *Store {
	t.Helper()
	s := fresh(t, databaseURL)
	if _, err := s.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRecordSettings_HashesOfAnEarlierRelease looks at what an earlier release
// noted: short unkeyed hashes, on which a password can be guessed.
func TestRecordSettings_HashesOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := migrated(t, databaseURL)
		const password = "smtp://u:hush@mail.example.com"
		sum := sha256.Sum256([]byte(password))
		old := "secret " + hex.EncodeToString(sum[:4])
		if err := s.writer().InsertSetting(t.Context(), dbsqlc.InsertSettingParams{
			Name: inspect.CurrentSettingsKey, Value: `{"PORT":"1","SMTP_URL":"` + old + `"}`,
		}); err != nil {
			t.Fatal(err)
		}
		plain, secret := map[string]string{"PORT": "2"}, map[string]string{"SMTP_URL": password}
		l := newInspector(t, databaseURL)
		names, _, err := l.DifferingSettings(t.Context(), plain, secret)
		if diff := cmp.Diff([]string{"PORT"}, names); diff != "" || err != nil {
			t.Errorf("doctor: %s %v", diff, err)
		}
		if err := s.RecordSettings(t.Context(), plain, secret, event.New(event.SettingChanged, time.Now(), "", "", "")); err != nil {
			t.Fatal(err)
		}
		value, err := read(t.Context(), s, (*dbsqlc.Queries).GetSetting, inspect.CurrentSettingsKey)
		if err != nil || strings.Contains(value, old[7:]) || !strings.Contains(value, "hmac-sha256:") {
			t.Errorf("noted: %s, %v", value, err)
		}
		found, _, err := s.ListEvents(t.Context(), event.Query{Kind: event.SettingChanged, Limit: 10})
		if err != nil || len(found) != 1 {
			t.Fatalf("on record: %+v, %v", found, err)
		}
		if diff := cmp.Diff([]event.Change{{Field: "PORT", Old: "1", New: "2"}}, found[0].Changes); diff != "" {
			t.Error(diff)
		}
	})
}

// TestRecordSettings_AnotherDatabase must not let hashes be compared between databases.
func TestRecordSettings_AnotherDatabase(t *testing.T) {
	t.Parallel()
	values := map[string]bool{}
	for range 2 {
		s := migrated(t, testdb.SQLite(t))
		if err := s.RecordSettings(t.Context(), nil, map[string]string{"SMTP_URL": "hush", "STYTCH_SECRET": "hush"}, event.New(event.SettingChanged, time.Now(), "", "", "")); err != nil {
			t.Fatal(err)
		}
		value, err := read(t.Context(), s, (*dbsqlc.Queries).GetSetting, inspect.CurrentSettingsKey)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(value, ",") {
			_, hash, _ := strings.Cut(part, "hmac-sha256:")
			values[strings.Trim(hash, `"}`)] = true
		}
	}
	if len(values) != 4 {
		t.Errorf("some hashes are the same: %v", values)
	}
}

func TestRemoveSecretHashes_ResumesAfterInterruption(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := migrated(t, databaseURL)
		var ids []string
		for range 4 {
			e := event.New(event.SettingChanged, time.Now(), "", "", "")
			e.Changes = []event.Change{{Field: "SMTP_URL", Old: "secret 0a1b2c3d", New: "secret ffffffff"}}
			if err := s.AddEvents(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, e.ID)
		}
		if err := s.writer().InsertSetting(t.Context(), dbsqlc.InsertSettingParams{Name: hashesRemoved, Value: ids[2]}); err != nil {
			t.Fatal(err)
		}
		if n, err := s.RemoveSecretHashes(t.Context()); n != 2 || err != nil {
			t.Errorf("%d events changed, %v: those after the mark had been looked at", n, err)
		}
	})
}

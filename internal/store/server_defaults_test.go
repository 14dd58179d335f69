package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// TestStore_OnServersWithOtherDefaults runs the storage suite on servers that are set up in
// every way that changes what a statement means or a table becomes.
func TestStore_OnServersWithOtherDefaults(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{
		"MyISAM, compact rows, latin1, ANSI quotes": {
			"default-storage-engine=MyISAM", "innodb-default-row-format=compact", "character-set-server=latin1", "collation-server=latin1_swedish_ci",
			"sql-mode=ANSI_QUOTES", "autocommit=0", "completion-type=CHAIN", "default-time-zone=+05:30", "max-allowed-packet=1M",
		},
		"utf8mb3, no backslash escapes, lower-case names": {
			"character-set-server=utf8mb3", "collation-server=utf8mb3_general_ci", "sql-mode=NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH",
			"lower-case-table-names=1", "default-time-zone=-11:00", "loose-sql-require-primary-key=on", "loose-innodb-force-primary-key=on",
			"innodb-default-row-format=redundant",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testdb.NewKillable(t, settings...)
			t.Run("every session is the same", func(t *testing.T) {
				var autocommit, completion, zone, mode string
				err := open(t, server.DSN(t)).Reader().QueryRowContext(t.Context(), "SELECT @@autocommit, @@completion_type, @@time_zone, @@sql_mode").
					Scan(&autocommit, &completion, &zone, &mode)
				if err != nil || autocommit != "1" || completion != "NO_CHAIN" || zone != "+00:00" || !strings.Contains(mode, "STRICT_TRANS_TABLES") {
					t.Errorf("autocommit %s, completion type %s, time zone %s, mode %s; %v", autocommit, completion, zone, mode, err)
				}
			})
			t.Run("the times of migrations are right", func(t *testing.T) {
				dsn := server.DSN(t)
				open(t, dsn)
				status, err := inspect.MigrationStatus(t.Context(), dsn)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range status.Migrations {
					if off := time.Since(m.AppliedAt).Abs(); !m.Applied || off > 10*time.Minute {
						t.Errorf("%s: applied %v at %v, %v from now", m.Name, m.Applied, m.AppliedAt, off)
					}
				}
			})
			storetest.Run(t, func(t *testing.T) func() storetest.Store {
				dsn := server.DSN(t)
				return func() storetest.Store { return open(t, dsn) }
			})
		})
	}
}

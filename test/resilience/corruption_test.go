package resilience

import (
	"bytes"
	"database/sql"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/test/harness"
)

func TestCorruption_StopsTheProgram(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "guestlist.db")
	st, err := store.Open("sqlite:"+path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	var page int64 // a page of a table that is not read at startup
	err = st.Transact(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.Exec("INSERT INTO settings (name, value, updated_at) VALUES ('large', ?, 0)", strings.Repeat("a", 8<<20)); err != nil {
			return err
		}
		return tx.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'stytch_mails'").Scan(&page)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(bytes.Repeat([]byte{0xa5}, 4096), (page-1)*4096); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	args := []string{"--database-url=sqlite:" + path, "--guestlist-addr=" + harness.FreeAddr(t)}
	err = harness.RunCommand(t.Context(), args, nil, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "the SQLite file is corrupt or not a database: restore a backup") {
		t.Errorf("it ended with %v", err)
	}
}

package testdb

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "modernc.org/sqlite"
)

func TestEach(t *testing.T) {
	t.Parallel()
	Each(t, func(t *testing.T, databaseURL string) {
		driver, source := "mysql", databaseURL
		if file, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
			driver, source = "sqlite", file
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		// Fails if the database isn't empty.
		if _, err := db.Exec("CREATE TABLE users (id BIGINT PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	first, second := MySQL(t), MySQL(t)
	if first == second {
		t.Errorf("two tests share %s", first)
	}
	cfg, err := mysql.ParseDSN(first)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Net != "tcp" {
		t.Errorf("network is %q, want tcp", cfg.Net)
	}
}

package testdb

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

func TestKillable_KeepsCommittedRows(t *testing.T) {
	t.Parallel()
	k := NewKillable(t)
	db, err := sql.Open("mysql", k.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"CREATE TABLE people (id BIGINT PRIMARY KEY)", "INSERT INTO people VALUES (1)"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(); err == nil {
		t.Fatal("it still answers")
	}
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.QueryRow("SELECT COUNT(*) FROM people").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestServer_KeepsTemporaryFilesOfOthers(t *testing.T) {
	t.Parallel()
	others, err := os.Create(filepath.Join(os.TempDir(), "#sql-temptable-of-another-server.MAD"))
	if err != nil {
		t.Fatal(err)
	}
	others.Close()
	defer os.Remove(others.Name())
	NewKillable(t)
	if _, err := os.Stat(others.Name()); err != nil {
		t.Error(err)
	}
}

package store

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// Name returns a database's address without user and password: sqlite: and the absolute path, or
// mysql://host:port/database.
func Name(databaseURL string) (string, error) {
	if path, ok := dbconn.ParsePath(databaseURL); ok {
		whole, err := filepath.Abs(path)
		return "sqlite:" + whole, err
	}
	cfg, err := dbconn.ParseMySQL(databaseURL)
	if err != nil {
		return "", err
	}
	return "mysql://" + cfg.Addr + "/" + cfg.DBName, nil
}

// Exists returns an error if an address names an SQLite file that doesn't exist, which Open would create. It accepts
// every MySQL address.
func Exists(databaseURL string) error {
	path, ok := dbconn.ParsePath(databaseURL)
	if !ok {
		return nil
	}
	if err := dbconn.CheckPath(path); err != nil {
		return fault.Setting("DATABASE_URL", err)
	}
	err := dbconn.StatFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New("there is no file "+path, "If it should exist, check DATABASE_URL.")
	}
	return err
}

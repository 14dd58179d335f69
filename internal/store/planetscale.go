package store

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDDLRefused: there are migrations to apply, and the database lets nobody
// change tables directly (PlanetScale's safe migrations).
var ErrDDLRefused = errors.New("this database refuses changes to its tables (safe migrations are on), and there are some to apply")

// ddlRefused is ErrDDLRefused with the way on.
func (s *Store) ddlRefused() error {
	return fmt.Errorf(`%w.
Once: in the database's settings at PlanetScale, turn on "Automatically copy migration data" for the table goose_db_version.
Each time, where pscale and this guestlist are:
  1. pscale branch create %[2]s guestlist-migrate --wait
  2. pscale connect %[2]s guestlist-migrate --execute 'guestlist migrate'
  3. pscale deploy-request create %[2]s guestlist-migrate --auto-delete-branch
  4. pscale deploy-request deploy %[2]s guestlist-migrate --wait
  5. start again`, ErrDDLRefused, s.database)
}

// planetScaleName is how PlanetScale's commands call the database that a
// connection to it names: some name none there but say @primary.
func planetScaleName(connected string) string {
	name, _, _ := strings.Cut(connected, "@")
	if name == "" {
		return "DATABASE"
	}
	return name
}

package store

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDDLRefused means that there are pending migrations and the database refuses schema changes (PlanetScale's safe
// migrations).
var ErrDDLRefused = errors.New("there are pending migrations, and this database refuses schema changes (safe migrations are on)")

// ddlRefused returns ErrDDLRefused with instructions.
func (s *Store) ddlRefused() error {
	return fmt.Errorf(`%w.
Once: in the database's settings at PlanetScale, turn on "Automatically copy migration data" for the table goose_db_version.
Each time, on a machine with pscale and this guestlist:
  1. pscale branch create %[2]s guestlist-migrate --wait
  2. pscale connect %[2]s guestlist-migrate --execute 'guestlist migrate'
  3. pscale deploy-request create %[2]s guestlist-migrate --auto-delete-branch
  4. pscale deploy-request deploy %[2]s guestlist-migrate --wait
  5. start again`, ErrDDLRefused, s.database)
}

// planetScaleName returns a database's name in PlanetScale's commands, which a connection may extend by a suffix such
// as @primary.
func planetScaleName(connected string) string {
	name, _, _ := strings.Cut(connected, "@")
	if name == "" {
		return "DATABASE"
	}
	return name
}

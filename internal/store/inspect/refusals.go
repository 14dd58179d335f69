package inspect

import (
	"errors"
	"fmt"
	"strings"

	"github.com/guestlist/guestlist/internal/fault"
)

// Errors for a database that is not, or no longer, as Guestlist creates it. They are returned before anything is written.

const foreignAdvice = "Nothing in it was changed. Create a database for Guestlist alone and set DATABASE_URL to it."

const foreignFileAdvice = "Nothing in it was changed. Set DATABASE_URL to another file, which Guestlist creates."

// ErrForeign is wrapped by every refusal of another program's database.
var ErrForeign = errors.New("another program's database")

// refusal is a fault in what a database contains.
type refusal struct {
	*fault.Fault
	foreign bool
}

// Is makes errors.Is find ErrForeign.
func (r refusal) Is(target error) bool { return r.foreign && target == ErrForeign }

// foreign returns the refusal of another program's database.
func foreign(isFile bool, text string, args ...any) error {
	text = fmt.Sprintf(text, args...)
	if isFile {
		return refusal{fault.New("this SQLite file belongs to another program: "+text, foreignFileAdvice), true}
	}
	return refusal{fault.New("this database belongs to another program: "+text, foreignAdvice), true}
}

func foreignTable(isFile bool, c clash) error {
	if c.isView {
		return foreign(isFile, "%s is a view, where Guestlist has a table", c.name)
	}
	return foreign(isFile, "its table %s lacks Guestlist's %s", c.name, list("column", c.lacks))
}

func foreignRecords(isFile bool, versions []int64) error {
	numbers := make([]string, len(versions))
	for i, version := range versions {
		numbers[i] = fmt.Sprint(version)
	}
	return foreign(isFile, "its table %s records that program's %s, and not Guestlist's", VersionTable, list("migration", numbers))
}

func notGoose(isFile bool) error {
	return foreign(isFile, "its table %s doesn't record migrations", VersionTable)
}

func foreignDatabase(isFile bool, tables []string) error {
	return foreign(isFile, "it has the %s and none of Guestlist's tables", list("table", tables))
}

const damagedAdvice = "Nothing was changed. Restore the database from a backup, or set DATABASE_URL to another one."

func lacksColumns(c clash) error {
	return refusal{fault.New(fmt.Sprintf("Guestlist's table %s lacks its %s", c.name, list("column", c.lacks)), damagedAdvice), false}
}

func lacksTables(tables []string) error {
	return refusal{fault.New(fmt.Sprintf("this database lacks Guestlist's %s although %s records that it was created", list("table", tables), VersionTable), damagedAdvice), false}
}

// newer returns the refusal of a database that a newer release migrated: this release would break rules it doesn't
// know.
func newer(unknown []int64) error {
	numbers := make([]string, len(unknown))
	for i, version := range unknown {
		numbers[i] = fmt.Sprint(version)
	}
	return fault.New("this database was migrated by a newer release of Guestlist, which added the "+list("migration", numbers), "Nothing in it was changed. Run that release or a later one, or restore the backup from before the upgrade.")
}

func skippedMigrations(names []string) error {
	return fault.New(
		fmt.Sprintf("this database has later migrations than %s, but not %s", strings.Join(names, ", "), itOrThem(len(names))),
		`Run the statements that "guestlist migrate sql" prints.`,
	)
}

func itOrThem(n int) string {
	if n == 1 {
		return "this one"
	}
	return "these"
}

// maxListed limits the names in a sentence.
const maxListed = 3

// list returns a phrase such as "column a", "columns a and b", or "columns a, b, c and 4 more".
func list(kind string, names []string) string {
	if len(names) > 1 {
		kind += "s"
	}
	if len(names) > maxListed {
		return fmt.Sprintf("%s %s and %d more", kind, strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	last := len(names) - 1
	if last == 0 {
		return kind + " " + names[0]
	}
	return kind + " " + strings.Join(names[:last], ", ") + " and " + names[last]
}

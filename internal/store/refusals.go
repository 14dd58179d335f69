package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/guestlist/guestlist/internal/fault"
)

// What is said of a database that is not, or not any more, as Guestlist makes it. Each
// sentence is said only after a look that has shown it, and before anything is written.

const foreignAdvice = "Nothing was changed in it. Create a database for Guestlist alone, and name that in DATABASE_URL."

const foreignFileAdvice = "Nothing was changed in it. Name another file in DATABASE_URL: Guestlist makes it."

// ErrForeign is behind every refusal of another program's database.
var ErrForeign = errors.New("another program's database")

// refusal is a fault of what a database holds.
type refusal struct {
	*fault.Fault
	foreign bool
}

// Is has errors.Is find ErrForeign.
func (r refusal) Is(target error) bool { return r.foreign && target == ErrForeign }

// foreign is the refusal of another program's database.
func foreign(isFile bool, text string, args ...any) error {
	text = fmt.Sprintf(text, args...)
	if isFile {
		return refusal{fault.New("this SQLite file belongs to another program: "+text, foreignFileAdvice), true}
	}
	return refusal{fault.New("this database belongs to another program: "+text, foreignAdvice), true}
}

func foreignTable(isFile bool, c clash) error {
	if c.isView {
		return foreign(isFile, "%s is a view in it, where Guestlist has a table", c.name)
	}
	return foreign(isFile, "its table %s lacks Guestlist's %s", c.name, list("column", c.lacks))
}

func foreignNotes(isFile bool, versions []int64) error {
	numbers := make([]string, len(versions))
	for i, version := range versions {
		numbers[i] = fmt.Sprint(version)
	}
	return foreign(isFile, "its table %s notes that program's %s, and not Guestlist's", versionTable, list("migration", numbers))
}

func notGoose(isFile bool) error {
	return foreign(isFile, "its table %s notes something else than applied migrations", versionTable)
}

func foreignDatabase(isFile bool, tables []string) error {
	return foreign(isFile, "it has the %s, and none of Guestlist's", list("table", tables))
}

const damagedAdvice = "Nothing was changed. Restore the database from a backup, or name another in DATABASE_URL."

func lacksColumns(c clash) error {
	return refusal{fault.New(fmt.Sprintf("Guestlist's table %s lacks its %s", c.name, list("column", c.lacks)), damagedAdvice), false}
}

func lacksTables(tables []string) error {
	return refusal{fault.New(fmt.Sprintf("this database lacks Guestlist's %s, though %s notes that it was made", list("table", tables), versionTable), damagedAdvice), false}
}

// newer is the refusal of a database that a newer release migrated. This release does not
// know that one's rules, such as who must stay out, and would break them without a word.
func newer(unknown []int64) error {
	numbers := make([]string, len(unknown))
	for i, version := range unknown {
		numbers[i] = fmt.Sprint(version)
	}
	return fault.New("this database was migrated by a newer release of Guestlist, which added the "+list("migration", numbers), "Nothing was changed in it. Run that release or a later one, or restore the backup from before the upgrade.")
}

func skippedMigrations(names []string) error {
	return fault.New(
		fmt.Sprintf("this database has later migrations than %s, but not %s", strings.Join(names, ", "), itOrThem(len(names))),
		`"guestlist migrate sql" prints the statements, to be run by hand.`,
	)
}

func itOrThem(n int) string {
	if n == 1 {
		return "this one"
	}
	return "these"
}

// listed is how many names a sentence tells.
const listed = 3

// list says what there is of a kind: "column a", "columns a and b", "columns a, b, c and 4 more".
func list(kind string, names []string) string {
	if len(names) > 1 {
		kind += "s"
	}
	if len(names) > listed {
		return fmt.Sprintf("%s %s and %d more", kind, strings.Join(names[:listed], ", "), len(names)-listed)
	}
	last := len(names) - 1
	if last == 0 {
		return kind + " " + names[0]
	}
	return kind + " " + strings.Join(names[:last], ", ") + " and " + names[last]
}

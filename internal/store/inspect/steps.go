package inspect

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"

	"github.com/guestlist/guestlist/schema"
)

// object is a table, or a column or index of a table; for the table itself both are empty. All names are lower case.
type object struct{ table, column, index string }

// Step is a migration and the objects it creates and removes.
type Step struct {
	Version int64
	Name    string // of its file
	creates []object
	removes []object
}

// isDone reports whether a database with certain objects has this step. It is false for a step that creates and
// removes nothing, such as one that changes rows.
func (s Step) isDone(present map[object]bool) bool {
	if len(s.creates)+len(s.removes) == 0 {
		return false
	}
	for _, o := range s.creates {
		if !present[o] {
			return false
		}
	}
	return !slices.ContainsFunc(s.removes, func(o object) bool { return present[o] })
}

// table returns the table that the step creates; empty if it creates none.
func (s Step) table() string {
	for _, o := range s.creates {
		if o.column == "" && o.index == "" {
			return o.table
		}
	}
	return ""
}

// AllSteps returns the migrations of this release, oldest first. It applies them to a database in memory to learn what
// each one changes.
var AllSteps = sync.OnceValues(func() ([]Step, error) {
	names, err := fs.Glob(schema.Files, "*.sql")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // another connection would be another database
	before := map[object]bool{}
	var all []Step
	for _, name := range names { // sorted, which is by number
		s := Step{Name: name}
		if s.Version, err = goose.NumericComponent(name); err != nil {
			return nil, err
		}
		up, _, err := schema.Statements(name)
		if err != nil {
			return nil, err
		}
		if _, err := db.Exec(up); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		after, err := objectsInMemory(db)
		if err != nil {
			return nil, err
		}
		s.creates, s.removes = without(after, before), without(before, after)
		all, before = append(all, s), after
	}
	return all, nil
})

// objectsInMemory returns all tables, columns and named indexes.
func objectsInMemory(db *sql.DB) (map[object]bool, error) {
	rows, err := db.QueryContext(context.Background(), `
		SELECT name, '', '' FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'
		UNION ALL SELECT t.name, c.name, '' FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
		UNION ALL SELECT tbl_name, '', name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	objects := map[object]bool{}
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.table, &o.column, &o.index); err != nil {
			return nil, err
		}
		objects[object{strings.ToLower(o.table), strings.ToLower(o.column), strings.ToLower(o.index)}] = true
	}
	return objects, rows.Err()
}

// without returns the objects that are in one set and not in the other, sorted.
func without(in, other map[object]bool) []object {
	var left []object
	for o := range in {
		if !other[o] {
			left = append(left, o)
		}
	}
	slices.SortFunc(left, func(a, b object) int {
		return slices.Compare([]string{a.table, a.column, a.index}, []string{b.table, b.column, b.index})
	})
	return left
}

// shapes returns the columns that identify each table: those it was created with and still has after all steps.
func shapes(steps []Step) map[string][]string {
	columns := map[string]map[string]bool{}
	for _, s := range steps {
		created := s.table()
		for _, o := range s.creates {
			if o.table != created || o.index != "" {
				continue
			}
			if columns[created] == nil {
				columns[created] = map[string]bool{}
			}
			if o.column != "" {
				columns[created][o.column] = true
			}
		}
		for _, o := range s.removes {
			if o.column != "" {
				delete(columns[o.table], o.column)
			}
		}
	}
	sorted := map[string][]string{}
	for table, names := range columns {
		sorted[table] = slices.Sorted(maps.Keys(names))
	}
	return sorted
}

// lasting returns the tables that exist after all steps.
func lasting(steps []Step) map[string]bool {
	tables := map[string]bool{}
	for _, s := range steps {
		for _, o := range s.creates {
			if o.column == "" && o.index == "" {
				tables[o.table] = true
			}
		}
		for _, o := range s.removes {
			if o.column == "" && o.index == "" {
				delete(tables, o.table)
			}
		}
	}
	return tables
}

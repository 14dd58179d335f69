package inspect

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// State is a database's progress towards this release's tables.
type State struct {
	steps    []Step         // the migrations of this release, oldest first
	Recorded map[int64]bool // versions in the version table
	unknown  []int64        // recorded versions that this release doesn't have, oldest first
	present  map[int64]bool // versions that are not recorded although their changes are there
	HasTable bool           // the version table exists
	HasZero  bool           // the version table has goose's first row, version 0
	HasLease bool           // the lease table exists
}

// Pending returns the migrations that are neither recorded nor present.
func (st State) Pending() []Step {
	return slices.DeleteFunc(slices.Clone(st.steps), func(s Step) bool { return st.Recorded[s.Version] || st.present[s.Version] })
}

// ToRecord returns the migrations that are present without a record, before the first pending one. Later ones are
// recorded when their turn comes.
func (st State) ToRecord() []Step {
	var steps []Step
	for _, s := range st.steps {
		switch {
		case st.Recorded[s.Version]:
		case st.present[s.Version]:
			steps = append(steps, s)
		default:
			return steps
		}
	}
	return steps
}

// IsUpToDate reports whether there is nothing to apply or record.
func (st State) IsUpToDate() bool {
	return st.HasZero && len(st.present) == 0 && len(st.Pending()) == 0
}

// skipped returns the files of pending migrations that later ones were applied without.
func (st State) skipped() []string {
	latest := int64(0)
	for version := range st.Recorded {
		latest = max(latest, version)
	}
	var names []string
	for _, s := range st.Pending() {
		if s.Version < latest {
			names = append(names, s.Name)
		}
	}
	return names
}

// Refusal returns an error if a newer release migrated the database, or if pending migrations can't be applied because
// later ones were applied without them.
func (st State) Refusal() error {
	if len(st.unknown) > 0 {
		return newer(st.unknown)
	}
	if names := st.skipped(); len(names) > 0 {
		return skippedMigrations(names)
	}
	return nil
}

// ReadState reads a database's state before anything is written to it. It returns a refusal if the database belongs to
// another program or lacks tables.
func ReadState(ctx context.Context, db *sql.DB, sqlite bool) (State, error) {
	c := catalog{db, sqlite}
	steps, err := AllSteps()
	if err != nil {
		return State{}, err
	}
	st := State{steps: steps, Recorded: map[int64]bool{}, present: map[int64]bool{}}
	// Read the records first: if another instance migrates at the same time, the tables are at least as new as the records.
	if err := st.readRecords(ctx, c); err != nil {
		return State{}, err
	}
	tables, err := c.tables(ctx)
	if err != nil {
		return State{}, err
	}
	_, st.HasLease = tables[LeaseTable]
	if st.isComplete(tables) {
		return st, nil
	}
	found, err := st.classify(ctx, c, tables)
	if err != nil {
		return State{}, err
	}
	if err := st.check(c, found); err != nil {
		return State{}, err
	}
	return st, st.findPresent(ctx, c, found.ours)
}

// folded maps the lower-case name of each table to its name, preferring a name that is lower case.
func folded(tables map[string]bool) map[string]string {
	names := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		lower := strings.ToLower(name)
		if _, exact := tables[lower]; exact {
			name = lower
		}
		names[lower] = name
	}
	return names
}

// readRecords reads the version table, if there is one.
func (st *State) readRecords(ctx context.Context, c catalog) error {
	versions, err := NewVersions(c.sqlite)
	if err != nil {
		return err
	}
	records, err := versions.ListMigrations(ctx, c.db)
	if dbconn.IsNoTable(err) {
		return nil
	}
	if dbconn.IsNoColumn(err) {
		return notGoose(c.sqlite)
	}
	if err != nil {
		return err
	}
	st.HasTable = true
	latest := map[int64]bool{} // the newest record comes first and counts
	for _, record := range records {
		if _, seen := latest[record.Version]; !seen {
			latest[record.Version] = record.IsApplied
		}
	}
	for version, applied := range latest {
		switch {
		case version == 0:
			st.HasZero = true
		case applied:
			st.Recorded[version] = true
		}
	}
	for version := range st.Recorded {
		if !slices.ContainsFunc(st.steps, func(s Step) bool { return s.Version == version }) {
			st.unknown = append(st.unknown, version)
		}
	}
	slices.Sort(st.unknown)
	return nil
}

// isComplete reports whether all migrations are recorded and all tables exist by name. No other program's database has
// both.
func (st *State) isComplete(tables map[string]bool) bool {
	for _, s := range st.steps {
		if !st.Recorded[s.Version] {
			return false
		}
	}
	for table := range lasting(st.steps) {
		if !tables[table] {
			return false
		}
	}
	return st.HasZero
}

// contents are a database's tables, classified.
type contents struct {
	ours    map[string]map[string]bool // Guestlist's: columns by table
	clashes []clash                    // tables with Guestlist's names and other columns
	others  []string                   // all other tables
}

// clash is a table or view that has the name of one of Guestlist's tables.
type clash struct {
	name   string
	isView bool
	lacks  []string // missing columns
}

// classify classifies the tables of a database.
func (st *State) classify(ctx context.Context, c catalog, tables map[string]bool) (contents, error) {
	shapes, names := shapes(st.steps), folded(tables)
	found := contents{ours: map[string]map[string]bool{}}
	for _, table := range slices.Sorted(maps.Keys(names)) {
		name := names[table]
		shape, isOurName := shapes[table]
		if isOurName && !tables[name] {
			found.clashes = append(found.clashes, clash{name: name, isView: true})
			continue
		}
		if isOurName {
			columns, err := c.columns(ctx, table)
			if err != nil && !(dbconn.IsNoTable(err) && name != table) { // a server may distinguish Users from users
				return contents{}, err
			}
			if err == nil {
				if lacks := missingFrom(shape, columns); len(lacks) > 0 {
					found.clashes = append(found.clashes, clash{name: name, lacks: lacks})
				} else {
					found.ours[table] = columns
				}
				continue
			}
		}
		if !isHousekeeping(table) {
			found.others = append(found.others, name)
		}
	}
	return found, nil
}

// isHousekeeping reports whether a table doesn't show whose database it is: it is goose's, or a tool's (SQLite,
// Litestream, Vitess, gh-ost).
func isHousekeeping(table string) bool {
	return table == VersionTable || table == LeaseTable || strings.HasPrefix(table, "_") || strings.HasPrefix(table, "sqlite_")
}

// missingFrom returns the wanted names that are missing.
func missingFrom(wanted []string, present map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return present[name] })
}

// check returns an error if the database belongs to another program, or lacks tables that are recorded.
func (st *State) check(c catalog, found contents) error {
	isOurs := len(found.ours) > 0 && (len(st.Recorded) == 0 || st.Recorded[st.steps[0].Version])
	if len(found.clashes) > 0 {
		clash := found.clashes[0]
		if isOurs && !clash.isView && st.Recorded[st.Creator(clash.name)] {
			return lacksColumns(clash)
		}
		return foreignTable(c.sqlite, clash)
	}
	if !isOurs && len(st.Recorded) > 0 {
		return foreignRecords(c.sqlite, slices.Sorted(maps.Keys(st.Recorded)))
	}
	if !isOurs && len(found.others) > 0 {
		return foreignDatabase(c.sqlite, found.others)
	}
	var missing []string
	for table := range lasting(st.steps) {
		if st.Recorded[st.Creator(table)] && found.ours[table] == nil {
			missing = append(missing, table)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return lacksTables(missing)
	}
	return nil
}

// Creator returns the version of the migration that creates a table; 0 if none does.
func (st *State) Creator(table string) int64 {
	for _, s := range st.steps {
		if s.table() == strings.ToLower(table) {
			return s.Version
		}
	}
	return 0
}

// findPresent finds the migrations that are not recorded although their changes are present: a start was interrupted
// between the two, or a deploy request brought the tables without the records.
func (st *State) findPresent(ctx context.Context, c catalog, ours map[string]map[string]bool) error {
	present := map[object]bool{}
	for table, columns := range ours {
		present[object{table: table}] = true
		for column := range columns {
			present[object{table: table, column: column}] = true
		}
	}
	read := map[string]bool{}
	for _, s := range st.steps {
		if st.Recorded[s.Version] {
			continue
		}
		for _, o := range slices.Concat(s.creates, s.removes) {
			if o.index == "" || read[o.table] || ours[o.table] == nil {
				continue
			}
			read[o.table] = true
			indexes, err := c.indexes(ctx, o.table)
			if err != nil {
				return err
			}
			for index := range indexes {
				present[object{table: o.table, index: index}] = true
			}
		}
		if s.isDone(present) {
			st.present[s.Version] = true
		}
	}
	return nil
}

// ReadFile reads the state of an SQLite file without changing the file.
func ReadFile(ctx context.Context, path string) (State, error) {
	var st State
	err := dbconn.ReadFile(ctx, path, func(ctx context.Context, db *sql.DB) (err error) {
		st, err = ReadState(ctx, db, true)
		return err
	})
	return st, dbconn.FileError(ctx, path, dbconn.CorruptionError("ok", err))
}

// ReadOnly reads a database's state before anything is written. db is not used for an SQLite file with a path, because
// opening it for writing changes it.
func ReadOnly(ctx context.Context, db *sql.DB, sqlite bool, path string) (State, error) {
	if path == "" {
		return ReadState(ctx, db, sqlite)
	}
	if dbconn.LogSize(path) > 0 { // closing the file would write the log into it
		if err := dbconn.CheckFile(ctx, path); err != nil {
			return State{}, err
		}
	}
	return ReadFile(ctx, path)
}

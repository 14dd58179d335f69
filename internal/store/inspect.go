package store

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// state is a database's progress towards this release's tables.
type state struct {
	steps    []step         // the migrations of this release, oldest first
	recorded map[int64]bool // versions in the version table
	unknown  []int64        // recorded versions that this release doesn't have, oldest first
	present  map[int64]bool // versions that are not recorded although their changes are there
	hasTable bool           // the version table exists
	hasZero  bool           // the version table has goose's first row, version 0
	hasLease bool           // the lease table exists
}

// pending returns the migrations that are neither recorded nor present.
func (st state) pending() []step {
	return slices.DeleteFunc(slices.Clone(st.steps), func(s step) bool { return st.recorded[s.version] || st.present[s.version] })
}

// toRecord returns the migrations that are present without a record, before the first pending one. Later ones are
// recorded when their turn comes.
func (st state) toRecord() []step {
	var steps []step
	for _, s := range st.steps {
		switch {
		case st.recorded[s.version]:
		case st.present[s.version]:
			steps = append(steps, s)
		default:
			return steps
		}
	}
	return steps
}

// isUpToDate reports whether there is nothing to apply or record.
func (st state) isUpToDate() bool {
	return st.hasZero && len(st.present) == 0 && len(st.pending()) == 0
}

// skipped returns the files of pending migrations that later ones were applied without.
func (st state) skipped() []string {
	latest := int64(0)
	for version := range st.recorded {
		latest = max(latest, version)
	}
	var names []string
	for _, s := range st.pending() {
		if s.version < latest {
			names = append(names, s.name)
		}
	}
	return names
}

// refusal returns an error if a newer release migrated the database, or if pending migrations can't be applied because
// later ones were applied without them.
func (st state) refusal() error {
	if len(st.unknown) > 0 {
		return newer(st.unknown)
	}
	if names := st.skipped(); len(names) > 0 {
		return skippedMigrations(names)
	}
	return nil
}

// inspect reads a database's state before anything is written to it. It returns a refusal if the database belongs to
// another program or lacks tables.
func inspect(ctx context.Context, c catalog) (state, error) {
	steps, err := allSteps()
	if err != nil {
		return state{}, err
	}
	st := state{steps: steps, recorded: map[int64]bool{}, present: map[int64]bool{}}
	// Read the records first: if another instance migrates meanwhile, the tables are at least as new as the records.
	if err := st.readRecords(ctx, c); err != nil {
		return state{}, err
	}
	tables, err := c.tables(ctx)
	if err != nil {
		return state{}, err
	}
	_, st.hasLease = tables[leaseTable]
	if st.isComplete(tables) {
		return st, nil
	}
	found, err := st.classify(ctx, c, tables)
	if err != nil {
		return state{}, err
	}
	if err := st.check(c, found); err != nil {
		return state{}, err
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
func (st *state) readRecords(ctx context.Context, c catalog) error {
	versions, err := newVersions(c.sqlite)
	if err != nil {
		return err
	}
	records, err := versions.ListMigrations(ctx, c.db)
	if isNoTable(err) {
		return nil
	}
	if isNoColumn(err) {
		return notGoose(c.sqlite)
	}
	if err != nil {
		return err
	}
	st.hasTable = true
	latest := map[int64]bool{} // the newest record comes first and counts
	for _, record := range records {
		if _, seen := latest[record.Version]; !seen {
			latest[record.Version] = record.IsApplied
		}
	}
	for version, applied := range latest {
		switch {
		case version == 0:
			st.hasZero = true
		case applied:
			st.recorded[version] = true
		}
	}
	for version := range st.recorded {
		if !slices.ContainsFunc(st.steps, func(s step) bool { return s.version == version }) {
			st.unknown = append(st.unknown, version)
		}
	}
	slices.Sort(st.unknown)
	return nil
}

// isComplete reports whether all migrations are recorded and all tables exist by name. No other program's database has
// both.
func (st *state) isComplete(tables map[string]bool) bool {
	for _, s := range st.steps {
		if !st.recorded[s.version] {
			return false
		}
	}
	for table := range lasting(st.steps) {
		if !tables[table] {
			return false
		}
	}
	return st.hasZero
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
func (st *state) classify(ctx context.Context, c catalog, tables map[string]bool) (contents, error) {
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
			if err != nil && !(isNoTable(err) && name != table) { // a server may distinguish Users from users
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
	return table == versionTable || table == leaseTable || strings.HasPrefix(table, "_") || strings.HasPrefix(table, "sqlite_")
}

// missingFrom returns the wanted names that are missing.
func missingFrom(wanted []string, present map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return present[name] })
}

// check returns an error if the database belongs to another program, or lacks tables that are recorded.
func (st *state) check(c catalog, found contents) error {
	isOurs := len(found.ours) > 0 && (len(st.recorded) == 0 || st.recorded[st.steps[0].version])
	if len(found.clashes) > 0 {
		clash := found.clashes[0]
		if isOurs && !clash.isView && st.recorded[st.creator(clash.name)] {
			return lacksColumns(clash)
		}
		return foreignTable(c.sqlite, clash)
	}
	if !isOurs && len(st.recorded) > 0 {
		return foreignRecords(c.sqlite, slices.Sorted(maps.Keys(st.recorded)))
	}
	if !isOurs && len(found.others) > 0 {
		return foreignDatabase(c.sqlite, found.others)
	}
	var missing []string
	for table := range lasting(st.steps) {
		if st.recorded[st.creator(table)] && found.ours[table] == nil {
			missing = append(missing, table)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return lacksTables(missing)
	}
	return nil
}

// creator returns the version of the migration that creates a table; 0 if none does.
func (st *state) creator(table string) int64 {
	for _, s := range st.steps {
		if s.table() == strings.ToLower(table) {
			return s.version
		}
	}
	return 0
}

// findPresent finds the migrations that are not recorded although their changes are present: a start was interrupted
// between the two, or a deploy request brought the tables without the records.
func (st *state) findPresent(ctx context.Context, c catalog, ours map[string]map[string]bool) error {
	present := map[object]bool{}
	for table, columns := range ours {
		present[object{table: table}] = true
		for column := range columns {
			present[object{table: table, column: column}] = true
		}
	}
	read := map[string]bool{}
	for _, s := range st.steps {
		if st.recorded[s.version] {
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
			st.present[s.version] = true
		}
	}
	return nil
}

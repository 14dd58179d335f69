package store

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// state is how far a database of ours, or an empty one, is on the way to this release.
type state struct {
	steps    []step         // all migrations of this release, oldest first
	noted    map[int64]bool // versions in the version table
	unknown  []int64        // noted versions that this release doesn't have, oldest first
	present  map[int64]bool // versions that are not noted although all they change is there
	hasNotes bool           // the version table exists
	hasZero  bool           // it has goose's own first row, version 0
	hasLease bool           // the lease table exists
}

// pending returns the migrations that are neither noted nor there.
func (st state) pending() []step {
	return slices.DeleteFunc(slices.Clone(st.steps), func(s step) bool { return st.noted[s.version] || st.present[s.version] })
}

// toNote returns the migrations that are there without a note, up to the first that is to be
// applied. One behind that is noted when its turn comes.
func (st state) toNote() []step {
	var steps []step
	for _, s := range st.steps {
		switch {
		case st.noted[s.version]:
		case st.present[s.version]:
			steps = append(steps, s)
		default:
			return steps
		}
	}
	return steps
}

// isUpToDate reports whether nothing is to be applied or noted.
func (st state) isUpToDate() bool {
	return st.hasZero && len(st.present) == 0 && len(st.pending()) == 0
}

// skipped returns the files of the pending migrations that later ones were applied without.
func (st state) skipped() []string {
	latest := int64(0)
	for version := range st.noted {
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

// refusal returns an error if a newer release migrated the database, or if migrations are
// pending that can't be applied because later ones were applied without them.
func (st state) refusal() error {
	if len(st.unknown) > 0 {
		return newer(st.unknown)
	}
	if names := st.skipped(); len(names) > 0 {
		return skippedMigrations(names)
	}
	return nil
}

// inspect looks at a database before anything is written to it. The error is a refusal if
// it belongs to another program, or if tables of ours are missing in it.
func inspect(ctx context.Context, c catalog) (state, error) {
	steps, err := allSteps()
	if err != nil {
		return state{}, err
	}
	st := state{steps: steps, noted: map[int64]bool{}, present: map[int64]bool{}}
	// The notes come first: of what another instance applies meanwhile, the tables are seen at
	// least as far as the notes.
	if err := st.readNotes(ctx, c); err != nil {
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
	found, err := st.sort(ctx, c, tables)
	if err != nil {
		return state{}, err
	}
	if err := st.check(c, found); err != nil {
		return state{}, err
	}
	return st, st.findPresent(ctx, c, found.ours)
}

// folded maps the lower-case name of each table to its name; exact names come first.
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

// readNotes reads the version table, if there is one.
func (st *state) readNotes(ctx context.Context, c catalog) error {
	versions, err := newVersions(c.sqlite)
	if err != nil {
		return err
	}
	notes, err := versions.ListMigrations(ctx, c.db)
	if isNoTable(err) {
		return nil
	}
	if isNoColumn(err) {
		return notGoose(c.sqlite)
	}
	if err != nil {
		return err
	}
	st.hasNotes = true
	latest := map[int64]bool{} // newest note first: an older one of the same version says what was before
	for _, note := range notes {
		if _, seen := latest[note.Version]; !seen {
			latest[note.Version] = note.IsApplied
		}
	}
	for version, applied := range latest {
		switch {
		case version == 0:
			st.hasZero = true
		case applied:
			st.noted[version] = true
		}
	}
	for version := range st.noted {
		if !slices.ContainsFunc(st.steps, func(s step) bool { return s.version == version }) {
			st.unknown = append(st.unknown, version)
		}
	}
	slices.Sort(st.unknown)
	return nil
}

// isComplete reports whether all migrations are noted and all tables are there by name:
// what no other program's database has.
func (st *state) isComplete(tables map[string]bool) bool {
	for _, s := range st.steps {
		if !st.noted[s.version] {
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

// contents are the tables of a database, told apart.
type contents struct {
	ours    map[string]map[string]bool // their columns, by the name of the table
	clashes []clash                    // tables under our names that are not as we make them
	others  []string                   // all other tables
}

// clash is a table or a view that has the name of one of our tables.
type clash struct {
	name   string
	isView bool
	lacks  []string // columns of ours
}

// sort tells the tables of a database apart.
func (st *state) sort(ctx context.Context, c catalog, tables map[string]bool) (contents, error) {
	shapes, there := shapes(st.steps), folded(tables)
	found := contents{ours: map[string]map[string]bool{}}
	for _, table := range slices.Sorted(maps.Keys(there)) {
		name := there[table]
		shape, isOurName := shapes[table]
		if isOurName && !tables[name] {
			found.clashes = append(found.clashes, clash{name: name, isView: true})
			continue
		}
		if isOurName {
			columns, err := c.columns(ctx, table)
			if err != nil && !(isNoTable(err) && name != table) { // a server may tell Users and users apart
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

// isHousekeeping reports whether a table says nothing about whose database it is: it is one
// of the two that goose knows, or a tool's (SQLite itself, Litestream, Vitess, gh-ost).
func isHousekeeping(table string) bool {
	return table == versionTable || table == leaseTable || strings.HasPrefix(table, "_") || strings.HasPrefix(table, "sqlite_")
}

// missingFrom returns those of the wanted names that are not there.
func missingFrom(wanted []string, there map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return there[name] })
}

// check returns an error if the database belongs to another program, or lacks tables that
// it is noted to have.
func (st *state) check(c catalog, found contents) error {
	isOurs := len(found.ours) > 0 && (len(st.noted) == 0 || st.noted[st.steps[0].version])
	if len(found.clashes) > 0 {
		clash := found.clashes[0]
		if isOurs && !clash.isView && st.noted[st.creator(clash.name)] {
			return lacksColumns(clash)
		}
		return foreignTable(c.sqlite, clash)
	}
	if !isOurs && len(st.noted) > 0 {
		return foreignNotes(c.sqlite, slices.Sorted(maps.Keys(st.noted)))
	}
	if !isOurs && len(found.others) > 0 {
		return foreignDatabase(c.sqlite, found.others)
	}
	var missing []string
	for table := range lasting(st.steps) {
		if st.noted[st.creator(table)] && found.ours[table] == nil {
			missing = append(missing, table)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return lacksTables(missing)
	}
	return nil
}

// creator returns the version of the migration that makes a table.
func (st *state) creator(table string) int64 {
	for _, s := range st.steps {
		if s.table() == strings.ToLower(table) {
			return s.version
		}
	}
	return 0
}

// findPresent finds the migrations that are not noted although what they change is there: a
// start was ended between the two, or a deploy request brought the tables and not the notes.
func (st *state) findPresent(ctx context.Context, c catalog, ours map[string]map[string]bool) error {
	there := map[object]bool{}
	for table, columns := range ours {
		there[object{table: table}] = true
		for column := range columns {
			there[object{table: table, column: column}] = true
		}
	}
	read := map[string]bool{}
	for _, s := range st.steps {
		if st.noted[s.version] {
			continue
		}
		for _, o := range slices.Concat(s.makes, s.removes) {
			if o.index == "" || read[o.table] || ours[o.table] == nil {
				continue
			}
			read[o.table] = true
			indexes, err := c.indexes(ctx, o.table)
			if err != nil {
				return err
			}
			for index := range indexes {
				there[object{table: o.table, index: index}] = true
			}
		}
		if s.isDone(there) {
			st.present[s.version] = true
		}
	}
	return nil
}

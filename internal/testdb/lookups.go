package testdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Database is the interface that generated queries use.
type Database interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// stored is the text in all columns of the rows that CheckLookups inserts.
const stored = "Key1"

var others = []string{
	"Key1 ", "Key1   ", " Key1", "key1", "KEY1", "K\u00e9y1", "Ke\u0301y1", "\uff2bey1", "Key\uff11", "Key1\t", "Key1\n", "Key1\u00a0",
	"Key1\u200b", "Key1\x00", "Key1\u3000", "Key", "Key11", "%", "",
}

// CheckLookups runs every query of a generated package that finds rows by text, and
// checks that it compares the text exactly. newQueries is the package's New. inTx runs
// fn in a transaction on the connections that the program uses. The queries are found
// by reflection, so none can be left out.
func CheckLookups(t *testing.T, newQueries func(Database) any, inTx func(fn func(Database) error) error) {
	t.Helper()
	lookups := 0
	for name, query := range recordQueries(newQueries) {
		keys := query.keys()
		if len(keys) == 0 {
			continue
		}
		lookups += len(keys)
		rollback := errors.New("roll back")
		err := inTx(func(db Database) error {
			if err := query.seed(t.Context(), db); err != nil {
				return err
			}
			for _, key := range keys {
				for _, other := range others {
					args := query.args()
					args[key] = other
					found, err := query.finds(t.Context(), db, args)
					if err != nil {
						return fmt.Errorf("by %q: %w", other, err)
					}
					if found {
						t.Errorf("%s finds %q by %q (value %d)", name, stored, other, key+1)
						return rollback // it may have deleted the rows of the other lookups
					}
				}
			}
			if found, err := query.finds(t.Context(), db, query.args()); err != nil || !found {
				t.Errorf("%s finds nothing by what is there, so that this proves nothing: %v\n%s %q", name, err, query.text, query.args())
			}
			return rollback
		})
		if !errors.Is(err, rollback) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if lookups < 10 {
		t.Errorf("%d lookups were found: the test does not read the queries", lookups)
	}
}

// lookup is a recorded query.
type lookup struct {
	text   string
	values []any // zero values of its parameters
}

// recordQueries calls every query with zero values and returns the queries by name.
func recordQueries(newQueries func(Database) any) map[string]lookup {
	recorded := map[string]lookup{}
	queries := reflect.ValueOf(newQueries(&recording{recorded: recorded}))
	for i := range queries.NumMethod() {
		method := queries.Method(i)
		in := []reflect.Value{reflect.ValueOf(context.Background())}
		for j := 1; j < method.Type().NumIn(); j++ {
			in = append(in, oneOfEach(method.Type().In(j)))
		}
		func() {
			defer func() { _ = recover() }() // there is no row to scan
			method.Call(in)
		}()
	}
	return recorded
}

// oneOfEach returns the zero value of a type, with one element in each list.
func oneOfEach(typ reflect.Type) reflect.Value {
	v := reflect.New(typ).Elem()
	switch typ.Kind() {
	case reflect.Slice:
		v.Set(reflect.MakeSlice(typ, 1, 1))
	case reflect.Struct:
		for i := range typ.NumField() {
			if typ.Field(i).IsExported() {
				v.Field(i).Set(oneOfEach(typ.Field(i).Type))
			}
		}
	}
	return v
}

type recording struct {
	Database
	recorded map[string]lookup
}

var errRecorded = errors.New("recorded")

func (r *recording) record(text string, args []any) {
	words := strings.Fields(text) // -- name: GetUser :one
	if len(words) > 2 && words[1] == "name:" {
		r.recorded[words[2]] = lookup{text, args}
	}
}

func (r *recording) ExecContext(_ context.Context, text string, args ...any) (sql.Result, error) {
	r.record(text, args)
	return nil, errRecorded
}

func (r *recording) QueryContext(_ context.Context, text string, args ...any) (*sql.Rows, error) {
	r.record(text, args)
	return nil, errRecorded
}

func (r *recording) QueryRowContext(_ context.Context, text string, args ...any) *sql.Row {
	r.record(text, args)
	return nil
}

var (
	placeholder = regexp.MustCompile(`(?:(\w+)\s*(<>|<=|>=|=|<|>|\bLIKE|\bNOT IN \(|\bIN \()\s*)?\?(\s*= '')?`)
	constant    = regexp.MustCompile(`(\w+)\s*(?:=|IN \()\s*('[^']*')`)
	positive    = regexp.MustCompile(`(\w+) > 0`)
	table       = regexp.MustCompile(`(?:FROM|UPDATE|JOIN) ([a-z_]+)`)
)

// keys returns the indexes of the text values that rows are found by.
func (l lookup) keys() []int {
	before, _, _ := strings.Cut(l.text, "WHERE ")
	if strings.Contains(before, "INSERT") {
		return nil
	}
	var keys []int
	for i, found := range placeholder.FindAllStringSubmatch(l.text, -1) {
		equal := found[2] == "=" || strings.HasPrefix(found[2], "IN")
		if i >= strings.Count(before, "?") && l.isText(i) && equal && found[3] == "" {
			keys = append(keys, i)
		}
	}
	return keys
}

func (l lookup) isText(i int) bool {
	switch l.values[i].(type) {
	case string, sql.NullString:
		return true
	}
	return false
}

// args returns values with which the query finds the seeded rows.
func (l lookup) args() []any {
	args := slices.Clone(l.values)
	for i, found := range placeholder.FindAllStringSubmatch(l.text, -1) {
		if !l.isText(i) {
			args[i] = map[string]int{">": -1, "<": 2, "<>": -1}[found[2]]
			if found[2] == "" {
				args[i] = 10 // LIMIT
			}
			if strings.HasSuffix(l.text[:placeholder.FindAllStringIndex(l.text, -1)[i][0]], "OFFSET ") {
				args[i] = 0
			}
			continue
		}
		switch found[2] {
		case ">", ">=", "<>", "LIKE", "NOT IN (":
			args[i] = ""
		case "<", "<=":
			args[i] = "\U0010ffff"
		default:
			args[i] = stored
		}
	}
	return args
}

// seed inserts one row into each table of the query, with the constants of its conditions.
func (l lookup) seed(ctx context.Context, db Database) error {
	tables := map[string]bool{}
	for _, found := range table.FindAllStringSubmatch(l.text, -1) {
		tables[found[1]] = true
	}
	set := map[string]string{}
	_, condition, _ := strings.Cut(l.text, "WHERE ")
	for _, found := range constant.FindAllStringSubmatch(condition, -1) {
		set[found[1]] = found[2]
	}
	for _, found := range positive.FindAllStringSubmatch(condition, -1) {
		set[found[1]] = "1"
	}
	for name := range tables {
		if err := seedTable(ctx, db, name, set); err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
	}
	return nil
}

func seedTable(ctx context.Context, db Database, name string, set map[string]string) error {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+name+" LIMIT 0")
	if err != nil {
		return err
	}
	types, err := rows.ColumnTypes()
	if err = errors.Join(err, rows.Close()); err != nil {
		return err
	}
	row := map[string]string{}
	for _, column := range types {
		value := "'" + stored + "'"
		if strings.Contains(column.DatabaseTypeName(), "INT") {
			value = "0"
		}
		if constant, ok := set[column.Name()]; ok {
			value = constant
		}
		row[column.Name()] = value
	}
	columns := slices.Sorted(maps.Keys(row))
	values := make([]string, len(columns))
	for i, column := range columns {
		values[i] = row[column]
	}
	if _, err := db.ExecContext(ctx, "DELETE FROM "+name); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "INSERT INTO "+name+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
	return err
}

// finds reports whether the query finds or changes a row.
func (l lookup) finds(ctx context.Context, db Database, args []any) (bool, error) {
	if !strings.Contains(l.text, "SELECT") || strings.Contains(l.text, "UPDATE ") {
		result, err := db.ExecContext(ctx, l.text, args...)
		if err != nil {
			return false, err
		}
		n, err := result.RowsAffected()
		return n > 0, err
	}
	rows, err := db.QueryContext(ctx, l.text, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !strings.Contains(l.text, "\nSELECT COUNT(*)") { // counts inside of a query are columns of its rows
		return rows.Next(), rows.Err()
	}
	n := 0
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return false, err
		}
	}
	return n > 0, rows.Err()
}

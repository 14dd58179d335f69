package copying

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // for applying the migrations in memory

	"github.com/guestlist/guestlist/schema"
)

// table is a table of the migrations.
type table struct {
	name    string
	columns []string // the primary key's first, in its order
	keys    int      // number of columns in the primary key
}

// tables returns all tables of the migrations by name. It applies them to a database in memory, so it includes those
// of future migrations, and leaves out tables of other programs.
func tables(ctx context.Context) ([]table, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // another connection would be another database
	migrations, err := goose.NewProvider(goose.DialectSQLite3, db, schema.Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, err
	}
	if _, err := migrations.Up(ctx); err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, `SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name NOT LIKE 'goose%' AND t.name NOT LIKE 'sqlite%'
		ORDER BY t.name, c.pk = 0, c.pk, c.cid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []table
	for rows.Next() {
		var name, column, kind string
		var place int // in the primary key, from 1; 0 if it isn't part of it
		if err := rows.Scan(&name, &column, &kind, &place); err != nil {
			return nil, err
		}
		if err := checkColumnType(kind, place); err != nil {
			return nil, fmt.Errorf("copying: %s.%s: %w", name, column, err)
		}
		if len(found) == 0 || found[len(found)-1].name != name {
			found = append(found, table{name: name})
		}
		t := &found[len(found)-1]
		t.columns = append(t.columns, column)
		t.keys = max(t.keys, place)
	}
	for _, t := range found {
		if t.keys == 0 {
			return nil, fmt.Errorf("copying: %s has no primary key", t.name)
		}
	}
	return found, rows.Err()
}

// checkColumnType returns an error for a column type whose values aren't known to stay the same on both engines, or
// for a key type that they might sort differently. BLOBs hold JSON, which is text.
func checkColumnType(kind string, place int) error {
	kind, _, _ = strings.Cut(kind, "(")
	if !slices.Contains([]string{"VARCHAR", "TEXT", "BLOB", "BIGINT"}, kind) || place > 0 && kind != "VARCHAR" {
		return fmt.Errorf("a column of type %s is not known here (in the primary key: %t)", kind, place > 0)
	}
	return nil
}

package inspect

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// catalog reads what a database contains. On MySQL it names no schema, because vtgate's database() differs from the
// name in information_schema: SHOW and SELECT use the connection's.
type catalog struct {
	db     *sql.DB
	sqlite bool
}

// tables returns all tables and views by name; the value is true for a table.
func (c catalog) tables(ctx context.Context) (map[string]bool, error) {
	query := "SHOW FULL TABLES"
	if c.sqlite {
		query = "SELECT name, CASE type WHEN 'table' THEN 'BASE TABLE' ELSE type END FROM sqlite_schema WHERE type IN ('table', 'view')"
	}
	rows, err := c.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := map[string]bool{}
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return nil, err
		}
		tables[name] = kind == "BASE TABLE"
	}
	return tables, rows.Err()
}

// columns returns the columns of a table in lower case.
func (c catalog) columns(ctx context.Context, table string) (map[string]bool, error) {
	rows, err := c.db.QueryContext(ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	columns := map[string]bool{}
	for _, name := range names {
		columns[strings.ToLower(name)] = true
	}
	return columns, rows.Err()
}

// indexes returns the names of a table's indexes in lower case.
func (c catalog) indexes(ctx context.Context, table string) (map[string]bool, error) {
	query := "SHOW INDEX FROM " + table
	if c.sqlite {
		query = "SELECT name FROM pragma_index_list('" + table + "')"
	}
	rows, err := c.db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	indexes := map[string]bool{}
	for rows.Next() {
		var name string
		row := make([]any, len(names))
		for i := range row {
			row[i] = new(any)
			if strings.EqualFold(names[i], "Key_name") || c.sqlite {
				row[i] = &name
			}
		}
		if err := rows.Scan(row...); err != nil {
			return nil, err
		}
		indexes[strings.ToLower(name)] = true
	}
	return indexes, rows.Err()
}

// Tables that record migrations. Their names and columns are goose's, because PlanetScale's setting "Automatically copy
// migration data" names the table.
const (
	VersionTable = goose.DefaultTablename
	LeaseTable   = "goose_lock"
)

const TableOptions = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

// versions is goose's version table. It replaces what goose does on MySQL: query information_schema by database(),
// which names no schema at Vitess, and leave engine and character set to the server.
type versions struct {
	database.Store
	sqlite bool
}

func NewVersions(sqlite bool) (versions, error) {
	dialect := goose.DialectMySQL
	if sqlite {
		dialect = goose.DialectSQLite3
	}
	store, err := database.NewStore(dialect, VersionTable)
	return versions{store, sqlite}, err
}

// TableExists reports whether the version table exists.
func (v versions) TableExists(ctx context.Context, db database.DBTxConn) (bool, error) {
	var one int
	err := db.QueryRowContext(ctx, "SELECT 1 FROM "+VersionTable+" LIMIT 1").Scan(&one)
	if dbconn.IsNoTable(err) {
		return false, nil
	}
	if dbconn.IsNoRows(err) {
		return true, nil
	}
	return err == nil, err
}

// CreateVersionTable creates the version table unless it exists.
func (v versions) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	statement := `CREATE TABLE IF NOT EXISTS %s (
  id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  version_id BIGINT          NOT NULL,
  is_applied BOOLEAN         NOT NULL,
  tstamp     TIMESTAMP       NULL DEFAULT CURRENT_TIMESTAMP
) ` + TableOptions
	if v.sqlite {
		statement = `CREATE TABLE IF NOT EXISTS %s (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  version_id INTEGER NOT NULL,
  is_applied INTEGER NOT NULL,
  tstamp     TIMESTAMP DEFAULT (datetime('now'))
)`
	}
	_, err := db.ExecContext(ctx, fmt.Sprintf(statement, VersionTable))
	return err
}

package faults

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"
	_ "modernc.org/sqlite"

	"github.com/guestlist/guestlist/internal/testdb"
)

// The databases there are. The suite itself reads them by a way of its own, which
// no fault is on.
var (
	onSQLite    = engine{"SQLite", func(x *trial) string { return x.useSQLite(testdb.SQLite(x)) }}
	onSmallDisk = engine{"SQLite", func(x *trial) string {
		x.disk = newDisk(x)
		return x.useSQLite("sqlite:" + filepath.Join(x.disk.dir, "guestlist.db"))
	}}
	onMariaDB  = engine{"MariaDB", func(x *trial) string { return x.useMySQL(testdb.MySQL(x)) }}
	onKillable = engine{"MariaDB", func(x *trial) string {
		server := testdb.NewKillable(x)
		x.server = server
		return x.useMySQL(server.DSN(x))
	}}
	behindProxy = engine{"MariaDB", func(x *trial) string {
		cfg, err := mysql.ParseDSN(x.useMySQL(testdb.MySQL(x)))
		if err != nil {
			x.Fatal(err)
		}
		x.network = newNetwork(x, cfg.Addr)
		cfg.Addr = x.network.proxy.Listen
		return cfg.FormatDSN()
	}}
)

func (x *trial) useSQLite(databaseURL string) string {
	path := url.URL{Path: strings.TrimPrefix(databaseURL, "sqlite:")}
	x.use("sqlite", "file:"+path.EscapedPath()+"?_pragma=busy_timeout(5000)")
	return databaseURL
}

func (x *trial) useMySQL(dsn string) string {
	x.use("mysql", dsn)
	return dsn
}

func (x *trial) use(driver, source string) {
	db, err := sql.Open(driver, source)
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() { db.Close() })
	x.db = db
}

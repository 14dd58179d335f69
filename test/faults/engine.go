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

// engine creates a trial's database.
type engine struct {
	name string
	open func(x *trial) (databaseURL string) // also sets x.db
}

// The engines of experiments. The suite has a connection of its own, which no fault affects.
var (
	sqlite    = engine{"SQLite", func(x *trial) string { return x.connectSQLite(testdb.SQLite(x)) }}
	smallDisk = engine{"SQLite", func(x *trial) string {
		x.disk = newDisk(x)
		return x.connectSQLite("sqlite:" + filepath.Join(x.disk.dir, "guestlist.db"))
	}}
	mariadb  = engine{"MariaDB", func(x *trial) string { return x.connectMySQL(testdb.MySQL(x)) }}
	killable = engine{"MariaDB", func(x *trial) string {
		server := testdb.NewKillable(x)
		x.server = server
		return x.connectMySQL(server.DSN(x))
	}}
	proxied = engine{"MariaDB", func(x *trial) string {
		cfg, err := mysql.ParseDSN(x.connectMySQL(testdb.MySQL(x)))
		if err != nil {
			x.Fatal(err)
		}
		x.network = newNetwork(x, cfg.Addr)
		cfg.Addr = x.network.proxy.Listen
		return cfg.FormatDSN()
	}}
)

// connectSQLite connects to a file and returns the URL for the program.
func (x *trial) connectSQLite(databaseURL string) string {
	path := url.URL{Path: strings.TrimPrefix(databaseURL, "sqlite:")}
	x.connect("sqlite", "file:"+path.EscapedPath()+"?_pragma=busy_timeout(5000)")
	return databaseURL
}

// connectMySQL connects to a server and returns the DSN for the program.
func (x *trial) connectMySQL(dsn string) string {
	x.connect("mysql", dsn)
	return dsn
}

// connect opens the suite's own connection.
func (x *trial) connect(driver, source string) {
	db, err := sql.Open(driver, source)
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() { db.Close() })
	x.db = db
}

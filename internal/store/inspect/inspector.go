// Package inspect reads what a database contains and which migrations it has, and changes nothing. It is used before a
// database is migrated and by the diagnostics of operators.
package inspect

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/exact"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/netutil"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// Inspector opens a database read-only for diagnostics, while instances may use it. It creates and migrates nothing.
// Its errors are sentences for an operator, some with advice.
type Inspector struct {
	db      *sql.DB
	cfg     *mysql.Config // nil for SQLite
	path    string        // of an SQLite file
	timeout time.Duration // for a statement
	now     func() time.Time
}

// Open opens an existing database, given as for store.Open. For a missing SQLite file it returns fs.ErrNotExist. It
// doesn't connect to a server yet.
func Open(databaseURL string, now func() time.Time) (*Inspector, error) {
	path, ok := dbconn.ParsePath(databaseURL)
	if !ok {
		cfg, err := dbconn.ParseMySQL(databaseURL)
		if err != nil {
			return nil, fault.Setting("DATABASE_URL", err)
		}
		db, err := dbconn.OpenMySQL(cfg)
		if err != nil {
			return nil, err
		}
		return &Inspector{db: db, cfg: cfg, timeout: cfg.ReadTimeout, now: now}, nil
	}
	if err := dbconn.CheckPath(path); err != nil {
		return nil, fault.Setting("DATABASE_URL", err)
	}
	if err := dbconn.StatFile(path); err != nil {
		return nil, err
	}
	db, err := dbconn.OpenWith(path, url.Values{"mode": {"rw"}})
	if err != nil {
		return nil, err
	}
	return &Inspector{db: db, path: path, timeout: dbconn.DefaultTimeout, now: now}, nil
}

// queries returns queries that end within the timeout of the returned context.
func (l *Inspector) queries(ctx context.Context) (context.Context, *dbsqlc.Queries, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	return ctx, dbsqlc.New(exact.On(dbconn.Pool{DB: l.db, Timeout: l.timeout})), cancel
}

// IsFile reports whether the database is an SQLite file.
func (l *Inspector) IsFile() bool { return l.cfg == nil }

// Close closes the database.
func (l *Inspector) Close() error { return l.db.Close() }

// Examine returns an error if the program would refuse to start because of the database's contents: it belongs to
// another program, has lost tables, or is an incomplete copy.
func (l *Inspector) Examine(ctx context.Context) error {
	st, err := ReadOnly(ctx, l.db, l.IsFile(), l.path)
	if err != nil {
		return dbconn.InspectError(err)
	}
	if !st.Recorded[st.Creator("settings")] {
		return nil
	}
	ctx, q, cancel := l.queries(ctx)
	defer cancel()
	source, err := CopySource(ctx, q)
	if err != nil {
		return dbconn.ExplainError(err)
	}
	return IncompleteCopy(source)
}

// Server describes the database's server and the connection to it.
type Server struct {
	Engine      string // MariaDB, MySQL, Vitess or SQLite
	Version     string // for Vitess, the MySQL version it emulates
	Transport   string // for people
	Unencrypted bool   // someone on the network could read or intercept the connection
}

// Server returns which database it is.
func (l *Inspector) Server(ctx context.Context) (Server, error) {
	if l.IsFile() {
		server := Server{Engine: "SQLite", Transport: "in the file " + l.path}
		err := dbconn.CheckFile(ctx, l.path)
		if err == nil {
			err = l.db.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&server.Version)
		}
		return server, dbconn.ExplainError(err)
	}
	var version string
	if err := l.db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return Server{}, dbconn.ExplainError(err)
	}
	server := newServer(version)
	server.Transport, server.Unencrypted = transport(l.cfg)
	return server, nil
}

// newServer parses the version that a server reports. Vitess reports only the MySQL version it emulates.
func newServer(version string) Server {
	server := Server{Engine: engine(version)}
	server.Version, _, _ = strings.Cut(version, "-")
	if server.Engine == "Vitess" {
		server.Version = "(as MySQL " + server.Version + ")"
	}
	return server
}

// engine returns a server's product by its version. PlanetScale's is Vitess.
func engine(version string) string {
	version = strings.ToLower(version)
	switch {
	case strings.Contains(version, "vitess"), strings.Contains(version, "planetscale"):
		return "Vitess"
	case strings.Contains(version, "mariadb"):
		return "MariaDB"
	}
	return "MySQL"
}

// transport describes how a server is reached. A connection that requires TLS has it.
func transport(cfg *mysql.Config) (description string, unencrypted bool) {
	switch {
	case cfg.TLSConfig == "skip-verify":
		return "over TLS, without checking the server's certificate", true
	case cfg.TLSConfig == "preferred":
		return "over TLS if the server offers it, unencrypted otherwise", true
	case cfg.TLSConfig != "" && cfg.TLSConfig != "false":
		return "over TLS", false
	case cfg.Net == "unix", netutil.IsLoopback(cfg.Addr):
		return "without TLS, on this machine", false
	}
	return "without TLS", true
}

// CanWrite checks that a row can be written, and rolls it back.
func (l *Inspector) CanWrite(ctx context.Context) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err == nil {
		defer tx.Rollback()
		err = dbsqlc.New(tx).InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: "doctor"})
	}
	return dbconn.ExplainError(err)
}

// CanCreate checks that a missing SQLite file could be created: it creates and removes another file in the nearest
// existing directory.
func CanCreate(databaseURL string) error {
	path, _ := dbconn.ParsePath(databaseURL)
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return err
	}
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.CreateTemp(dir, ".guestlist-doctor-")
	if err != nil {
		return dbconn.PathError(path, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// ClockSkew returns how far the database's clock is ahead of this machine's; negative if it is behind.
func (l *Inspector) ClockSkew(ctx context.Context) (time.Duration, error) {
	var remote time.Time
	before := l.now()
	if err := l.db.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&remote); err != nil {
		return 0, dbconn.ExplainError(err)
	}
	after := l.now()
	return remote.Sub(before.Add(after.Sub(before) / 2)), nil
}

// CountAdmins returns the number of administrators who are not suspended; 0 if there are no tables.
func (l *Inspector) CountAdmins(ctx context.Context) (int, error) {
	ctx, q, cancel := l.queries(ctx)
	defer cancel()
	n, err := q.CountAdmins(ctx)
	if dbconn.IsNoTable(err) {
		return 0, nil
	}
	return int(n), dbconn.ExplainError(err)
}

// MayBeAppointed reports whether the next start invites an address in GUESTLIST_ADMINS, because it isn't in the
// directory and wasn't removed from it.
func (l *Inspector) MayBeAppointed(ctx context.Context, email directory.Email) (bool, error) {
	ctx, q, cancel := l.queries(ctx)
	defer cancel()
	listed, err := q.ListedAddresses(ctx, []string{email.Normalized})
	if err == nil && len(listed) == 0 {
		_, err = q.GetRemovedAddress(ctx, email.Normalized)
	}
	if dbconn.IsNoTable(err) || dbconn.IsNoRows(err) {
		return true, nil
	}
	return false, dbconn.ExplainError(err)
}

// DifferingSettings returns the names of the settings that the most recently started instance has with other values;
// see [Store.RecordSettings]. recorded is false if no instance has started yet.
func (l *Inspector) DifferingSettings(ctx context.Context, plain, secret map[string]string) (names []string, recorded bool, err error) {
	ctx, q, cancel := l.queries(ctx)
	defer cancel()
	was, err := q.GetSetting(ctx, CurrentSettingsKey)
	if dbconn.IsNoTable(err) || dbconn.IsNoRows(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, dbconn.ExplainError(err)
	}
	key, err := q.GetSetting(ctx, SettingsHashKey)
	if dbconn.IsNoRows(err) { // recorded by an earlier release, without comparable hashes
		secret, err = nil, nil
	}
	for _, c := range SettingsChanges(was, SettingsRecord(key, plain, secret)) {
		names = append(names, c.Field)
	}
	return names, true, dbconn.ExplainError(err)
}

// Errors of an Inspector and of MigrationStatus.
var (
	ErrNoTables = dbconn.ErrNoTables
	ErrBusy     = dbconn.ErrBusy
)

package store

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// Inspector is a database that is looked at, perhaps beside instances that use it. Nothing
// is made, migrated or left behind. Its errors are sentences for an operator, some with
// an Advice.
type Inspector struct {
	store *Store
	cfg   *mysql.Config // nil on SQLite
	path  string
}

// Inspect opens a database given as for [Open] that is there already: an SQLite file
// that is missing is fs.ErrNotExist. A server is not asked anything yet.
func Inspect(databaseURL string, now func() time.Time) (*Inspector, error) {
	path, ok := parsePath(databaseURL)
	if !ok {
		cfg, err := parseMySQL(databaseURL)
		if err != nil {
			return nil, fault.Setting("DATABASE_URL", err)
		}
		db, err := openMySQL(cfg)
		if err != nil {
			return nil, err
		}
		return &Inspector{store: &Store{read: db, write: db, migrator: db, timeout: cfg.ReadTimeout, now: now}, cfg: cfg}, nil
	}
	if err := checkPath(path); err != nil {
		return nil, fault.Setting("DATABASE_URL", err)
	}
	if err := statFile(path); err != nil {
		return nil, err
	}
	db, err := openWith(path, url.Values{"mode": {"rw"}})
	if err != nil {
		return nil, err
	}
	return &Inspector{store: &Store{read: db, write: db, migrator: db, sqlite: true, path: path, timeout: defaultTimeout, now: now}, path: path}, nil
}

// IsFile reports whether it is an SQLite file.
func (l *Inspector) IsFile() bool { return l.cfg == nil }

// Close closes it.
func (l *Inspector) Close() error { return l.store.Close() }

// Examine returns an error if a start would refuse the database for what it holds: it belongs
// to another program, has lost tables, or is a half-made copy.
func (l *Inspector) Examine(ctx context.Context) error {
	st, err := l.store.inspect(ctx)
	if err != nil {
		return lookError(err)
	}
	if !st.noted[st.creator("settings")] {
		return nil
	}
	return l.store.CheckComplete(ctx)
}

// Server is which database answers, and how it is reached.
type Server struct {
	Engine      string // MariaDB, MySQL, Vitess or SQLite
	Version     string // of Vitess that of the MySQL it stands for, in words
	Transport   string // in words
	Unencrypted bool   // somebody on the way could read along or take its place
}

// Server asks the database what it is.
func (l *Inspector) Server(ctx context.Context) (Server, error) {
	if l.IsFile() {
		server := Server{Engine: "SQLite", Transport: "in the file " + l.path}
		err := l.store.checkFile(ctx)
		if err == nil {
			err = l.store.read.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&server.Version)
		}
		return server, explain(err)
	}
	var version string
	if err := l.store.read.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return Server{}, explain(err)
	}
	server := newServer(version)
	server.Transport, server.Unencrypted = transport(l.cfg)
	return server, nil
}

// newServer reads what a server calls its version. Vitess tells no version of its own but that
// of the MySQL it stands for.
func newServer(version string) Server {
	server := Server{Engine: engine(version)}
	server.Version, _, _ = strings.Cut(version, "-")
	if server.Engine == "Vitess" {
		server.Version = "(as MySQL " + server.Version + ")"
	}
	return server
}

// engine tells the servers apart by their versions. PlanetScale's is Vitess.
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

// transport says how a server is reached. TLS that was asked for is there, or there is no
// connection.
func transport(cfg *mysql.Config) (words string, exposed bool) {
	switch {
	case cfg.TLSConfig == "skip-verify":
		return "by TLS, but whoever has any certificate is believed", true
	case cfg.TLSConfig == "preferred":
		return "by TLS if nobody on the way objects", true
	case cfg.TLSConfig != "" && cfg.TLSConfig != "false":
		return "by TLS", false
	case cfg.Net == "unix", isLoopback(cfg.Addr):
		return "without TLS, on this machine", false
	}
	return "without TLS", true
}

// ErrNoTables: nothing has been migrated yet.
var ErrNoTables error = fault.New("there are no tables yet", "guestlist migrate makes them, and so does a start.")

// ErrBusy: others were writing all the time.
var ErrBusy error = fault.New("others are writing all the time", "Try again when that is over.")

// CanWrite writes a row and takes it back.
func (l *Inspector) CanWrite(ctx context.Context) error {
	tx, err := l.store.write.BeginTx(ctx, nil)
	if err == nil {
		defer tx.Rollback()
		err = l.store.queriesTx(tx).InsertSetting(ctx, dbsqlc.InsertSettingParams{Name: "doctor"})
	}
	return explain(err)
}

// CanCreate reports whether the SQLite file that is missing could be made: it makes
// another in the nearest folder there is, and removes it.
func CanCreate(databaseURL string) error {
	path, _ := parsePath(databaseURL)
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
		return pathError(path, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// ClockSkew is how far the database's clock is ahead of ours, or behind for less than zero.
func (l *Inspector) ClockSkew(ctx context.Context) (time.Duration, error) {
	var there time.Time
	before := l.store.now()
	if err := l.store.read.QueryRowContext(ctx, "SELECT UTC_TIMESTAMP(6)").Scan(&there); err != nil {
		return 0, explain(err)
	}
	after := l.store.now()
	return there.Sub(before.Add(after.Sub(before) / 2)), nil
}

// CountAdmins counts administrators who are not suspended. There are none where there
// are no tables.
func (l *Inspector) CountAdmins(ctx context.Context) (int, error) {
	ctx, q, cancel := l.store.queries(ctx)
	defer cancel()
	n, err := q.CountAdmins(ctx)
	if isNoTable(err) {
		return 0, nil
	}
	return int(n), explain(err)
}

// MayBeAppointed reports whether the next start invites an address that
// GUESTLIST_ADMINS names: it is not on the list, and was not removed from it.
func (l *Inspector) MayBeAppointed(ctx context.Context, email directory.Email) (bool, error) {
	ctx, q, cancel := l.store.queries(ctx)
	defer cancel()
	listed, err := q.ListedAddresses(ctx, []string{email.Normalized})
	if err == nil && len(listed) == 0 {
		_, err = q.GetRemovedAddress(ctx, email.Normalized)
	}
	if isNoTable(err) || isNoRows(err) {
		return true, nil
	}
	return false, explain(err)
}

// DifferingSettings returns the names of those that the instance which started last
// has otherwise, see [Store.RecordSettings]; noted is false if none has started yet.
func (l *Inspector) DifferingSettings(ctx context.Context, plain, secret map[string]string) (names []string, isNoted bool, err error) {
	ctx, q, cancel := l.store.queries(ctx)
	defer cancel()
	was, err := q.GetSetting(ctx, currentSettingsKey)
	if isNoTable(err) || isNoRows(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, explain(err)
	}
	key, err := q.GetSetting(ctx, settingsKey)
	if isNoRows(err) { // noted by an earlier release, with no hash that can be compared
		secret, err = nil, nil
	}
	for _, c := range differences(was, noted(key, plain, secret)) {
		names = append(names, c.Field)
	}
	return names, true, explain(err)
}

package dbconn

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/guestlist/guestlist/internal/netutil"
)

// ParsePath returns the path in an SQLite address: sqlite:PATH, sqlite://PATH, or sqlite:////PATH, which other
// programs use for absolute paths.
func ParsePath(databaseURL string) (path string, ok bool) {
	path, ok = strings.CutPrefix(databaseURL, "sqlite:")
	path = strings.TrimPrefix(path, "//")
	if strings.HasPrefix(path, "//") {
		path = "/" + strings.TrimLeft(path, "/")
	}
	return path, ok
}

// CheckPath returns an error for something that can't be the path of an SQLite file.
func CheckPath(path string) error {
	switch {
	case path == "", strings.ContainsAny(path, "?#"):
		return errors.New("sqlite: needs the path of a file, without ? and #")
	case filepath.Base(path) == ":memory:", strings.HasPrefix(path, "file:"):
		return errors.New("sqlite: needs the plain path of a file, such as sqlite:data/guestlist.db: a database in memory would be lost when the program stops")
	}
	return nil
}

// StatFile returns fs.ErrNotExist if there is no file at a path, and a fault if there can't be one.
func StatFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil:
		return PathError(path, err)
	case info.IsDir():
		return IsDirectory
	}
	return nil
}

// ParseMySQL parses a mysql:// URL, as PlanetScale shows it, or a go-sql-driver DSN, and sets what every connection
// needs. It uses TLS unless the host is a loopback address or the address says otherwise.
func ParseMySQL(databaseURL string) (*mysql.Config, error) {
	var cfg *mysql.Config
	var err error
	switch scheme, _, isURL := strings.Cut(databaseURL, "://"); {
	case isURL && (scheme == "mysql" || scheme == "mysql2"): // pscale connect --execute sets mysql2
		cfg, err = parseMySQLURL(databaseURL)
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		return nil, errPostgres
	case isURL:
		return nil, errors.New("must be mysql://…, a go-sql-driver DSN, or sqlite:PATH")
	default:
		if cfg, err = mysql.ParseDSN(databaseURL); err != nil {
			err = errors.New("is not a go-sql-driver DSN (user:password@tcp(host:3306)/database); for a file, use sqlite:PATH") // the driver's text may hold the password
		}
	}
	if err != nil {
		return nil, err
	}
	if cfg.DBName == "" {
		return nil, errors.New("must name a database: mysql://user:password@host/database")
	}
	if cfg.Net != "tcp" && cfg.Net != "unix" {
		return nil, errors.New("must reach the server by tcp(host:port) or unix(path)")
	}
	if cfg.TLSConfig == "" && cfg.TLS == nil && cfg.Net == "tcp" && !netutil.IsLoopback(cfg.Addr) {
		cfg.TLSConfig = "true"
	}
	cfg.ClientFoundRows = true   // an UPDATE that changes nothing still counts its row
	cfg.InterpolateParams = true // one round trip per query
	cfg.ParseTime = true         // goose reads a DATETIME; other times are numbers
	cfg.Loc = time.UTC
	cfg.Logger = &mysql.NopLogger{} // it would bypass the log; errors are returned as well
	cfg.RejectReadOnly = false      // see LeaveReadOnly
	cfg.Timeout = min(orDefault(cfg.Timeout, DefaultTimeout), DefaultTimeout)
	cfg.ReadTimeout = orDefault(cfg.ReadTimeout, DefaultTimeout) // no statement normally takes longer
	cfg.WriteTimeout = orDefault(cfg.WriteTimeout, DefaultTimeout)
	setSession(cfg)
	// Overrides the address: all languages must fit, text must compare by bytes, and interpolating values is only safe in
	// this charset.
	return cfg, cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin"))
}

// setSession makes connections behave the same whatever the server's defaults are. Without autocommit, single
// statements are rolled back when the connection closes; with chained transactions, a statement after a commit is in
// another transaction; without strict mode, values that are too long are truncated. The SQL mode is MySQL 8's default.
func setSession(cfg *mysql.Config) {
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	cfg.Params["autocommit"] = "1"
	cfg.Params["completion_type"] = "'NO_CHAIN'"
	cfg.Params["sql_mode"] = "'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
	cfg.Params["time_zone"] = "'+00:00'"
}

var errPostgres = errors.New("names a Postgres database, but Guestlist needs MySQL, MariaDB or SQLite; at PlanetScale, create a Vitess database (pscale database create NAME --engine mysql)")

func parseMySQLURL(databaseURL string) (*mysql.Config, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("must look like mysql://user:password@host/database") // url's error contains the password
	}
	cfg := mysql.NewConfig()
	cfg.Net = "tcp"
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.DBName = strings.TrimPrefix(u.Path, "/")
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	cfg.Addr = net.JoinHostPort(u.Hostname(), port)
	return cfg, readParams(cfg, u.RawQuery)
}

// readParams reads the parameters of a mysql:// URL: a TLS mode and timeouts.
func readParams(cfg *mysql.Config, rawQuery string) error {
	params, err := url.ParseQuery(rawQuery)
	if err != nil {
		return errParams
	}
	for name, values := range params {
		for _, value := range values {
			if err := readParam(cfg, name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func readParam(cfg *mysql.Config, name, value string) error {
	timeouts := map[string]*time.Duration{"timeout": &cfg.Timeout, "readTimeout": &cfg.ReadTimeout, "writeTimeout": &cfg.WriteTimeout}
	if timeout := timeouts[name]; timeout != nil {
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return fmt.Errorf("has an invalid %s: use a duration such as 10s", name)
		}
		*timeout = d
		return nil
	}
	switch name {
	case "charset", "collation", "parseTime", "loc", "interpolateParams", "clientFoundRows":
		return nil // overridden, as in a DSN
	}
	mode, err := tlsMode(name, value)
	if err != nil {
		return err
	}
	if cfg.TLSConfig != "" && cfg.TLSConfig != mode {
		return errors.New("has contradictory TLS parameters")
	}
	cfg.TLSConfig = mode
	return nil
}

// errParams doesn't name the parameter, which may be part of a password with an unescaped question mark.
var errParams = errors.New("has an unknown parameter; use sslaccept, ssl, sslmode, tls, timeout, readTimeout and writeTimeout")

// tlsMode maps the TLS parameters that URLs use to the driver's modes.
func tlsMode(name, value string) (string, error) {
	switch name + "=" + strings.ToLower(strings.ReplaceAll(value, " ", "")) {
	case "sslaccept=strict", `ssl={"rejectunauthorized":true}`, "ssl=true", "tls=true",
		"sslmode=verify_identity", "ssl-mode=verify_identity", "sslmode=require", "sslmode=required", "ssl-mode=required":
		return "true", nil
	case "sslaccept=accept_invalid_certs", `ssl={"rejectunauthorized":false}`, "tls=skip-verify":
		return "skip-verify", nil
	case "ssl=false", "tls=false", "sslmode=disable", "sslmode=disabled", "ssl-mode=disabled":
		return "false", nil
	}
	return "", errParams
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/fault"
)

// parsePath returns the file of a sqlite: URL: sqlite:PATH, sqlite://PATH, or sqlite:////PATH
// as other programs write an absolute path.
func parsePath(databaseURL string) (path string, ok bool) {
	path, ok = strings.CutPrefix(databaseURL, "sqlite:")
	path = strings.TrimPrefix(path, "//")
	if strings.HasPrefix(path, "//") {
		path = "/" + strings.TrimLeft(path, "/")
	}
	return path, ok
}

// checkPath returns an error for what can't be the path of an SQLite file.
func checkPath(path string) error {
	switch {
	case path == "", strings.ContainsAny(path, "?#"):
		return errors.New("sqlite: needs the path of a file, without ? and #")
	case filepath.Base(path) == ":memory:", strings.HasPrefix(path, "file:"):
		return errors.New("sqlite: needs the plain path of a file, such as sqlite:data/guestlist.db: a list in memory would be gone with the program")
	}
	return nil
}

// Name says which database an address names, without user and password:
// sqlite: and the whole path, or mysql://host:port/database.
func Name(databaseURL string) (string, error) {
	if path, ok := parsePath(databaseURL); ok {
		whole, err := filepath.Abs(path)
		return "sqlite:" + whole, err
	}
	cfg, err := parseMySQL(databaseURL)
	if err != nil {
		return "", err
	}
	return "mysql://" + cfg.Addr + "/" + cfg.DBName, nil
}

// Exists returns an error if an address names an SQLite file that is not there,
// and which Open would make. Of a server it knows nothing.
func Exists(databaseURL string) error {
	path, ok := parsePath(databaseURL)
	if !ok {
		return nil
	}
	if err := checkPath(path); err != nil {
		return fault.Setting("DATABASE_URL", err)
	}
	err := statFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New("there is no file "+path, "If there should be one already, DATABASE_URL names another.")
	}
	return err
}

// statFile returns fs.ErrNotExist if there is no file at a path, and a fault if there can't
// be one.
func statFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil:
		return pathError(path, err)
	case info.IsDir():
		return isFolder
	}
	return nil
}

// parseMySQL reads a mysql:// URL as PlanetScale hands it out, or a
// go-sql-driver DSN, and sets what every connection of ours needs. A host that
// is not loopback is reached by TLS unless the address says otherwise.
func parseMySQL(databaseURL string) (*mysql.Config, error) {
	var cfg *mysql.Config
	var err error
	switch scheme, _, isURL := strings.Cut(databaseURL, "://"); {
	case isURL && (scheme == "mysql" || scheme == "mysql2"): // the second is what pscale connect --execute sets
		cfg, err = parseMySQLURL(databaseURL)
	case isURL && (scheme == "postgres" || scheme == "postgresql"):
		return nil, errPostgres
	case isURL:
		return nil, errors.New("must be mysql://…, a go-sql-driver DSN, or sqlite:PATH")
	default:
		if cfg, err = mysql.ParseDSN(databaseURL); err != nil {
			err = errors.New("is no go-sql-driver DSN (user:password@tcp(host:3306)/database); a file is sqlite:PATH") // the driver's text may hold the password
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
	if cfg.TLSConfig == "" && cfg.TLS == nil && cfg.Net == "tcp" && !isLoopback(cfg.Addr) {
		cfg.TLSConfig = "true"
	}
	cfg.ClientFoundRows = true   // an UPDATE that changes nothing still found its row
	cfg.InterpolateParams = true // one round trip a query
	cfg.ParseTime = true         // goose reads a DATETIME; our own times are numbers
	cfg.Loc = time.UTC
	cfg.Logger = &mysql.NopLogger{} // what it would say past our log comes back as an error
	cfg.RejectReadOnly = false      // see leavingReadOnly
	cfg.Timeout = min(orDefault(cfg.Timeout, defaultTimeout), defaultTimeout)
	cfg.ReadTimeout = orDefault(cfg.ReadTimeout, defaultTimeout) // no statement of ours takes longer where all is well
	cfg.WriteTimeout = orDefault(cfg.WriteTimeout, defaultTimeout)
	setSession(cfg)
	// Whatever the address says: any language must fit, text compares byte by
	// byte, and values are put into statements safely in no other charset.
	return cfg, cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin"))
}

// setSession makes every connection the same on every server, whatever its defaults are.
// With autocommit off, single statements are rolled back when their connection closes; with
// chained transactions, what follows a commit is in another one; without the strict mode, a
// value that is too long is cut without an error. The SQL mode is the default of MySQL 8.
func setSession(cfg *mysql.Config) {
	if cfg.Params == nil {
		cfg.Params = map[string]string{}
	}
	cfg.Params["autocommit"] = "1"
	cfg.Params["completion_type"] = "'NO_CHAIN'"
	cfg.Params["sql_mode"] = "'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
	cfg.Params["time_zone"] = "'+00:00'"
}

var errPostgres = errors.New("names a Postgres database, and Guestlist needs MySQL, MariaDB or SQLite; at PlanetScale, make a Vitess database (pscale database create NAME --engine mysql)")

func parseMySQLURL(databaseURL string) (*mysql.Config, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("must look like mysql://user:password@host/database") // url's own text holds the password
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

// readParams reads the parameters of a mysql:// URL: one mode of TLS, and what a
// go-sql-driver DSN has as well.
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
			return fmt.Errorf("has a %s that is no time: 10s is one", name)
		}
		*timeout = d
		return nil
	}
	switch name {
	case "charset", "collation", "parseTime", "loc", "interpolateParams", "clientFoundRows":
		return nil // set to what we need, whatever they say, as in a DSN
	}
	mode, err := tlsMode(name, value)
	if err != nil {
		return err
	}
	if cfg.TLSConfig != "" && cfg.TLSConfig != mode {
		return errors.New("asks for TLS in two ways that contradict each other")
	}
	cfg.TLSConfig = mode
	return nil
}

// errParams doesn't name the parameter: behind the ? of a password that was not
// escaped, the rest of the password looks like one.
var errParams = errors.New("has a parameter that is not understood; known are sslaccept, ssl, sslmode, tls, timeout, readTimeout and writeTimeout")

// tlsMode maps the ways in which a URL asks for TLS to the driver's.
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

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func orDefault(d, def time.Duration) time.Duration {
	if d <= 0 {
		return def
	}
	return d
}

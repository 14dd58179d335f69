package store

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// parsePath returns the file of a sqlite: URL.
func parsePath(databaseURL string) (path string, ok bool) {
	path, ok = strings.CutPrefix(databaseURL, "sqlite:")
	return strings.TrimPrefix(path, "//"), ok
}

// parseMySQL reads a mysql:// URL as PlanetScale hands it out, or a
// go-sql-driver DSN, and sets what every connection of ours needs. A host that
// is not loopback is reached by TLS unless the address says otherwise.
func parseMySQL(databaseURL string) (*mysql.Config, error) {
	var cfg *mysql.Config
	var err error
	if strings.HasPrefix(databaseURL, "mysql://") {
		cfg, err = parseMySQLURL(databaseURL)
	} else if strings.Contains(databaseURL, "://") {
		return nil, errors.New("must be mysql://…, a go-sql-driver DSN, or sqlite:PATH")
	} else if cfg, err = mysql.ParseDSN(databaseURL); err != nil {
		err = errors.New("is no go-sql-driver DSN (user:password@tcp(host:3306)/database)") // the driver's text may hold the password
	}
	if err != nil {
		return nil, err
	}
	if cfg.DBName == "" {
		return nil, errors.New("must name a database: mysql://user:password@host/database")
	}
	if cfg.TLSConfig == "" && cfg.TLS == nil && cfg.Net == "tcp" && !isLoopback(cfg.Addr) {
		cfg.TLSConfig = "true"
	}
	cfg.ClientFoundRows = true   // an UPDATE that changes nothing still found its row
	cfg.InterpolateParams = true // one round trip a query
	cfg.ParseTime = true         // goose reads a DATETIME; our own times are numbers
	cfg.Loc = time.UTC
	cfg.Timeout = min(orDefault(cfg.Timeout, 5*time.Second), 5*time.Second)
	cfg.ReadTimeout = orDefault(cfg.ReadTimeout, 30*time.Second)
	cfg.WriteTimeout = orDefault(cfg.WriteTimeout, 30*time.Second)
	return cfg, nil
}

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
	for name, values := range u.Query() {
		if cfg.TLSConfig, err = tlsMode(name, values[0]); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

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
	return "", fmt.Errorf("has %q, which is not understood; known are sslaccept, ssl, sslmode and tls", name)
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
	if d == 0 {
		return def
	}
	return d
}

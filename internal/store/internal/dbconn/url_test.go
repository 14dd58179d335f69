package dbconn

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guestlist/guestlist/internal/netutil"
)

// reached is how a database is reached.
type reached struct{ Net, Addr, User, Password, Database, TLS string }

func TestParseMySQL(t *testing.T) {
	t.Parallel()
	planetScale := reached{"tcp", "aws.connect.psdb.cloud:3306", "u7x", "pscale_pw_A+b", "guestlist", "true"}
	local := func(addr string) reached { return reached{"tcp", addr, "root", "", "guestlist", ""} }
	remote := func(tls string) reached { return reached{"tcp", "db.example:3306", "root", "", "guestlist", tls} }
	for _, r := range []struct {
		name, url string
		want      reached
	}{
		{"PlanetScale for Prisma", "mysql://u7x:pscale_pw_A+b@aws.connect.psdb.cloud/guestlist?sslaccept=strict", planetScale},
		{"PlanetScale for Node", `mysql://u7x:pscale_pw_A+b@aws.connect.psdb.cloud/guestlist?ssl={"rejectUnauthorized":true}`, planetScale},
		{"the same, with a space", `mysql://u7x:pscale_pw_A+b@aws.connect.psdb.cloud/guestlist?ssl={"rejectUnauthorized": true}`, planetScale},
		{"the same, escaped", "mysql://u7x:pscale_pw_A%2Bb@aws.connect.psdb.cloud/guestlist?ssl=%7B%22rejectUnauthorized%22%3Atrue%7D", planetScale},
		{"PlanetScale for Go", "u7x:pscale_pw_A+b@tcp(aws.connect.psdb.cloud)/guestlist?tls=true&interpolateParams=true", planetScale},
		{"PlanetScale as pscale connect --execute sets it", "mysql2://root@127.0.0.1:3309/guestlist", local("127.0.0.1:3309")},
		{"PlanetScale without a word of TLS", "mysql://u7x:pscale_pw_A+b@aws.connect.psdb.cloud:3306/guestlist", planetScale},
		{"several words for the same TLS", "mysql://root@db.example/guestlist?sslaccept=strict&tls=true", remote("true")},
		{"a password with everything, escaped", "mysql://a%40b:p%2Fw%3F%23%40%3A%25@db.example:3307/guestlist",
			reached{"tcp", "db.example:3307", "a@b", "p/w?#@:%", "guestlist", "true"}},
		{"localhost", "mysql://root@localhost/guestlist", local("localhost:3306")},
		{"IPv4 loopback", "mysql://root:@127.0.0.9:3307/guestlist", local("127.0.0.9:3307")},
		{"IPv6 loopback", "mysql://root@[::1]/guestlist", local("[::1]:3306")},
		{"DSN on loopback", "root@tcp(127.0.0.1:3309)/guestlist", local("127.0.0.1:3309")},
		{"DSN without an address", "root@/guestlist", local("127.0.0.1:3306")},
		{"DSN of a socket", "root@unix(/run/mysqld/mysqld.sock)/guestlist", reached{"unix", "/run/mysqld/mysqld.sock", "root", "", "guestlist", ""}},
		{"DSN elsewhere", "root@tcp(db.example:3306)/guestlist", remote("true")},
		{"an address that is not loopback", "mysql://root@10.0.0.1/guestlist", reached{"tcp", "10.0.0.1:3306", "root", "", "guestlist", "true"}},
		{"a name that begins like loopback", "mysql://root@127.0.0.1.example/guestlist",
			reached{"tcp", "127.0.0.1.example:3306", "root", "", "guestlist", "true"}},
		{"TLS on loopback when asked for", "mysql://root@localhost/guestlist?tls=true",
			reached{"tcp", "localhost:3306", "root", "", "guestlist", "true"}},
		{"TLS without a look at the certificate", "mysql://root@db.example/guestlist?sslaccept=accept_invalid_certs", remote("skip-verify")},
		{"no TLS, asked for", "mysql://root@db.example/guestlist?sslmode=disable", remote("false")},
		{"DSN, no TLS, asked for", "root@tcp(db.example)/guestlist?tls=false", remote("false")},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := ParseMySQL(r.url)
			if err != nil {
				t.Fatal(err)
			}
			got := reached{cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.DBName, cfg.TLSConfig}
			if diff := cmp.Diff(r.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if !cfg.ClientFoundRows || !cfg.InterpolateParams || !cfg.ParseTime || cfg.Loc != time.UTC {
				t.Errorf("not as every connection must be: %+v", cfg)
			}
			if cfg.Timeout != 5*time.Second || cfg.ReadTimeout == 0 || cfg.WriteTimeout == 0 {
				t.Errorf("timeouts %v, %v, %v", cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout)
			}
		})
	}
}

func TestParseMySQL_Timeouts(t *testing.T) {
	t.Parallel()
	for _, databaseURL := range []string{
		"mysql://root@db.example/guestlist?readTimeout=10s&timeout=2s&writeTimeout=1m",
		"root@tcp(db.example:3306)/guestlist?readTimeout=10s&timeout=2s&writeTimeout=1m",
		"mysql://root@db.example/guestlist?sslaccept=strict&readTimeout=10s&timeout=2s&writeTimeout=60s&parseTime=true&charset=utf8mb4&loc=UTC",
	} {
		cfg, err := ParseMySQL(databaseURL)
		if err != nil {
			t.Errorf("%s: %v", databaseURL, err)
			continue
		}
		if cfg.ReadTimeout != 10*time.Second || cfg.Timeout != 2*time.Second || cfg.WriteTimeout != time.Minute || cfg.TLSConfig != "true" {
			t.Errorf("%s: %v, %v, %v, TLS %s", databaseURL, cfg.ReadTimeout, cfg.Timeout, cfg.WriteTimeout, cfg.TLSConfig)
		}
	}
	for _, databaseURL := range []string{"mysql://root@db.example/guestlist?readTimeout=0s", "root@tcp(db.example:3306)/guestlist?readTimeout=-3s"} {
		if cfg, err := ParseMySQL(databaseURL); err == nil && cfg.ReadTimeout <= 0 {
			t.Errorf("%s: %v", databaseURL, cfg.ReadTimeout)
		}
	}
}

func TestParsePath(t *testing.T) {
	t.Parallel()
	for databaseURL, want := range map[string]string{
		"sqlite:data/guestlist.db":            "data/guestlist.db",
		"sqlite://data/guestlist.db":          "data/guestlist.db",
		"sqlite:./guestlist.db":               "./guestlist.db",
		"sqlite:/var/lib/guestlist.db":        "/var/lib/guestlist.db",
		"sqlite:///var/lib/guestlist.db":      "/var/lib/guestlist.db",
		"sqlite:////var/lib/guestlist.db":     "/var/lib/guestlist.db",
		"sqlite:///////var/lib/guestlist.db":  "/var/lib/guestlist.db",
		"sqlite:/var/lib/of Zoë/guest%20l.db": "/var/lib/of Zoë/guest%20l.db",
	} {
		if path, ok := ParsePath(databaseURL); path != want || !ok || CheckPath(path) != nil {
			t.Errorf("%s: %q, %v", databaseURL, path, CheckPath(path))
		}
	}
	for databaseURL, want := range map[string]string{
		"sqlite:": "needs the path of a file", "sqlite://": "needs the path of a file", "sqlite:a.db?mode=ro": "without ? and #",
		"sqlite::memory:": "a database in memory would be lost when the program stops", "sqlite://:memory:": "in memory", "sqlite:///:memory:": "in memory",
		"sqlite:file::memory:": "in memory", "sqlite:file:a.db": "plain path",
	} {
		path, _ := ParsePath(databaseURL)
		if err := CheckPath(path); want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", databaseURL, err, want)
		}
	}
}

func TestParseMySQL_Invalid(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	for _, r := range []struct{ name, url, want string }{
		{"another database", "oracle://root:hunter2@db.example/guestlist", "must be mysql://…"},
		{"Postgres", "postgres://root:hunter2@db.example/guestlist", "names a Postgres database, but Guestlist needs MySQL, MariaDB or SQLite"},
		{"PlanetScale Postgres", "postgresql://pscale_api_x:hunter2@aws.pg.psdb.cloud:5432/postgres?sslmode=verify-full", "at PlanetScale, create a Vitess database"},
		{"no host", "mysql://root:hunter2@/guestlist", "must look like"},
		{"no database", "mysql://root:hunter2@db.example", "must name a database"},
		{"a slash and no database", "mysql://root:hunter2@db.example/", "must name a database"},
		{"a DSN without a database", "root:hunter2@tcp(db.example:3306)/", "must name a database"},
		{"a DSN without a slash", "root:hunter2@tcp(db.example:3306)", "is not a go-sql-driver DSN"},
		{"a network that there is not", "root:hunter2@tpc(db.example)/guestlist", "tcp(host:port) or unix(path)"},
		{"a network that would escape TLS", "root:hunter2@tcp6(db.example:3306)/guestlist", "tcp(host:port) or unix(path)"},
		{"a TLS mode that there is not", "root:hunter2@tcp(db.example)/guestlist?tls=hunter2", "is not a go-sql-driver DSN"},
		{"words", "hunter2", "is not a go-sql-driver DSN"},
		{"nothing", "", "must name a database"},
		{"a parameter that is not known", "mysql://root:hunter2@db.example/guestlist?sslcert=hunter2", "unknown parameter"},
		{"a value that is not known", "mysql://root:hunter2@db.example/guestlist?tls=hunter2", "unknown parameter"},
		{"parameters that are none", "mysql://root:hunter2@db.example/guestlist?%zz", "unknown parameter"},
		{"TLS on and off", "mysql://root:hunter2@db.example/guestlist?tls=true&ssl=false", "contradict"},
		{"TLS on and off by one name", "mysql://root:hunter2@db.example/guestlist?tls=false&tls=true", "contradict"},
		{"a password with # that was not escaped", "mysql://root:#hunter2@db.example/guestlist", "must name a database"},
		{"a password with / that was not escaped", "mysql://root:/hunter2@db.example/guestlist", ""},
		{"a password with ? that was not escaped", "mysql://root:1?hunter2@db.example/guestlist", "unknown parameter"},
		{"a password with ? and = that was not escaped", "mysql://root:1?hunter2=x@db.example/guestlist", "unknown parameter"},
		{"a password with % that was not escaped", "mysql://root:%hunter2@db.example/guestlist", "must look like"},
		{"a password with a space", "mysql://root: hunter2@db.example:x/guestlist", "must look like"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := ParseMySQL(r.url)
			if r.want == "" { // parsed differently than intended, but without the secret
				if err == nil && cfg.Addr == "db.example:3306" {
					t.Errorf("reaches %s", cfg.Addr)
				}
				return
			}
			if err == nil {
				t.Fatalf("understood as %+v", cfg)
			}
			if !strings.Contains(err.Error(), r.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("got %q, want %q", err, r.want)
			}
		})
	}
}

func TestParsePath_DocumentedForms(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"sqlite:data/guestlist.db":       "data/guestlist.db",
		"sqlite:/var/lib/guestlist.db":   "/var/lib/guestlist.db",
		"sqlite:///var/lib/guestlist.db": "/var/lib/guestlist.db",
		"sqlite://guestlist.db":          "guestlist.db",
		"sqlite:":                        "",
	} {
		if got, ok := ParsePath(url); got != want || !ok {
			t.Errorf("%s: %q, %v", url, got, ok)
		}
	}
	for _, url := range []string{"", "data/guestlist.db", "mysql://root@localhost/sqlite:x", "SQLITE:x"} {
		if got, ok := ParsePath(url); ok {
			t.Errorf("%q is taken for the file %q", url, got)
		}
	}
}

// A secret stays one in whatever shape it is misplaced, and no remote server is
// reached in clear unless the text says so.
func FuzzParseMySQL(f *testing.F) {
	f.Add("mysql://root:", "secret-password", "@db.example/guestlist")
	f.Add("root:", "secret-password", "@tcp(db.example:3306)/guestlist")
	f.Add("mysql://root:", "secret-password", "@db.example/guestlist?sslaccept=strict")
	f.Add("mysql://root:1?", "secret-password", "=x@db.example/guestlist")
	f.Add("root:", "secret-password", "@tcp(db.example:3306)/guestlist?tls=skip-verify")
	f.Add("root@unix(/tmp/sock)/db?tls=", "secret-password", "")
	f.Add("mysql://root@localhost/guestlist?ssl=", "secret-password", "&ssl=false")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		cfg, err := ParseMySQL(before + secret + after)
		if err != nil {
			const ours = "user:password@tcp(host:3306)/database mysql://user:password@host/database parameter understood contradict"
			if len(secret) > 9 && !strings.Contains(ours, secret) && strings.Contains(err.Error(), secret) {
				t.Errorf("%q tells the secret", err)
			}
			return
		}
		if cfg.DBName == "" {
			t.Error("no database")
		}
		if cfg.Net != "tcp" || netutil.IsLoopback(cfg.Addr) || cfg.TLSConfig == "true" {
			return
		}
		// Less than a verified certificate must be requested explicitly.
		text := strings.ToLower(before + secret + after)
		if mentionsTLS := strings.Contains(text, "tls") || strings.Contains(text, "ssl"); !mentionsTLS || cfg.TLSConfig == "" {
			t.Errorf("%s is reached with TLS %q", cfg.Addr, cfg.TLSConfig)
		}
	})
}

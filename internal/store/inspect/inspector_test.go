package inspect

import (
	"testing"

	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

func TestNewServer(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"11.4.2-MariaDB-ubu2404": "MariaDB 11.4.2",
		"8.4.3":                  "MySQL 8.4.3",
		"8.0.40-Vitess":          "Vitess (as MySQL 8.0.40)",
		"8.0.34-PlanetScale":     "Vitess (as MySQL 8.0.34)",
	} {
		server := newServer(version)
		if got := server.Engine + " " + server.Version; got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	for databaseURL, want := range map[string]string{
		"mysql://u:p@db.example.com/guestlist":                                "over TLS",
		"mysql://u:p@aws.connect.psdb.cloud/guestlist?sslaccept=strict":       "over TLS",
		"mysql://u:p@db.example.com/guestlist?sslaccept=accept_invalid_certs": "! over TLS, without checking the server's certificate",
		"mysql://u:p@db.example.com/guestlist?tls=false":                      "! without TLS",
		"u:p@tcp(db.example.com:3306)/guestlist?tls=preferred":                "! over TLS if the server offers it, unencrypted otherwise",
		"mysql://u:p@127.0.0.1/guestlist":                                     "without TLS, on this machine",
		"u:p@unix(/run/mysqld/mysqld.sock)/guestlist":                         "without TLS, on this machine",
	} {
		cfg, err := dbconn.ParseMySQL(databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		got, exposed := transport(cfg)
		if exposed {
			got = "! " + got
		}
		if got != want {
			t.Errorf("%s: %s", databaseURL, got)
		}
	}
}

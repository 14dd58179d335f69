package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

// These are not parallel: they stand in a folder of their own, where no .env is.

func TestACommandDoesWhatItIsAskedAndEnds(t *testing.T) {
	t.Chdir(t.TempDir())
	database := testdb.SQLite(t)
	for _, row := range []struct {
		name    string
		args    []string
		environ []string
		want    []string
	}{
		{"version", []string{"version"}, nil, []string{"guestlist "}},
		{"version, whatever the environment holds", []string{"version"}, []string{"GUESTLIST_ADDR=nonsense"}, []string{"guestlist "}},
		{"help", []string{"help"}, nil, []string{"--database-url", "GUESTLIST_BASE_URL"}},
		{"config, with secrets masked", []string{"config"}, []string{"GUESTLIST_COOKIE_KEYS=" + oneKey}, []string{"GUESTLIST_COOKIE_KEYS", "********", "sqlite:data/guestlist.db"}},
		{"migrate, on an empty database", []string{"migrate", "--database-url=" + database}, nil, []string{"migrations applied; the database is up to date"}},
		{"migrate, with nothing to do", []string{"migrate", "--database-url=" + database}, nil, []string{"0 migrations applied"}},
		{"why, about somebody who is not on the list", []string{"why", "Ada@Example.com", "--guestlist-admins=grace@example.com", "--database-url=" + database}, nil, []string{
			"ada@example.com: nobody on the list has this address\n! This address is not on the list.\n  Invite them",
		}},
		{"config --stytch-env", []string{"config", "--stytch-env", "--database-url=" + database}, nil, []string{
			"STYTCH_PROJECT_ID=project-test-", "\nSTYTCH_SECRET=secret-test-", "\nSTYTCH_BASE_URL=http://localhost:8080\n",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if err := run(t.Context(), row.args, row.environ, &stdout, &stderr); err != nil {
				t.Fatal(err)
			}
			for _, want := range row.want {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, &stdout)
				}
			}
			if strings.Contains(stdout.String(), oneKey) {
				t.Errorf("it tells a secret:\n%s", &stdout)
			}
		})
	}
}

func TestWhatCannotBeRightStopsTheProgramWithASentence(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, row := range []struct {
		name    string
		args    []string
		environ []string
		want    string
	}{
		{"an unknown setting", nil, []string{"GUESTLIST_COLOUR=red"}, "GUESTLIST_COLOUR"},
		{"an unknown command", []string{"dance"}, nil, `"dance" is not a command`},
		{"half of Stytch", nil, []string{"STYTCH_SECRET=secret-test-1"}, "STYTCH_PROJECT_ID is missing"},
		{"the stand-in for all the world", nil, []string{"GUESTLIST_ADDR=:8080"}, "STYTCH_PROJECT_ID and STYTCH_SECRET must be set"},
		{"an administrator without an address", nil, []string{"GUESTLIST_ADDR=127.0.0.1:0", "GUESTLIST_ADMINS=ada"}, `"ada" is none`},
		{"a database of an unknown kind", nil, []string{"GUESTLIST_ADDR=127.0.0.1:0", "DATABASE_URL=oracle://x"}, "DATABASE_URL"},
		{"credentials of a stand-in that is not used", []string{"config", "--stytch-env"}, []string{"STYTCH_PROJECT_ID=project-test-1", "STYTCH_SECRET=secret-test-1"}, "in local mode only"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := run(t.Context(), row.args, row.environ, &stdout, &stderr)
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

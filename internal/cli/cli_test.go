package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// The tests of Run are not parallel: they change the working directory to one without .env.

func TestRun_Output(t *testing.T) {
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
		{"help", []string{"help"}, nil, []string{"--database-url", "GUESTLIST_BASE_URL", "config", "migrate up", "exit status"}},
		{"help, asked by a flag and whatever the environment holds", []string{"migrate", "--help"}, []string{"GUESTLIST_LOG=loud"}, []string{"Apply pending migrations", "Examples:\n  guestlist migrate"}},
		{"help about one command", []string{"help", "why"}, nil, []string{"guestlist why ADDRESS", "--json"}},
		{"flags before the command", []string{"--port", "9000", "config"}, nil, []string{"127.0.0.1:9000"}},
		{"config, for programs", []string{"config", "--json"}, []string{"GUESTLIST_COOKIE_KEYS=" + harness.CookieKey}, []string{
			`{"settings":[{"name":"DATABASE_URL","value":"sqlite:data/guestlist.db","source":"default"}`,
			`{"name":"GUESTLIST_COOKIE_KEYS","value":"********","source":"environment"}`, `{"name":"SMTP_URL","value":null,"source":"default"}`,
		}},
		{"version, for programs", []string{"version", "--json"}, nil, []string{`"go":"go1.`, `"commit":"`, `"time":"`}},
		{"completion", []string{"completion", "bash"}, nil, []string{"bash completion V2 for guestlist"}},
		{"config, with secrets masked", []string{"config"}, []string{"GUESTLIST_COOKIE_KEYS=" + harness.CookieKey}, []string{"GUESTLIST_COOKIE_KEYS", "********", "sqlite:data/guestlist.db"}},
		{"migrate, on an empty database", []string{"migrate", "--database-url=" + database}, nil, []string{"migrations applied; the database is up to date"}},
		{"migrate, with nothing to do", []string{"migrate", "--database-url=" + database}, nil, []string{"0 migrations applied"}},
		{"why, for an unknown address", []string{"why", "Ada@Example.com", "--guestlist-admins=grace@example.com", "--database-url=" + database}, nil, []string{
			"ada@example.com: no one on the list has this address\n! This address is not on the list.\n  Invite them",
		}},
		{"config --stytch-env", []string{"config", "--stytch-env", "--database-url=" + database}, nil, []string{
			"STYTCH_PROJECT_ID=project-test-", "\nSTYTCH_SECRET=secret-test-", "\nSTYTCH_PUBLIC_TOKEN=public-token-test-", "\nSTYTCH_BASE_URL=http://localhost:8080\n", "\nINBOX_URL=http://localhost:8080/dev/inbox.json?key=",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if err := harness.RunCommand(t.Context(), row.args, row.environ, nil, &stdout, &stderr); err != nil {
				t.Fatal(err)
			}
			for _, want := range row.want {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, &stdout)
				}
			}
			if strings.Contains(stdout.String(), harness.CookieKey) {
				t.Errorf("it tells a secret:\n%s", &stdout)
			}
		})
	}
}

func TestRun_UsageErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, row := range []struct {
		name    string
		args    []string
		environ []string
		want    string
	}{
		{"an unknown setting", nil, []string{"GUESTLIST_COLOUR=red"}, "GUESTLIST_COLOUR"},
		{"an unknown command", []string{"dance"}, nil, `unknown command "dance" for guestlist; see "guestlist --help"`},
		{"a command misspelt", []string{"migrte"}, nil, `unknown command "migrte" for guestlist, did you mean migrate?`},
		{"a command of another", []string{"migrate", "serve"}, nil, `unknown command "serve" for guestlist migrate`},
		{"a word that a command does not take", []string{"serve", "now"}, nil, `guestlist serve doesn't take the argument "now"`},
		{"help about what there is not", []string{"help", "dance"}, nil, `unknown command "dance" for guestlist`},
		{"a shell that there is not", []string{"completion", "dash"}, nil, `unknown command "dash" for guestlist completion, did you mean bash?`},
		{"no shell", []string{"completion"}, nil, "guestlist completion needs a subcommand: bash, fish, powershell, zsh"},
		{"an unknown flag, which may be a secret's", []string{"--databse-url=mysql://user:hush@db/x"}, nil, `--databse-url isn't a flag of guestlist; see "guestlist --help"`},
		{"a flag with one dash, which may be a secret's", []string{"-database-url=mysql://user:hush@db/x"}, nil, `flags are written --name or --name=value`},
		{"a flag without its value", []string{"config", "--port"}, nil, "--port needs a value"},
		{"a flag with a value it can't have", []string{"version", "--json=hush"}, nil, "--json has an invalid value"},
		{"a flag of another command", []string{"migrate", "--apply"}, nil, "--apply isn't a flag of guestlist migrate"},
		{"why, without an address", []string{"why"}, nil, "guestlist why needs one email address"},
		{"why, about two", []string{"why", "a@example.com", "b@example.com"}, nil, "guestlist why needs one email address"},
		{"why, about no address", []string{"why", "ada"}, nil, `"ada" is not an email address`},
		{"half of Stytch", nil, []string{"STYTCH_SECRET=secret-test-1"}, "STYTCH_PROJECT_ID must be set"},
		{"the local Stytch for other machines", nil, []string{"GUESTLIST_ADDR=:8080"}, "STYTCH_PROJECT_ID and STYTCH_SECRET, or GUESTLIST_LOCAL_STYTCH=on, must be set"},
		{"an administrator without an address", nil, []string{"GUESTLIST_ADDR=127.0.0.1:0", "GUESTLIST_ADMINS=ada"}, `"ada" isn't one`},
		{"metrics at an address that is another machine's", nil, []string{"GUESTLIST_ADDR=127.0.0.1:0", "GUESTLIST_METRICS_ADDR=192.0.2.1:9090"}, "GUESTLIST_METRICS_ADDR can't be used: 192.0.2.1:9090 isn't an address of this machine"},
		{"a database of an unknown kind", nil, []string{"GUESTLIST_ADDR=127.0.0.1:0", "DATABASE_URL=oracle://x"}, "DATABASE_URL"},
		{"credentials of a stand-in that is not used", []string{"config", "--stytch-env"}, []string{"STYTCH_PROJECT_ID=project-test-1", "STYTCH_SECRET=secret-test-1"}, "in local mode only"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := harness.RunCommand(t.Context(), row.args, row.environ, nil, &stdout, &stderr)
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hush") || stdout.Len()+stderr.Len() > 0 {
				t.Errorf("got %v, want %q, and nothing written but %q %q", err, row.want, &stdout, &stderr)
			}
		})
	}
}

package repo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// reader runs the commands in the docs, in an empty directory.
type reader struct {
	t     *testing.T
	dir   string
	site  *harness.Site
	token string // an API token of the site
}

// example says how to run a block of commands.
type example struct {
	page, part   string                   // the page, and a part of the block
	replacements func(r *reader) []string // old, new pairs for the placeholders in the block
	want         string                   // a part of the output
}

// examples has a row for each block that runs. Blocks with settings only, and those with external
// programs, need none.
var examples = []example{
	{"README.md", "make test", func(r *reader) []string {
		root, err := os.Getwd()
		if err != nil {
			r.t.Fatal(err)
		}
		return []string{"go run .", "cd '" + root + "'; go run . --database-url 'sqlite:" + r.dir + "/guestlist.db' users list", "make test", "make help"}
	}, "make test"},
	{"README.md", "GUESTLIST_APPS", func(*reader) []string { return []string{"go run .", "guestlist config"} }, "http://tool.localhost:8080 -> http://127.0.0.1:3000"},
	{"README.md", "users invite", func(*reader) []string { return nil }, "ada@example.com"},
	{"docs/import.md", "mysql --batch", func(r *reader) []string {
		return []string{"mysql --batch -e 'SELECT id, name, email FROM users' example", `printf 'id\tname\temail\n7\tAda\tada@example.com\n'`}
	}, "Added 1 person"},
	{"docs/modes.md", "faults.json", func(r *reader) []string { // changes the site
		s := harness.Start(r.t, testdb.SQLite(r.t), harness.NewClock(harness.Noon))
		return []string{"localhost:8080", s.URL, "KEY", s.DevKey()}
	}, `"/v1/magic_links/*"`},
	{"docs/api.md", "/api/users?q=ada", asProgram, "magic link sent"},
	{"docs/api.md", "Idempotency-Key", asProgram, "magic link sent"},
	{"docs/api.md", `"groups":["Staff"]`, asProgram, "magic link sent"},
	{"docs/releasing.md", "SHA256SUMS", func(r *reader) []string {
		r.write("a.tar.gz", "abc")
		r.write("SHA256SUMS", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.tar.gz\n"+strings.Repeat("0", 64)+"  b.zip\n")
		return nil
	}, "a.tar.gz: OK"},
	{"docs/backup.md", "guestlist backup", func(*reader) []string { return []string{"/var/backups/", "./"} }, "guestlist.db"},
	{"docs/identity.md", "rotate-identity", func(*reader) []string { return nil }, "signs from"},
	{"docs/openid.md", "--recipe grafana", func(*reader) []string { return nil }, "glcs_"},
	{"docs/protect-a-tool.md", "guestlist doctor --app", func(r *reader) []string {
		databaseURL, tool := testdb.SQLite(r.t), harness.StartTool(r.t)
		s := harness.Start(r.t, databaseURL, harness.NewClock(harness.Noon))
		origin := event.Origin{Actor: event.Operator("test")}
		if _, err := s.App.Apps.Create(r.t.Context(), origin, apps.Input{
			Name: "Wiki", URL: "http://127.0.0.1:" + s.Config.BaseURL.Port(), Audience: "everyone", Upstream: tool.URL,
		}); err != nil {
			r.t.Fatal(err)
		}
		r.write("token.txt", "guestlist_app_none")
		return []string{"http://127.0.0.1:3000", tool.URL, "guestlist doctor", "DATABASE_URL=" + databaseURL + " GUESTLIST_ADDR=" + s.Config.Addr + " GUESTLIST_BASE_URL=" + s.URL + " guestlist doctor"}
	}, "asked by its built-in proxy"},
	{"docs/recovery.md", "users reset-factors", func(*reader) []string {
		return []string{"guestlist users", "guestlist users invite ada@example.com; guestlist users"}
	}, "ada@example.com has no passkeys"},
	{"docs/recovery.md", "users link", func(*reader) []string {
		return []string{"guestlist users", "guestlist users invite ada@example.com; guestlist users"}
	}, "This link signs ada@example.com in once"},
	{"docs/moving.md", "guestlist copy", func(r *reader) []string {
		return []string{"mysql://user:password@host/guestlist?sslaccept=strict", testdb.MySQL(r.t)}
	}, "users"},
	{"docs/deploying.md", "exec guestlist users list", func(r *reader) []string {
		for _, b := range blocks(readText(r.t, "docs/deploying.md")) {
			if strings.Contains(b.text, "SMTP_URL") {
				r.write("guestlist.env", b.text)
			}
		}
		return []string{"/etc/guestlist.env", "./guestlist.env", "/var/lib/guestlist", "."}
	}, "NAME"},
}

func asProgram(r *reader) []string {
	return []string{"guestlist_…", r.token, "https://list.example.com", r.site.URL}
}

func TestDocs_CommandsRun(t *testing.T) {
	t.Parallel()
	site := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := site.NewPerson("ada@example.com")
	ada.SignIn()
	token := ada.MakeToken("the documents", "write", "7")
	used := map[string]bool{}
	eachPage(t, func(page, text string) {
		for _, b := range blocks(text) {
			i := slices.IndexFunc(examples, func(row example) bool { return row.page == page && strings.Contains(b.text, row.part) })
			if i >= 0 {
				used[examples[i].page+examples[i].part] = true
			}
			t.Run(fmt.Sprintf("%s:%d", page, b.line), func(t *testing.T) {
				r := &reader{t, t.TempDir(), site, token}
				switch {
				case i >= 0:
					r.requirePrograms(b)
					r.sh("guestlist migrate")
					if out := r.sh(strings.NewReplacer(examples[i].replacements(r)...).Replace(b.text)); !strings.Contains(out, examples[i].want) {
						t.Errorf("the output lacks %q: %s", examples[i].want, out)
					}
				case hasSettingsOnly(b.text):
					const standalone = "GUESTLIST_LOCAL_STYTCH=on SMTP_URL=smtps://mail.example.com " // a public address needs them
					for line := range strings.Lines(b.text) {
						r.sh(standalone + strings.TrimSpace(line) + " guestlist config")
					}
				case !needsExternal(b.text):
					t.Error("this block is not run: add a row to examples")
				}
			})
		}
	})
	for _, row := range examples {
		if !used[row.page+row.part] {
			t.Errorf("%s has no block with %q", row.page, row.part)
		}
	}
}

func hasSettingsOnly(block string) bool {
	return !slices.ContainsFunc(commands(block), func(command string) bool { return len(commandWords(command)) > 0 })
}

func needsExternal(block string) bool {
	return slices.ContainsFunc(commands(block), func(command string) bool {
		w := commandWords(command)
		return len(w) > 0 && externalPrograms[w[0]]
	})
}

// requirePrograms skips the test if a common program is missing, or fails it on CI.
func (r *reader) requirePrograms(b commandBlock) {
	r.t.Helper()
	for _, command := range commands(b.text) {
		if w := commandWords(command); len(w) > 0 && commonPrograms[w[0]] {
			if _, err := exec.LookPath(w[0]); err != nil && os.Getenv("CI") == "true" {
				r.t.Fatal(err)
			} else if err != nil {
				r.t.Skip(err)
			}
		}
	}
}

func (r *reader) write(name, text string) {
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// sh runs shell commands, in which guestlist is the program under test, and returns their output.
func (r *reader) sh(commands string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "sh", "-ec", commands)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Errorf("%s: %v\n%s", commands, err, out)
	}
	return string(out)
}

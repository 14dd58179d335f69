package repo

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// reader runs what stands in the documents: in a folder with a new list, beside a
// site where an administrator has made a token.
type reader struct {
	t     *testing.T
	dir   string
	site  *harness.Site
	token string
}

// example is how a block of commands is run. theirs returns what in it stands for something
// of the reader's own, and behind each of these what stands for it here.
type example struct {
	page, part string
	theirs     func(r *reader) []string
	says       string
}

// examples has a row for each block that is not of settings alone, and for no block that
// needs a program which is not here, unless another can stand for it.
var examples = []example{
	{"README.md", "go run .", func(r *reader) []string {
		root, err := os.Getwd()
		if err != nil {
			r.t.Fatal(err)
		}
		return []string{"go run .", "cd '" + root + "'; go run . --database-url 'sqlite:" + r.dir + "/guestlist.db' users list", "make test", "make help"}
	}, "make test"},
	{"README.md", "users invite", func(*reader) []string { return nil }, "ada@example.com"},
	{"docs/import.md", "mysql --batch", func(r *reader) []string {
		return []string{"mysql --batch -e 'SELECT id, name, email FROM users' example", `printf 'id\tname\temail\n7\tAda\tada@example.com\n'`}
	}, "Added 1 person"},
	{"docs/modes.md", "faults.json", func(r *reader) []string { // on a site that nobody else needs
		s := harness.Start(r.t, testdb.SQLite(r.t), harness.NewClock(harness.Noon))
		return []string{"localhost:8080", s.URL, "KEY", s.DevKey()}
	}, `"/v1/magic_links/*"`},
	{"docs/api.md", "/api/users?q=ada", asProgram, "magic link sent"},
	{"docs/api.md", "Idempotency-Key", asProgram, "magic link sent"},
	{"docs/releasing.md", "SHA256SUMS", func(r *reader) []string {
		r.write("a.tar.gz", "abc")
		r.write("SHA256SUMS", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.tar.gz\n"+strings.Repeat("0", 64)+"  b.zip\n")
		return nil
	}, "a.tar.gz: OK"},
	{"docs/backup.md", "guestlist backup", func(*reader) []string { return []string{"/var/backups/", "./"} }, "guestlist.db"},
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

func TestCommandsInTheDocsDoWhatTheySay(t *testing.T) {
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
					r.has(b)
					r.sh("guestlist migrate")
					if out := r.sh(strings.NewReplacer(examples[i].theirs(r)...).Replace(b.text)); !strings.Contains(out, examples[i].says) {
						t.Errorf("it does not say %q: %s", examples[i].says, out)
					}
				case isOfSettings(b.text):
					const standalone = "GUESTLIST_LOCAL_STYTCH=on SMTP_URL=smtps://mail.example.com " // without which a public address is none
					for line := range strings.Lines(b.text) {
						r.sh(standalone + strings.TrimSpace(line) + " guestlist config")
					}
				case !needsOthers(b.text):
					t.Error("nothing runs this; it needs a row")
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

func isOfSettings(block string) bool {
	return !slices.ContainsFunc(commands(block), func(command string) bool { return len(said(command)) > 0 })
}

func needsOthers(block string) bool {
	return slices.ContainsFunc(commands(block), func(command string) bool {
		w := said(command)
		return len(w) > 0 && others[w[0]]
	})
}

// has skips the test where a program is missing that is common, but not in CI.
func (r *reader) has(b commandBlock) {
	r.t.Helper()
	for _, command := range commands(b.text) {
		if w := said(command); len(w) > 0 && common[w[0]] {
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

// sh runs what a shell is given, in which guestlist is the program under test.
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

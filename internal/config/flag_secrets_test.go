package config

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFlagSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret, empty, large := file("secret", " secret-test-hush\n"), file("empty", "\n"), file("large", strings.Repeat("x", maxSecret+1))
	warning := func(flag, name string) []string {
		return []string{"--" + flag + " exposes its value in the process list to every user of this machine: use --" + flag + "=@FILE, --" + flag + "=- for standard input, or " + name + " in the environment"}
	}
	project := "--stytch-project-id=project-test-1"
	for _, row := range []struct {
		name  string
		args  []string
		input string
		want  string // of the error
		warns []string
		check func(Config) string // the value used
		is    string
	}{
		{name: "a file", args: []string{project, "--stytch-secret=@" + secret}, check: func(c Config) string { return c.Stytch.Secret }, is: "secret-test-hush"},
		{name: "standard input", args: []string{project, "--stytch-secret=-"}, input: "secret-test-hush\r\n", check: func(c Config) string { return c.Stytch.Secret }, is: "secret-test-hush"},
		{name: "plainly", args: []string{project, "--stytch-secret=secret-test-hush"}, warns: warning("stytch-secret", "STYTCH_SECRET"), check: func(c Config) string { return c.Stytch.Secret }, is: "secret-test-hush"},
		{name: "an address with a password, plainly", args: []string{"--database-url=mysql://u:hush@db.example.com/x"}, warns: warning("database-url", "DATABASE_URL"),
			check: func(c Config) string { return c.DatabaseURL }, is: "mysql://u:hush@db.example.com/x"},
		{name: "an address without a password", args: []string{"--database-url=sqlite:x.db", "--smtp-url=smtp://mail.example.com"}, check: func(c Config) string { return c.DatabaseURL }, is: "sqlite:x.db"},
		{name: "an address from a file", args: []string{"--database-url=@" + file("address", "mysql://u:hush@db.example.com/x\n")}, check: func(c Config) string { return c.DatabaseURL }, is: "mysql://u:hush@db.example.com/x"},
		{name: "a DSN without a user", args: []string{"--database-url=@tcp(127.0.0.1:3306)/x"}, check: func(c Config) string { return c.DatabaseURL }, is: "@tcp(127.0.0.1:3306)/x"},
		{name: "a setting that is no secret", args: []string{"--guestlist-mail-from=@" + secret}, want: `GUESTLIST_MAIL_FROM must be one ASCII address, such as Guestlist <guestlist@example.com>, not "@` + secret + `"`},
		{name: "an empty flag", args: []string{"--stytch-secret="}, check: func(c Config) string { return c.Stytch.Secret }},

		{name: "a file that is missing", args: []string{project, "--stytch-secret=@" + dir + "/none"}, want: `STYTCH_SECRET can't be read from the file "` + dir + `/none": no such file or directory`},
		{name: "a directory", args: []string{project, "--stytch-secret=@" + dir}, want: `STYTCH_SECRET can't be read from the file "` + dir + `": is a directory`},
		{name: "a file without anything", args: []string{project, "--stytch-secret=@" + empty}, want: `STYTCH_SECRET can't be read from the file "` + empty + `": it is empty`},
		{name: "a file of another kind", args: []string{project, "--stytch-secret=@" + large}, want: `STYTCH_SECRET can't be read from the file "` + large + `": it is larger than 64 KB`},
		{name: "no standard input", args: []string{project, "--stytch-secret=-"}, want: "STYTCH_SECRET can't be read from standard input: it is empty"},
		{name: "standard input twice", args: []string{project, "--stytch-secret=-", "--guestlist-cookie-keys=-"}, input: "secret-test-hush", want: "GUESTLIST_COOKIE_KEYS can't be read from standard input, because STYTCH_SECRET is read from it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, err := Load(Sources{Flags: given(t, row.args...), Input: io.NopCloser(strings.NewReader(row.input))})
			if errorText(err) != row.want {
				t.Fatalf("error:\n%v\nwant:\n%s", err, row.want)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(row.warns, c.Warnings); diff != "" {
				t.Error(diff)
			}
			if got := row.check(c); got != row.is {
				t.Errorf("got %q", got)
			}
		})
	}
}

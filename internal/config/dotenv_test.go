package config

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestDotEnv_Values covers the ways in which people write .env files.
func TestDotEnv_Values(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, file string
		want       map[string]string
	}{
		{"nothing", "", map[string]string{}},
		{"a dollar and a word", "A=pa$Word12\n", map[string]string{"A": "pa$Word12"}},
		{"a dollar and a word in double quotes", `A="pa$Word12"`, map[string]string{"A": "pa$Word12"}},
		{"a dollar and a word in single quotes", `A='pa$Word12'`, map[string]string{"A": "pa$Word12"}},
		{"a dollar and braces", "A=${B}x\nB=1\nC=\"${B}\"\nD='${B}'\nE=$(id)`id`\n", map[string]string{"A": "${B}x", "B": "1", "C": "${B}", "D": "${B}", "E": "$(id)`id`"}},
		{"the name of another setting after a dollar", "PORT=9000\nSMTP_URL=smtp://u:$PORT@h:25\n", map[string]string{"PORT": "9000", "SMTP_URL": "smtp://u:$PORT@h:25"}},
		{"a backslash and a dollar", `A=pa\$Word` + "\n" + `B='pa\$Word'`, map[string]string{"A": `pa\$Word`, "B": `pa\$Word`}},
		{"what a shell takes for one character in double quotes", `A="a\$b\"c\\d\` + "`" + `e"`, map[string]string{"A": `a$b"c\d` + "`" + `e`}},
		{"other backslashes in double quotes", `A="C:\new\table"`, map[string]string{"A": `C:\new\table`}},
		{"backslashes without quotes", `A=C:\new\\table\`, map[string]string{"A": `C:\new\\table\`}},
		{"export", "export A=1\n  export\tB = 2\nexport=3\n", map[string]string{"A": "1", "B": "2", "export": "3"}},
		{"spaces around the equals sign", "A = 1\n\tB=\t2\t\nC= 'c' \n", map[string]string{"A": "1", "B": "2", "C": "c"}},
		{"spaces at the end", "A=1  \nB=\"b\"  \n", map[string]string{"A": "1", "B": "b"}},
		{"spaces inside", "A=Club A$B <login@example.com>\n", map[string]string{"A": "Club A$B <login@example.com>"}},
		{"more equals signs", "A=b=c==\n", map[string]string{"A": "b=c=="}},
		{"comments", "# A=0\n   # B=0\nA=1 # one\nB=\"2\" # two\nC='3'# three\nD=4\t# four\n", map[string]string{"A": "1", "B": "2", "C": "3", "D": "4"}},
		{"a number sign inside a value", "A=a#b\nB='a #b'\nC=\"a #b\"\nD=#d\nE=a#b # c\n", map[string]string{"A": "a#b", "B": "a #b", "C": "a #b", "D": "#d", "E": "a#b"}},
		{"no value but a comment", "A= # nothing\n", map[string]string{"A": ""}},
		{"empty values", "A=\nB=''\nC=\"\"\nD=  \n", map[string]string{"A": "", "B": "", "C": "", "D": ""}},
		{"a name twice", "A=1\nA=2\n", map[string]string{"A": "2"}},
		{"quotes inside a value", `A=it's "so"` + "\n" + `B='say "so"'` + "\n" + `C="it's"`, map[string]string{"A": `it's "so"`, "B": `say "so"`, "C": "it's"}},
		{"several lines in quotes", "A=\"one,\ntwo\"\nB='three,\n# four\n'\nC=5", map[string]string{"A": "one,\ntwo", "B": "three,\n# four\n", "C": "5"}},
		{"CRLF", "A=1\r\nB='2'\r\n\r\n# c\r\nC=\"3,\r\n4\"\r\n", map[string]string{"A": "1", "B": "2", "C": "3,\n4"}},
		{"CR alone", "A=1\rB=2\r", map[string]string{"A": "1", "B": "2"}},
		{"a byte order mark", "\ufeffA=1\nB=2\n", map[string]string{"A": "1", "B": "2"}},
		{"a byte order mark and a comment", "\ufeff# A=1\r\nB=2", map[string]string{"B": "2"}},
		{"nothing but a byte order mark", "\ufeff", map[string]string{}},
		{"a byte order mark in a value", "A=\ufeff1", map[string]string{"A": "\ufeff1"}},
		{"letters of any language", "A=Café Łódź 🎉\n", map[string]string{"A": "Café Łódź 🎉"}},
		{"a space that doesn't break", "A=\u00a0x\u00a0\n", map[string]string{"A": "x"}},
		{"names of other programs", "a.b-c=1\n_X=2\n", map[string]string{"a.b-c": "1", "_X": "2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := readDotEnv(writeDotEnv(t, row.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDotEnv_Refusals(t *testing.T) {
	t.Parallel()
	const notepad = `save it as UTF-8 (in Notepad: "Save as", encoding UTF-8)`
	for _, row := range []struct{ name, file, want string }{
		{"a line without an equals sign", "A=1\n\nhush\n", "line 3 must be NAME=value, or a comment that begins with #"},
		{"only a name after export", "export HUSH\n", "line 1 must be NAME=value, or a comment that begins with #"},
		{"a colon in place of the equals sign", "A: hush\n", "line 1 must be NAME=value, or a comment that begins with #"},
		{"no name", "=hush\n", "line 1 must be NAME=value, or a comment that begins with #"},
		{"two words for a name", "set A=hush\n", "line 1 must be NAME=value, or a comment that begins with #"},
		{"a quoted name", "'A'=hush\n", "line 1 must be NAME=value, or a comment that begins with #"},
		{"single quotes left open", "A=1\nB='hush\nC=3\n", "line 2 opens a quote that is never closed"},
		{"double quotes left open", "B=\"hush\\\"\nC=3\n", "line 1 opens a quote that is never closed"},
		{"quotes that a later line closes", "A='hush\nB='hush'\n", "line 1 begins a quoted value with text after the closing quote"},
		{"text after the quotes", "A=\"hush\"hush\n", "line 1 begins a quoted value with text after the closing quote"},
		{"an error after a value of several lines", "A='1\n2\n3'\nhush\n", "line 4 must be NAME=value, or a comment that begins with #"},
		{"an error after a byte order mark", "\ufeffhush\n", "line 1 must be NAME=value, or a comment that begins with #"},
		{"UTF-16, low byte first", "\xff\xfeA\x00=\x001\x00", "is UTF-16 or not text: " + notepad},
		{"UTF-16, high byte first", "\xfe\xff\x00A\x00=\x001", "is UTF-16 or not text: " + notepad},
		{"UTF-16 without a mark", "A\x00=\x001\x00", "is UTF-16 or not text: " + notepad},
		{"another encoding", "A=Caf\xe9\n", "is not UTF-8: " + notepad},
		{"a file of another kind", strings.Repeat("A=hush\n", 200_000), "is larger than 1 MB and can't be a .env file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := writeDotEnv(t, row.file)
			_, wrong := LoadAll(Sources{DotEnv: path})
			if len(wrong) == 0 {
				t.Fatal("there is no error")
			}
			if got, want := wrong[0].Err.Error(), path+" "+row.want; got != want {
				t.Errorf("error:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestDotEnv_MissingFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if got, err := readDotEnv(filepath.Join(dir, ".env")); err != nil || len(got) > 0 {
		t.Errorf("a missing file: %v, %v", got, err)
	}
	if _, err := readDotEnv(dir); err == nil || err.Error() != dir+" must be a regular file with lines of NAME=value" {
		t.Errorf("a directory: %v", err)
	}
}

// FuzzDotEnv checks that values are read as they are written.
func FuzzDotEnv(f *testing.F) {
	for _, text := range []string{"", "a", "pa$Word", "${HOME}", `a\$b`, `"`, `'`, "#", " # x", "x # y", "a\nb", "\r", "\ufeff", "=", `\`, "\x00", "\xff", "export A=1"} {
		f.Add(text, "A=1\n"+text)
	}
	f.Fuzz(func(t *testing.T, value, file string) {
		const hush = "Hush0123456789"
		if got, err := parseDotEnv([]byte(file + "\nX=" + hush)); err != nil && strings.Contains(err.Error(), hush) {
			t.Fatalf("the error quotes the file: %v", err)
		} else if err == nil {
			for name := range got {
				if name == "" || strings.ContainsAny(name, " \t\r\n=#'\"$") {
					t.Fatalf("%q is not a name", name)
				}
			}
		}
		if !utf8.ValidString(value) || strings.ContainsAny(value, "\x00\r") {
			return
		}
		if !strings.Contains(value, "'") {
			expectValue(t, "'"+value+"'", value)
		}
		expectValue(t, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(value)+`"`, value)
		if plain := strings.TrimSpace(value); !strings.ContainsAny(plain, "\n#") && !strings.HasPrefix(plain, "'") && !strings.HasPrefix(plain, `"`) {
			expectValue(t, plain, plain)
		}
	})
}

// expectValue checks how a written value is read.
func expectValue(t *testing.T, written, want string) {
	t.Helper()
	got, err := parseDotEnv([]byte("B=0\n export A = " + written + " # comment\nC=1\n"))
	if diff := cmp.Diff(map[string]string{"A": want, "B": "0", "C": "1"}, got); err != nil || diff != "" {
		t.Fatalf("%q: %v %s", written, err, diff)
	}
}

func TestDotEnv_RedirectedSecret(t *testing.T) {
	t.Parallel()
	const elsewhere = "STYTCH_BASE_URL=https://planted.example\n"
	stytch := func(from string) string {
		return "STYTCH_BASE_URL is set in .env, but STYTCH_SECRET isn't (" + from + "): a .env file can't redirect a secret that it doesn't contain; set both in one place"
	}
	for _, row := range []struct {
		name    string
		args    []string
		environ []string
		dotenv  string
		want    string // the error; empty for none
	}{
		{name: "the secret is in the environment", environ: atStytch, dotenv: elsewhere, want: stytch("environment")},
		{name: "the secret is a flag", args: []string{"--stytch-secret=hush"}, environ: atStytch, dotenv: elsewhere, want: stytch("flag")},
		{name: "the secret in .env is not the one in force", environ: atStytch, dotenv: elsewhere + "STYTCH_SECRET=secret-test-x\n", want: stytch("environment")},
		{name: "both are in .env", dotenv: elsewhere + strings.Join(atStytch, "\n")},
		{name: "the secret alone is in .env", environ: []string{"STYTCH_BASE_URL=https://login.example.com", atStytch[0]}, dotenv: atStytch[1]},
		{name: "the environment overrules the address in .env", environ: with(atStytch, "STYTCH_BASE_URL=https://login.example.com"), dotenv: elsewhere},
		{name: "the address in .env is empty", environ: atStytch, dotenv: "STYTCH_BASE_URL=\n"},
		{name: "the key of a service of traces", environ: []string{"OTEL_EXPORTER_OTLP_HEADERS=key=hush"}, dotenv: "OTEL_EXPORTER_OTLP_ENDPOINT=https://planted.example\n",
			want: "OTEL_EXPORTER_OTLP_ENDPOINT is set in .env, but OTEL_EXPORTER_OTLP_HEADERS isn't (environment): a .env file can't redirect a secret that it doesn't contain; set both in one place"},
		{name: "traces without a key", dotenv: "OTEL_EXPORTER_OTLP_ENDPOINT=https://traces.example\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(Sources{Flags: given(t, row.args...), Environ: row.environ, DotEnv: writeDotEnv(t, row.dotenv)})
			if got := errorText(err); got != row.want {
				t.Errorf("error:\n%s\nwant:\n%s", got, row.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// Sources is where settings come from.
type Sources struct {
	Args     []string // the command line, without the program's name
	Environ  []string // NAME=value, as os.Environ has it
	DotEnv   string   // path of a .env file, which may be missing; empty means none
	Terminal bool     // whether the log goes to one
}

// value is the text of a setting and the source that it came from.
type value struct{ text, source string }

// loader is a Config in the making, and what only its defaults need.
type loader struct {
	Config
	localStytch bool // GUESTLIST_LOCAL_STYTCH is on
	port        string
	fly         bool
	terminal    bool
}

// readArgs notes the command and returns the settings given as flags. Flags may
// stand before and after the command.
func (l *loader) readArgs(args []string) (map[string]string, error) {
	given := map[string]string{}
	// The values are only noted here, for the flag package puts what it can't
	// parse into its error, secrets too.
	flags := flag.NewFlagSet("guestlist", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&l.StytchEnv, "stytch-env", false, "")
	flags.BoolVar(&l.Apply, "apply", false, "")
	for _, s := range Settings {
		flags.Func(s.Flag(), "", func(text string) error {
			given[s.Name] = text
			return nil
		})
	}
	var words []string
	for {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			l.Command = Help
			return nil, nil
		} else if err != nil {
			return nil, fmt.Errorf(`command line: %w; "guestlist help" lists the flags`, err)
		}
		if flags.NArg() == 0 {
			break
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
	l.Command = Serve
	if len(words) > 0 {
		l.Command = Command(words[0])
	}
	if l.Command == Why && len(words) == 2 {
		l.Address, words = words[1], words[:1]
	}
	switch {
	case l.Command == Why && l.Address == "":
		return nil, errors.New("command line: guestlist why needs one e-mail address")
	case len(words) > 1:
		return nil, fmt.Errorf("command line: one command at a time, not %q", words)
	case !slices.Contains([]Command{Serve, Show, Migrate, Reconcile, Why, Version, Help}, l.Command):
		return nil, fmt.Errorf(`command line: %q is not a command; "guestlist help" lists them`, words[0])
	case l.StytchEnv && l.Command != Show:
		return nil, errors.New("command line: --stytch-env belongs to guestlist config")
	case l.Apply && l.Command != Reconcile:
		return nil, errors.New("command line: --apply belongs to guestlist reconcile")
	}
	return given, nil
}

// merge returns the settings given as flags (by name), in the environment or in
// .env. A name that looks like ours and is no setting is an error.
func (from Sources) merge(flags map[string]string) (map[string]value, error) {
	environ := map[string]string{}
	for _, entry := range from.Environ {
		name, text, _ := strings.Cut(entry, "=")
		environ[name] = text
	}
	dotenv, err := readDotEnv(from.DotEnv)
	if err != nil {
		return nil, err
	}
	values := map[string]value{}
	for _, source := range []struct {
		name  string
		texts map[string]string
	}{{".env", dotenv}, {"environment", environ}, {"flag", flags}} { // the later one wins
		for _, name := range slices.Sorted(maps.Keys(source.texts)) {
			if isSetting(name) {
				values[name] = value{strings.TrimSpace(source.texts[name]), source.name}
			} else if strings.HasPrefix(name, "GUESTLIST_") && !strings.HasPrefix(name, "GUESTLIST_TEST_") {
				return nil, fmt.Errorf(`%s (%s) is not a setting; "guestlist help" lists them`, name, source.name)
			}
		}
	}
	return values, nil
}

// lookup returns a variable of the environment that is no setting of ours.
func (from Sources) lookup(name string) string {
	for _, entry := range from.Environ {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			return text
		}
	}
	return ""
}

// readDotEnv reads NAME=value lines; there are none in a file that is missing.
func readDotEnv(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	texts, err := godotenv.Read(path)
	var file *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.As(err, &file):
		return nil, fmt.Errorf("read settings: %w", err)
	case err != nil: // its text holds the lines it didn't understand, secrets too
		return nil, fmt.Errorf("%s must hold lines NAME=value, with quotes around a value that needs them", path)
	}
	return texts, nil
}

func isSetting(name string) bool {
	return slices.ContainsFunc(Settings, func(s Setting) bool { return s.Name == name })
}

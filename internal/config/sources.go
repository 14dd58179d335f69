package config

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Sources is where settings come from.
type Sources struct {
	Flags    map[string]string // as AddFlags noted them
	Environ  []string          // NAME=value, as os.Environ has it
	DotEnv   string            // path of a .env file, which may be missing; empty means none
	Terminal bool              // whether the log goes to one
	Input    io.Reader         // standard input, for a flag that says -; nil: there is none
}

// The sources, as they are named to people.
const (
	fromDotEnv      = ".env"
	fromEnvironment = "environment"
	fromFlag        = "flag"
	fromDefault     = "default"
)

// value is the text of a setting and the source that it came from.
type value struct{ text, source string }

// loader is a Config in the making, and what only its defaults need.
type loader struct {
	Config
	localStytch bool // GUESTLIST_LOCAL_STYTCH is on
	port        string
	fly         bool
	terminal    bool
	wrong       []Problem
}

func (l *loader) addError(err error, settings ...string) {
	l.wrong = append(l.wrong, Problem{settings, err})
}

// valid reports whether nothing wrong was found with any of the settings.
func (l *loader) valid(settings []string) bool {
	return !slices.ContainsFunc(l.wrong, func(w Problem) bool {
		return slices.ContainsFunc(w.Settings, func(name string) bool { return slices.Contains(settings, name) })
	})
}

// AddFlags adds a flag for each setting. The values are only noted in given, by
// the setting's name, for Load to look at: a flag that is refused tells its value
// in the error, secrets too.
func AddFlags(flags *pflag.FlagSet, given map[string]string) {
	for _, s := range Settings {
		flags.Func(s.Flag(), s.Meaning, func(text string) error {
			given[s.Name] = text
			return nil
		})
	}
}

// merge returns the settings given as flags (by name), in the environment or in
// .env, and tells l of a name that looks like ours and is no setting. Without .env,
// none of them can be relied on.
func (from Sources) merge(l *loader) map[string]value {
	environ := map[string]string{}
	for _, entry := range from.Environ {
		name, text, _ := strings.Cut(entry, "=")
		environ[name] = text
	}
	dotenv, err := readDotEnv(from.DotEnv)
	if err != nil {
		l.addError(err, names()...)
	}
	values := map[string]value{}
	for _, source := range []struct {
		name  string
		texts map[string]string
	}{{fromDotEnv, dotenv}, {fromEnvironment, environ}, {fromFlag, from.flagTexts(l)}} { // the later one wins
		for _, name := range slices.Sorted(maps.Keys(source.texts)) {
			if isSetting(name) {
				values[name] = value{strings.TrimSpace(source.texts[name]), source.name}
			} else if strings.HasPrefix(name, "GUESTLIST_") && !strings.HasPrefix(name, "GUESTLIST_TEST_") {
				l.addError(fmt.Errorf(`%s (%s) is not a setting; "guestlist help" lists them`, name, source.name))
			}
		}
	}
	return values
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

func names() []string {
	all := make([]string, len(Settings))
	for i, s := range Settings {
		all[i] = s.Name
	}
	return all
}

func isSetting(name string) bool {
	return slices.ContainsFunc(Settings, func(s Setting) bool { return s.Name == name })
}

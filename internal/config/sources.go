package config

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Sources holds the places that settings are read from.
type Sources struct {
	Flags    map[string]string // by setting name, as collected by AddFlags
	Environ  []string          // NAME=value, as os.Environ has it
	DotEnv   string            // path of a .env file, which may not exist; may be empty
	Terminal bool              // whether the log is written to a terminal
	Input    io.Reader         // standard input, for flags with the value -; may be nil
}

// Names of the sources in messages.
const (
	fromDotEnv      = ".env"
	fromEnvironment = "environment"
	fromFlag        = "flag"
	fromDefault     = "default"
)

// value is a setting's text and its source.
type value struct{ text, source string }

// loader builds a Config.
type loader struct {
	Config
	localStytch bool // GUESTLIST_LOCAL_STYTCH is on
	port        string
	fly         bool // running on Fly
	terminal    bool
	problems    []Problem
}

func (l *loader) addError(err error, settings ...string) {
	l.problems = append(l.problems, Problem{settings, err})
}

// valid reports whether no problem was found with any of the settings.
func (l *loader) valid(settings []string) bool {
	return !slices.ContainsFunc(l.problems, func(p Problem) bool {
		return slices.ContainsFunc(p.Settings, func(name string) bool { return slices.Contains(settings, name) })
	})
}

// AddFlags adds a flag for each setting. Values are stored in given by setting name and
// checked by Load, because pflag's own errors would contain the value of a secret.
func AddFlags(flags *pflag.FlagSet, given map[string]string) {
	for _, s := range Settings {
		flags.Func(s.Flag(), s.Meaning, func(text string) error {
			given[s.Name] = text
			return nil
		})
	}
}

// merge returns the settings given as flags, in the environment and in .env, and reports
// unknown names with the prefix GUESTLIST_. If .env can't be read, no setting is reliable.
func (from Sources) merge(l *loader) map[string]value {
	dotenv, err := readDotEnv(from.DotEnv)
	if err != nil {
		l.addError(err, names()...)
	}
	values := map[string]value{}
	for _, source := range []struct {
		name  string
		texts map[string]string
	}{{fromDotEnv, dotenv}, {fromEnvironment, from.environ()}, {fromFlag, from.flagTexts(l)}} { // later ones take precedence
		for _, name := range slices.Sorted(maps.Keys(source.texts)) {
			if isSetting(name) {
				values[name] = value{strings.TrimSpace(source.texts[name]), source.name}
			} else if strings.HasPrefix(name, "GUESTLIST_") && !strings.HasPrefix(name, "GUESTLIST_TEST_") {
				l.addError(fmt.Errorf(`%s (%s) is not a setting; run "guestlist help" for a list`, name, source.name))
			}
		}
	}
	return values
}

func (from Sources) environ() map[string]string {
	environ := map[string]string{}
	for _, entry := range from.Environ {
		name, text, _ := strings.Cut(entry, "=")
		environ[name] = text
	}
	return environ
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

package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
)

// maxSecret is the most that is read of a file or of standard input for one setting,
// in bytes.
const maxSecret = 64 << 10

// maybeSecret reports whether a value of the setting can be a secret, or hold one.
func (s Setting) maybeSecret() bool { return s.secret || s.mask != nil }

// holdsSecret reports whether a value is a secret, or holds one.
func (s Setting) holdsSecret(text string) bool {
	return text != "" && (s.secret || s.mask != nil && s.mask(text) != text)
}

// userlessDSN recognizes a DSN of go-sql-driver without a user, which begins as the name
// of a file does here.
var userlessDSN = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^@[a-z0-9]*\(`) })

// flagTexts returns the settings given as flags. A flag for a setting that may be a secret
// can name a file (@PATH) or standard input (-) that its value is read from: what is in a
// flag itself is shown to everybody on the machine in the list of processes.
func (from Sources) flagTexts(l *loader) map[string]string {
	texts := map[string]string{}
	fromInput := ""
	for _, s := range Settings {
		text, given := from.Flags[s.Name]
		if !given {
			continue
		}
		path, isFile := strings.CutPrefix(text, "@")
		var err error
		switch {
		case !s.maybeSecret():
		case text == "-" && fromInput != "":
			err = fmt.Errorf("is to be read from standard input, and so is %s: only one can be", fromInput)
		case text == "-":
			fromInput = s.Name
			text, err = readInput(from.Input)
		case isFile && !userlessDSN().MatchString(text):
			text, err = readSecretFile(path)
		case s.holdsSecret(text):
			l.Warnings = append(l.Warnings, fmt.Sprintf("--%s shows its value to everybody on this machine, in the list of processes: use --%[1]s=@FILE, --%[1]s=- for standard input, or %s in the environment", s.Flag(), s.Name))
		}
		if err != nil {
			l.addError(fmt.Errorf("%s %w", s.Name, err), s.Name)
			continue
		}
		texts[s.Name] = text
	}
	for name, text := range from.Flags {
		if !isSetting(name) {
			texts[name] = text
		}
	}
	return texts
}

func readSecretFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("is to be read from the file %q, which can't be read: %w", path, withoutPath(err))
	}
	defer file.Close()
	text, err := readSecret(file)
	if err != nil {
		return "", fmt.Errorf("is to be read from the file %q, which %w", path, err)
	}
	return text, nil
}

func readInput(in io.Reader) (string, error) {
	if in == nil {
		return "", errors.New("is to be read from standard input, and there is none")
	}
	text, err := readSecret(in)
	if err != nil {
		return "", fmt.Errorf("is to be read from standard input, which %w", err)
	}
	return text, nil
}

// readSecret reads all of r, without the spaces and line ends around it.
func readSecret(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("can't be read: %w", withoutPath(err))
	case len(text) > maxSecret:
		return "", errors.New("holds more than 64 KB")
	}
	if text := strings.TrimSpace(string(text)); text != "" {
		return text, nil
	}
	return "", errors.New("is empty")
}

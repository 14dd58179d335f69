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

// maxSecret is the maximum size in bytes of a value read from a file or standard input.
const maxSecret = 64 << 10

// maybeSecret reports whether values of the setting can contain a secret.
func (s Setting) maybeSecret() bool { return s.secret || s.mask != nil }

// containsSecret reports whether a value contains a secret.
func (s Setting) containsSecret(text string) bool {
	return text != "" && (s.secret || s.mask != nil && s.mask(text) != text)
}

// userlessDSN matches a go-sql-driver DSN without a user, which begins like @FILE.
var userlessDSN = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^@[a-z0-9]*\(`) })

// flagTexts returns the settings given as flags. For settings that can contain a secret, a
// flag may name a file (@PATH) or standard input (-) to read the value from, because the
// flags of a process are visible to every user of the machine.
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
			err = fmt.Errorf("can't be read from standard input, because %s is read from it", fromInput)
		case text == "-":
			fromInput = s.Name
			if text, err = readSecret(from.Input); err != nil {
				err = fmt.Errorf("can't be read from standard input: %w", err)
			}
		case isFile && !userlessDSN().MatchString(text):
			if text, err = readSecretFile(path); err != nil {
				err = fmt.Errorf("can't be read from the file %q: %w", path, err)
			}
		case s.containsSecret(text):
			l.Warnings = append(l.Warnings, fmt.Sprintf("--%s exposes its value in the process list to every user of this machine: use --%[1]s=@FILE, --%[1]s=- for standard input, or %s in the environment", s.Flag(), s.Name))
		}
		if err != nil {
			l.addError(fmt.Errorf("%s %w", s.Name, err), s.Name)
			continue
		}
		texts[s.Name] = text
	}
	return texts
}

func readSecretFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", withoutPath(err)
	}
	defer file.Close()
	return readSecret(file)
}

// readSecret reads all of r, which may be nil, and trims the space around it.
func readSecret(r io.Reader) (string, error) {
	if r == nil {
		return "", errors.New("there is none")
	}
	content, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	text := strings.TrimSpace(string(content))
	switch {
	case err != nil:
		return "", withoutPath(err)
	case len(content) > maxSecret:
		return "", errors.New("it is larger than 64 KB")
	case text == "":
		return "", errors.New("it is empty")
	}
	return text, nil
}

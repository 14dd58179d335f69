package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// parseDotEnv parses a .env file. Values are literal: nothing is expanded, in any quotes.
//
//	# a comment
//	NAME=value                # spaces around NAME and value are dropped
//	export NAME=value         # as in a shell
//	NAME='value'              # nothing inside single quotes is special
//	NAME="value"              # \" \\ \$ and \` stand for the second character
//	NAME="two
//	lines"                    # a quoted value may have several lines
//
// An unquoted value ends at the end of the line or at a # after a space. The last value of
// a name wins. Lines end in LF, CRLF or CR; a byte order mark is skipped. Errors name the
// line without quoting it, because it may contain a secret.
func parseDotEnv(file []byte) (map[string]string, error) {
	text, err := decodeDotEnv(file)
	if err != nil {
		return nil, err
	}
	p := dotEnvParser{rest: text, line: 1, values: map[string]string{}}
	for p.rest != "" {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return p.values, nil
}

// decodeDotEnv returns the text of the file with LF line endings.
func decodeDotEnv(file []byte) (string, error) {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xfe")), bytes.HasPrefix(file, []byte("\xfe\xff")), bytes.IndexByte(file, 0) >= 0:
		return "", errors.New(`is UTF-16 or not text: save it as UTF-8 (in Notepad: "Save as", encoding UTF-8)`)
	case !utf8.Valid(file):
		return "", errors.New(`is not UTF-8: save it as UTF-8 (in Notepad: "Save as", encoding UTF-8)`)
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(file)), nil
}

// dotEnvParser is the state of parseDotEnv.
type dotEnvParser struct {
	rest   string // unread text, from the beginning of a line
	line   int    // the number of that line
	values map[string]string
}

func (p *dotEnvParser) errorf(problem string) error {
	return fmt.Errorf("line %d %s", p.line, problem)
}

// next parses a line, or several if it has a quoted value.
func (p *dotEnvParser) next() error {
	line, _, _ := strings.Cut(p.rest, "\n")
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' {
		p.skip(len(line))
		return nil
	}
	name, value, ok := strings.Cut(line, "=")
	name = dotEnvName(name)
	if !ok || name == "" {
		return p.errorf("must be NAME=value, or a comment that begins with #")
	}
	start := len(line) - len(strings.TrimLeft(value, " \t"))
	if start < len(line) && (line[start] == '\'' || line[start] == '"') {
		p.rest = p.rest[start:]
		return p.quoted(name)
	}
	p.values[name] = withoutComment(value)
	p.skip(len(line))
	return nil
}

// skip advances past n bytes and the line ending after them.
func (p *dotEnvParser) skip(n int) {
	p.line += strings.Count(p.rest[:n], "\n") + 1
	p.rest = strings.TrimPrefix(p.rest[n:], "\n")
}

// dotEnvName returns the name before the =, or "" if it is invalid.
func dotEnvName(text string) string {
	fields := strings.Fields(text)
	if len(fields) == 2 && fields[0] == "export" {
		fields = fields[1:]
	}
	if len(fields) != 1 || strings.ContainsFunc(fields[0], func(r rune) bool { return !isLetterOrDigit(r) && !strings.ContainsRune("_.-", r) }) {
		return ""
	}
	return fields[0]
}

// withoutComment removes a comment, a # after a space or tab, from an unquoted value.
func withoutComment(value string) string {
	for i := 1; i < len(value); i++ {
		if value[i] == '#' && (value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
			break
		}
	}
	return strings.TrimSpace(value)
}

// quoted parses a value in quotes and the rest of its last line.
func (p *dotEnvParser) quoted(name string) error {
	quote := p.rest[0]
	var value strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			tail, _, _ := strings.Cut(p.rest[i+1:], "\n")
			if extra := strings.TrimSpace(tail); extra != "" && extra[0] != '#' {
				return p.errorf("begins a quoted value with text after the closing quote")
			}
			p.values[name] = value.String()
			p.skip(i + 1 + len(tail))
			return nil
		case c == '\\' && quote == '"' && i+1 < len(p.rest) && strings.IndexByte("\"\\$`", p.rest[i+1]) >= 0:
			i++
			value.WriteByte(p.rest[i])
		default:
			value.WriteByte(c)
		}
	}
	return p.errorf("opens a quote that is never closed")
}

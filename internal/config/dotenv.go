package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// parseDotEnv reads the text of a .env file. Values are literal: nothing in them
// is expanded, whatever the quotes.
//
//	# a comment
//	NAME=value                # spaces around NAME and value are dropped
//	export NAME=value         # as in a shell
//	NAME='value'              # nothing inside single quotes is special
//	NAME="value"              # \" \\ \$ and \` stand for the second character
//	NAME="two
//	lines"                    # a quoted value may have several lines
//
// Without quotes a value ends at the end of the line, or at a # with a space in
// front. Of a name that stands there twice the last value counts. Lines end in LF,
// CRLF or CR; a byte order mark is skipped. Errors name the line and never quote it,
// for it may hold a secret.
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

// decodeDotEnv returns the file as text whose lines end in LF.
func decodeDotEnv(file []byte) (string, error) {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	switch {
	case bytes.HasPrefix(file, []byte("\xff\xfe")), bytes.HasPrefix(file, []byte("\xfe\xff")), bytes.IndexByte(file, 0) >= 0:
		return "", errors.New(`is saved as UTF-16, or is no text: save it as UTF-8 (in Notepad: "Save as", encoding UTF-8)`)
	case !utf8.Valid(file):
		return "", errors.New(`is not UTF-8: save it as UTF-8 (in Notepad: "Save as", encoding UTF-8)`)
	}
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(file)), nil
}

// dotEnvParser is the state of parseDotEnv.
type dotEnvParser struct {
	rest   string // what is still to be read; begins a line
	line   int    // the number of that line
	values map[string]string
}

func (p *dotEnvParser) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("line %d %s", line, fmt.Sprintf(format, args...))
}

// next reads a line, or as many as a quoted value has.
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
		return p.errorf(p.line, "must be NAME=value, or begin with # as a comment")
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

// skip goes on behind n bytes and the line end that follows.
func (p *dotEnvParser) skip(n int) {
	p.line += strings.Count(p.rest[:n], "\n") + 1
	p.rest = strings.TrimPrefix(p.rest[n:], "\n")
}

// dotEnvName returns what stands in front of the =, or "" if it is no name.
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

// withoutComment cuts an unquoted value at a # with a space or tab in front.
func withoutComment(value string) string {
	for i := 1; i < len(value); i++ {
		if value[i] == '#' && (value[i-1] == ' ' || value[i-1] == '\t') {
			value = value[:i]
			break
		}
	}
	return strings.TrimSpace(value)
}

// quoted reads a value that begins with a quote, and what may follow on its line.
func (p *dotEnvParser) quoted(name string) error {
	quote := p.rest[0]
	var value strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			behind, _, _ := strings.Cut(p.rest[i+1:], "\n")
			if left := strings.TrimSpace(behind); left != "" && left[0] != '#' {
				return p.errorf(p.line, "begins a value in quotes, and something stands behind the closing one")
			}
			p.values[name] = value.String()
			p.skip(i + 1 + len(behind))
			return nil
		case c == '\\' && quote == '"' && i+1 < len(p.rest) && strings.IndexByte("\"\\$`", p.rest[i+1]) >= 0:
			i++
			value.WriteByte(p.rest[i])
		default:
			value.WriteByte(c)
		}
	}
	return p.errorf(p.line, "begins a value in quotes that are never closed")
}

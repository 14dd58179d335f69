package config

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

const masked = "********"

// Print writes a line for each setting: its name, its value with secrets masked, and its
// source (flag, environment, .env or default).
func (c Config) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range Settings {
		v := c.values[s.Name]
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, s.show(v.text), v.source)
	}
	return table.Flush()
}

// DisplayValue is a setting with secrets masked.
type DisplayValue struct {
	Name   string  `json:"name"`
	Value  *string `json:"value"`  // null if unset
	Source string  `json:"source"` // flag, environment, .env or default
}

// Shown returns what Print writes.
func (c Config) Shown() []DisplayValue {
	all := make([]DisplayValue, len(Settings))
	for i, s := range Settings {
		v := c.values[s.Name]
		all[i] = DisplayValue{Name: s.Name, Source: v.source}
		if v.text != "" {
			text := s.show(v.text)
			all[i].Value = &text
		}
	}
	return all
}

// show returns a value with secrets masked.
func (s Setting) show(text string) string {
	switch {
	case text == "":
		return "(unset)"
	case s.secret:
		return masked
	case s.mask != nil:
		return s.mask(text)
	}
	return text
}

// maskPassword masks the password in user:password@host, in a URL or a DSN. It masks too
// much rather than too little.
func maskPassword(text string) string {
	scheme, rest := "", text
	if before, after, ok := strings.Cut(text, "://"); ok {
		scheme, rest = before+"://", after
	}
	at := strings.LastIndex(rest, "@")
	if at < 0 {
		return text
	}
	user, _, hasPassword := strings.Cut(rest[:at], ":")
	if !hasPassword {
		return text
	}
	return scheme + user + ":" + masked + rest[at:]
}

// Usage writes the flag, name, default and meaning of each setting.
func Usage(w io.Writer) error {
	var b strings.Builder
	for _, s := range Settings {
		fmt.Fprintf(&b, "\n  --%s, %s (default: %s)\n      %s\n", s.Flag(), s.Name, cmp.Or(s.Default, "unset"), s.Meaning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// SharedValues returns the values of the settings that all instances share, by name. secret
// has those that are secret or may contain a password.
func (c Config) SharedValues() (plain, secret map[string]string) {
	plain, secret = map[string]string{}, map[string]string{}
	for _, s := range Settings {
		text := c.values[s.Name].text
		switch {
		case s.own:
		case s.secret || s.mask != nil:
			secret[s.Name] = text
		default:
			plain[s.Name] = s.show(text)
		}
	}
	return plain, secret
}

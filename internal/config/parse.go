package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Each function here makes a [Setting]'s set. Their errors go on after the
// setting's name: "must be on or off".

func text(field func(*loader) *string) func(*loader, string) error {
	return func(l *loader, text string) error {
		*field(l) = text
		return nil
	}
}

func choice(field func(*loader) *string, choices ...string) func(*loader, string) error {
	return func(l *loader, text string) error {
		if !slices.Contains(choices, text) {
			return fmt.Errorf("must be %s, not %q", strings.Join(choices, " or "), text)
		}
		*field(l) = text
		return nil
	}
}

func boolean(field func(*loader) *bool) func(*loader, string) error {
	return func(l *loader, text string) error {
		if text != "on" && text != "off" {
			return fmt.Errorf("must be on or off, not %q", text)
		}
		*field(l) = text == "on"
		return nil
	}
}

// duration takes Go's durations, which are multiples of unit.
func duration(field func(*loader) *time.Duration, least, most, unit time.Duration) func(*loader, string) error {
	return func(l *loader, text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > most || d%unit != 0 {
			return fmt.Errorf("must be from %s to %s in whole %s, such as 1h30m, not %q",
				formatDuration(least), formatDuration(most), map[time.Duration]string{time.Hour: "hours", time.Minute: "minutes", time.Second: "seconds"}[unit], text)
		}
		*field(l) = d
		return nil
	}
}

// formatDuration writes 168h for 168h0m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// list splits at commas; empty parts don't count.
func list(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func setAccess(l *loader, text string) error {
	domains, isDomains := strings.CutPrefix(text, "domain:")
	switch {
	case text == "invite":
		l.Access = Access{}
	case text == "open":
		l.Access = Access{Open: true}
	case isDomains && len(list(domains)) > 0:
		for _, domain := range list(strings.ToLower(domains)) {
			if !isHostName(domain) || !strings.Contains(domain, ".") {
				return fmt.Errorf("must name domains such as example.com, those in other scripts by their xn-- form, not %q", domain)
			}
			l.Access.Domains = append(l.Access.Domains, domain)
		}
	default:
		return fmt.Errorf("must be invite, open or domain:example.com, not %q", text)
	}
	return nil
}

// setWebhookSecret takes a secret in the form in which Svix shows it, with whom
// Stytch sends its webhooks.
func setWebhookSecret(l *loader, text string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if !strings.HasPrefix(text, "whsec_") || err != nil || len(key) < 16 {
		return errors.New("must begin with whsec_ and go on as the Stytch dashboard shows it")
	}
	l.Stytch.WebhookSecret = text
	return nil
}

// setCookieKeys also refuses what was plainly typed and not drawn.
func setCookieKeys(l *loader, text string) error {
	keys := list(text)
	for i, key := range keys {
		if len(key) < 32 {
			return fmt.Errorf("must be keys of 32 characters or more, and number %d has %d; `openssl rand -hex 32` makes one", i+1, len(key))
		}
		different := map[rune]bool{}
		for _, r := range key {
			different[r] = true
		}
		if len(different) < 8 {
			return fmt.Errorf("must be random keys, and number %d repeats few characters; `openssl rand -hex 32` makes one", i+1)
		}
	}
	if len(keys) == 0 {
		return errors.New("must be keys of 32 characters or more, with commas between")
	}
	l.CookieKeys = keys
	return nil
}

func setCookieName(l *loader, text string) error {
	for _, r := range text {
		if r != '_' && r != '-' && !isLetterOrDigit(r) {
			return fmt.Errorf("must be letters, digits, - and _, not %q", text)
		}
	}
	l.CookieName = text
	return nil
}

func setPort(l *loader, text string) error {
	if !isPort(text) {
		return fmt.Errorf("must be a number from 0 to 65535, not %q", text)
	}
	l.port = text
	return nil
}

func isLetterOrDigit(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

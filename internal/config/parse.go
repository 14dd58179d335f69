package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
)

// The functions here return a [Setting]'s set function or are one. Their errors follow the
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
			return fmt.Errorf("must be %s, not %q", english.WordSeries(choices, "or"), text)
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

// duration parses a Go duration from shortest to longest that is a multiple of unit.
func duration(field func(*loader) *time.Duration, shortest, longest, unit time.Duration) func(*loader, string) error {
	return func(l *loader, text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < shortest || d > longest || d%unit != 0 {
			return fmt.Errorf("must be from %s to %s in whole %s, such as 1h30m, not %q",
				formatDuration(shortest), formatDuration(longest), map[time.Duration]string{time.Hour: "hours", time.Minute: "minutes", time.Second: "seconds"}[unit], text)
		}
		*field(l) = d
		return nil
	}
}

// formatDuration returns "168h" for 168h0m0s.
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

// list splits text at commas and drops empty parts.
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
				return fmt.Errorf("must list domains such as example.com, international ones in xn-- form, not %q", domain)
			}
			l.Access.Domains = append(l.Access.Domains, domain)
		}
	default:
		return fmt.Errorf("must be invite, open or domain:example.com, not %q", text)
	}
	return nil
}

// setApps parses apps with or without an upstream. The addresses are validated where the
// apps are created.
func setApps(l *loader, text string) error {
	for _, part := range list(text) {
		address, upstream, hasUpstream := strings.Cut(part, "->")
		app := AppSetting{URL: strings.TrimSpace(address), Upstream: strings.TrimSpace(upstream)}
		if !hasHTTPScheme(app.URL) || hasUpstream && !hasHTTPScheme(app.Upstream) || strings.Contains(part, "@") {
			return errors.New("must be comma-separated apps such as https://wiki.example.com -> http://127.0.0.1:3000, or https://wiki.example.com if another proxy passes requests on")
		}
		l.Apps = append(l.Apps, app)
	}
	return nil
}

func hasHTTPScheme(address string) bool {
	return strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://")
}

// setWebhookSecret parses a secret in the form of Svix, which sends Stytch's webhooks.
func setWebhookSecret(l *loader, text string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
	if !strings.HasPrefix(text, "whsec_") || err != nil || len(key) < 16 {
		return errors.New("must be the signing secret that the Stytch dashboard shows, which begins with whsec_")
	}
	l.Stytch.WebhookSecret = text
	return nil
}

// publicTokenPattern matches the public token of a Stytch project.
var publicTokenPattern = regexp.MustCompile(`^public-token-(test|live)-[0-9A-Za-z-]+$`)

// setPublicToken parses the public token of a Stytch project. The error doesn't repeat the
// value, which may be another one of the dashboard, such as the secret.
func setPublicToken(l *loader, text string) error {
	if !publicTokenPattern.MatchString(text) {
		return errors.New("must be the public token that the Stytch dashboard shows, which begins with public-token-test- or public-token-live-")
	}
	l.Stytch.PublicToken = text
	return nil
}

// oauthProviders are the providers that GUESTLIST_OAUTH may list.
var oauthProviders = []string{"google", "github", "microsoft"}

// setOAuth parses providers. Their order is that of the buttons on the sign-in page.
func setOAuth(l *loader, text string) error {
	var providers []string
	for _, provider := range list(text) {
		if !slices.Contains(oauthProviders, provider) {
			return fmt.Errorf("must be comma-separated providers out of %s, not %q", english.WordSeries(oauthProviders, "and"), provider)
		}
		if !slices.Contains(providers, provider) {
			providers = append(providers, provider)
		}
	}
	l.OAuth = providers
	return nil
}

// setCookieKeys also refuses keys that are obviously not random.
func setCookieKeys(l *loader, text string) error {
	keys := list(text)
	for i, key := range keys {
		if len(key) < 32 {
			return fmt.Errorf("must be keys of at least 32 characters, but key %d has %d; create one with `openssl rand -hex 32`", i+1, len(key))
		}
		different := map[rune]bool{}
		for _, r := range key {
			different[r] = true
		}
		if len(different) < 8 {
			return fmt.Errorf("must be random keys, but key %d repeats a few characters; create one with `openssl rand -hex 32`", i+1)
		}
	}
	if len(keys) == 0 {
		return errors.New("must be comma-separated keys of at least 32 characters")
	}
	l.CookieKeys = keys
	return nil
}

func setCookieName(l *loader, text string) error {
	for _, r := range text {
		if r != '_' && r != '-' && !isLetterOrDigit(r) {
			return fmt.Errorf("must consist of letters, digits, - and _, not %q", text)
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

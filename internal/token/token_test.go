package token

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// docs/security.md documents this pattern for secret scanners.
func TestNewSecret_MatchesScannerPattern(t *testing.T) {
	t.Parallel()
	pattern, seen := regexp.MustCompile(`^guestlist_[A-Z2-7]{52}$`), map[string]bool{}
	for range 1000 {
		secret := newSecret()
		if !pattern.MatchString(secret) || !hasTokenFormat(secret) || seen[secret] {
			t.Fatalf("%q, seen before: %v", secret, seen[secret])
		}
		seen[secret] = true
	}
	for _, invalid := range []string{"", "guestlist_", strings.Repeat("A", 62), newSecret() + "A", newSecret()[1:]} {
		if hasTokenFormat(invalid) {
			t.Errorf("hasTokenFormat(%q) is true", invalid)
		}
	}
}

func TestToken_ExpiresAfterChosenDays(t *testing.T) {
	t.Parallel()
	for _, days := range Lifetimes {
		token, err := Request{ID: NewID(), Name: " deploy ", Scope: "read", Days: strconv.Itoa(days)}.token(noon)
		if err != nil {
			t.Fatal(err)
		}
		end := noon.Add(time.Duration(days) * 24 * time.Hour)
		if !token.ExpiresAt.Equal(end) || token.Expired(end.Add(-time.Microsecond)) || !token.Expired(end) || token.Name != "deploy" {
			t.Errorf("%d days: %+v", days, token)
		}
	}
}

func TestRequest_ReportsEachInvalidField(t *testing.T) {
	t.Parallel()
	_, err := Request{ID: "x", Name: "", Scope: "admin", Days: "8"}.token(noon)
	var invalid *directory.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Fields) != 4 {
		t.Fatalf("%v: %v", err, invalid)
	}
	for field, message := range invalid.Fields {
		if !strings.HasSuffix(message, ".") {
			t.Errorf("%s: %q", field, message)
		}
	}
}

func TestParseBearer(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct {
		secret       string
		found, isOwn bool
	}{
		"Bearer guestlist_x": {"guestlist_x", true, true}, "bearer   guestlist_app_x ": {"guestlist_app_x", true, true},
		"Bearer eyJ": {"eyJ", true, false}, "Bearer": {"", true, false}, "Bearer ": {"", true, false}, "Bearer Guestlist_x": {"Guestlist_x", true, false},
		"Basic guestlist_x": {}, "": {}, "guestlist_x": {}, "Bearerguestlist_x": {}, " Bearer guestlist_x": {},
	} {
		if secret, found := ParseBearer(value); secret != want.secret || found != want.found || IsBearer(value) != want.isOwn {
			t.Errorf("%q: %q, %t, ours %t", value, secret, found, IsBearer(value))
		}
	}
}

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

// A scanner of secrets is told this pattern in docs/security.md.
func TestATokenIsWhatSecretScannersLookFor(t *testing.T) {
	t.Parallel()
	pattern, seen := regexp.MustCompile(`^guestlist_[A-Z2-7]{52}$`), map[string]bool{}
	for range 1000 {
		secret := newSecret()
		if !pattern.MatchString(secret) || !hasTokenFormat(secret) || seen[secret] {
			t.Fatalf("%q, seen before: %v", secret, seen[secret])
		}
		seen[secret] = true
	}
	for _, none := range []string{"", "guestlist_", strings.Repeat("A", 62), newSecret() + "A", newSecret()[1:]} {
		if hasTokenFormat(none) {
			t.Errorf("%q passes for a token", none)
		}
	}
}

func TestATokenEndsOnTheInstantAfterTheDaysThatWereChosen(t *testing.T) {
	t.Parallel()
	for _, days := range Lifetimes {
		made, err := Request{ID: NewID(), Name: " deploy ", Scope: "read", Days: strconv.Itoa(days)}.token(noon)
		if err != nil {
			t.Fatal(err)
		}
		end := noon.Add(time.Duration(days) * 24 * time.Hour)
		if !made.ExpiresAt.Equal(end) || made.Expired(end.Add(-time.Microsecond)) || !made.Expired(end) || made.Name != "deploy" {
			t.Errorf("%d days: %+v", days, made)
		}
	}
}

func TestADraftSaysWhatIsWrongWithEachOfItsFields(t *testing.T) {
	t.Parallel()
	_, err := Request{ID: "x", Name: "", Scope: "admin", Days: "8"}.token(noon)
	var invalid *directory.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Fields) != 4 {
		t.Fatalf("%v: %v", err, invalid)
	}
	for field, sentence := range invalid.Fields {
		if !strings.HasSuffix(sentence, ".") {
			t.Errorf("%s: %q", field, sentence)
		}
	}
}

package inspect

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/guestlist/guestlist/internal/event"
)

// Settings are recorded in one row, as a JSON object of names and values. A secret is recorded as a keyed hash: instances
// can compare it, and it can't be guessed without the key, which is in another row.
const (
	CurrentSettingsKey = "in_force"
	SettingsHashKey    = "in_force_key"
	keyedHash          = "hmac-sha256:"
	unsetSetting       = "(unset)"
)

// SettingsRecord returns what is recorded of settings.
func SettingsRecord(key string, plain, secret map[string]string) map[string]string {
	all := maps.Clone(plain)
	if all == nil {
		all = map[string]string{}
	}
	for name, value := range secret {
		all[name] = unsetSetting
		if value != "" {
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte(name + "\x00" + value))
			all[name] = keyedHash + hex.EncodeToString(mac.Sum(nil))
		}
	}
	return all
}

// SettingsChanges returns the settings that were recorded and have other values now.
func SettingsChanges(recorded string, current map[string]string) []event.Change {
	was := map[string]string{}
	if json.Unmarshal([]byte(recorded), &was) != nil {
		return nil // recorded by a later release in another format
	}
	var changes []event.Change
	for _, name := range slices.Sorted(maps.Keys(current)) {
		old, known := was[name]
		if known && old != current[name] && !plainHash().MatchString(old) {
			changes = append(changes, WithoutHashes(event.Change{Field: name, Old: old, New: current[name]}))
		}
	}
	return changes
}

// plainHash matches an unkeyed hash, which earlier releases recorded of a secret. It is too short to identify the
// secret but long enough to test guesses.
var plainHash = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^secret [0-9a-f]{8}$`) })

// WithoutHashes returns a change that says of a secret only whether it was set before and is set now.
func WithoutHashes(c event.Change) event.Change {
	isHash := func(value string) bool { return strings.HasPrefix(value, keyedHash) || plainHash().MatchString(value) }
	before, after := isHash(c.Old), isHash(c.New)
	if before {
		c.Old = "set"
	}
	switch {
	case after && before:
		c.New = "changed"
	case after:
		c.New = "set"
	}
	return c
}

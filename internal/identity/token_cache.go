package identity

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// maxTokens is the number of tokens after which the cache discards older ones. It holds up to
// twice as many, of about two kilobytes each.
const maxTokens = 2048

// tokenCache holds the newest tokens by a digest of everything in them but their times.
type tokenCache struct {
	mu       sync.Mutex
	current  map[[sha256.Size]byte]cachedToken
	previous map[[sha256.Size]byte]cachedToken // the full map before current
}

type cachedToken struct {
	token   string
	headers http.Header // with the token
	issued  time.Time
}

func newTokenCache() *tokenCache {
	return &tokenCache{current: map[[sha256.Size]byte]cachedToken{}}
}

// get returns a token that was put less than reusedFor ago.
func (c *tokenCache) get(key [sha256.Size]byte, now time.Time) (token cachedToken, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.current[key]
	if !ok {
		found, ok = c.previous[key]
	}
	if age := now.Sub(found.issued); !ok || age < 0 || age >= reusedFor {
		return cachedToken{}, false
	}
	return found, true
}

func (c *tokenCache) put(key [sha256.Size]byte, token cachedToken) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.current) >= maxTokens {
		c.previous, c.current = c.current, make(map[[sha256.Size]byte]cachedToken, maxTokens)
	}
	c.current[key] = token
}

package faults

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// inboxSize is the number of emails the local Stytch keeps.
const inboxSize = 200

// inbox collects emails from the local Stytch before it drops them. Its methods are safe for
// concurrent use.
type inbox struct {
	mu     sync.Mutex
	seen   map[string]bool     // ids of emails
	tokens map[string][]string // unused tokens by address, oldest first
	count  map[string]int      // emails by address
	missed bool                // whether emails may have been dropped before they were collected
}

func newInbox() *inbox {
	return &inbox{seen: map[string]bool{}, tokens: map[string][]string{}, count: map[string]int{}}
}

// takeToken removes and returns the newest unused token of an address. It returns an empty string if
// there is none.
func (b *inbox) takeToken(email string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	unused := b.tokens[email]
	if len(unused) == 0 {
		return ""
	}
	b.tokens[email] = unused[:len(unused)-1]
	return unused[len(unused)-1]
}

// sent returns the number of emails to an address.
func (b *inbox) sent(email string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count[email]
}

// pollInbox collects emails until ctx ends.
func (x *trial) pollInbox(ctx context.Context) {
	for ctx.Err() == nil {
		x.readInbox(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// readInbox collects new emails, if the inbox is available.
func (x *trial) readInbox(ctx context.Context) {
	resp := x.send(newRequest(x.anyInstance(), "", "GET", "/dev/inbox.json", "").WithContext(ctx))
	var page struct {
		Messages []struct {
			ID, To string
			Links  []string
		}
	}
	if resp.status != http.StatusOK || json.Unmarshal([]byte(resp.body), &page) != nil {
		return
	}
	b := x.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	unseen := 0
	for i := len(page.Messages) - 1; i >= 0; i-- { // the newest is first
		mail := page.Messages[i]
		if b.seen[mail.ID] {
			continue
		}
		unseen++
		b.seen[mail.ID] = true
		b.count[mail.To]++
		for _, link := range mail.Links {
			if u, err := url.Parse(link); err == nil {
				b.tokens[mail.To] = append(b.tokens[mail.To], u.Query().Get("token"))
			}
		}
	}
	b.missed = b.missed || unseen == len(page.Messages) && unseen >= inboxSize
}

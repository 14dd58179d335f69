package faults

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// mails is what was mailed, gathered from the inbox before it forgets: it keeps
// two hundred.
type mails struct {
	mu     sync.Mutex
	seen   map[string]bool     // by id
	tokens map[string][]string // of unopened mails, by address, oldest first
	count  map[string]int      // by address
	missed bool                // the inbox may have forgotten some unseen
}

func newMails() *mails {
	return &mails{seen: map[string]bool{}, tokens: map[string][]string{}, count: map[string]int{}}
}

// open returns the token of an address's newest mail, which is opened by that;
// empty if all are opened.
func (m *mails) open(email string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	unopened := m.tokens[email]
	if len(unopened) == 0 {
		return ""
	}
	m.tokens[email] = unopened[:len(unopened)-1]
	return unopened[len(unopened)-1]
}

func (m *mails) sent(email string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count[email]
}

// gather looks into the inbox again and again until ctx ends.
func (x *trial) gather(ctx context.Context) {
	for ctx.Err() == nil {
		x.look(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// look takes over what is new in the inbox, if it can be seen just now.
func (x *trial) look(ctx context.Context) {
	a := x.send(newRequest(x.any(), "", "GET", "/dev/inbox.json", "").WithContext(ctx))
	var inbox struct {
		Messages []struct {
			ID, To string
			Links  []string
		}
	}
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &inbox) != nil {
		return
	}
	m := x.mails
	m.mu.Lock()
	defer m.mu.Unlock()
	unseen := 0
	for i := len(inbox.Messages) - 1; i >= 0; i-- { // newest first
		mail := inbox.Messages[i]
		if m.seen[mail.ID] {
			continue
		}
		unseen++
		m.seen[mail.ID] = true
		m.count[mail.To]++
		for _, link := range mail.Links {
			if u, err := url.Parse(link); err == nil {
				m.tokens[mail.To] = append(m.tokens[mail.To], u.Query().Get("token"))
			}
		}
	}
	m.missed = m.missed || unseen == len(inbox.Messages) && unseen >= 200
}

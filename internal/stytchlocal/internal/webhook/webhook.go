// Package webhook hands messages to one address, signed in the way of Svix, through
// whom Stytch sends its own (https://docs.svix.com/receiving/verifying-payloads/how-manual).
// It knows nothing of what the messages say.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

const (
	queueSize = 1000 // messages that wait; what comes on top is not sent
	attempts  = 5
	firstWait = time.Second // after the first attempt; four times as long after each more
	timeout   = 15 * time.Second
)

// Options is what a Sender needs; all of it is required.
type Options struct {
	URL       string
	Transport http.RoundTripper
	Key       []byte // signs; the receiver knows it as Secret(Key)
	Now       func() time.Time
	Log       *slog.Logger
}

// Sender sends messages in the background, one at a time and in order: one that
// is not taken holds up the rest until it has been given up.
type Sender struct {
	opts   Options
	queue  chan message
	cancel context.CancelFunc
	done   chan struct{}
}

type message struct {
	id   string
	body []byte
}

// New returns a sender at work. Close it.
func New(o Options) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{opts: o, queue: make(chan message, queueSize), cancel: cancel, done: make(chan struct{})}
	go s.run(ctx)
	return s
}

// Secret is a key in the form in which receivers are given it, whsec_<base64>.
func Secret(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }

// Send takes a body to be sent and returns at once. What is sent is lost with the
// process.
func (s *Sender) Send(body []byte) {
	select {
	case s.queue <- message{id: "msg_" + rand.Text(), body: body}:
	default:
		s.opts.Log.Warn("webhook not sent: too many are waiting")
	}
}

// Close stops sending; what waits is not sent any more.
func (s *Sender) Close() {
	s.cancel()
	<-s.done
}

func (s *Sender) run(ctx context.Context) {
	defer close(s.done)
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.queue:
			s.deliver(ctx, m)
		}
	}
}

// deliver tries until a message is taken, a few times at most.
func (s *Sender) deliver(ctx context.Context, m message) {
	wait := firstWait
	for attempt := 1; ; attempt++ {
		err := s.try(ctx, m)
		if err == nil || ctx.Err() != nil {
			return
		}
		if attempt == attempts {
			s.opts.Log.Warn("webhook given up", "id", m.id, "attempts", attempt, "error", err)
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait *= 4
	}
}

// try sends a message once. The time is signed too, so that it is new each time.
func (s *Sender) try(ctx context.Context, m message) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opts.URL, bytes.NewReader(m.body))
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(s.opts.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Svix-Id", m.id)
	r.Header.Set("Svix-Timestamp", timestamp)
	r.Header.Set("Svix-Signature", "v1,"+sign(s.opts.Key, m.id, timestamp, m.body))
	resp, err := s.opts.Transport.RoundTrip(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // to the end, so that the connection can be used again
	err = errors.Join(err, resp.Body.Close())
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answers %s", resp.Status)
	}
	return err
}

func sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

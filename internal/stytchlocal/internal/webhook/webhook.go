// Package webhook delivers messages to one URL, signed as Stytch's webhooks are:
// https://docs.svix.com/receiving/verifying-payloads/how-manual.
package webhook

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/guestlist/guestlist/internal/webhooksig"
)

const (
	queueSize = 1000 // waiting messages; more are dropped
	maxTries  = 5    // 1, 4, 16 and 64 seconds apart
	timeout   = 15 * time.Second
)

// Options configure a Sender. All fields are required.
type Options struct {
	URL       string
	Transport http.RoundTripper
	Key       []byte // signs messages; the receiver is configured with Secret(Key)
	Now       func() time.Time
	Log       *slog.Logger
}

// Sender sends messages in the background, one at a time and in order. A message that
// fails delays the following ones until it is accepted or given up.
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

// New starts a Sender. The caller must close it.
func New(o Options) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{opts: o, queue: make(chan message, queueSize), cancel: cancel, done: make(chan struct{})}
	go s.run(ctx)
	return s
}

// Secret formats a key for the receiver's configuration: whsec_<base64>.
func Secret(key []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(key) }

// Send queues a body and returns at once. The queue is in memory and is lost when the
// process ends.
func (s *Sender) Send(body []byte) {
	select {
	case s.queue <- message{id: "msg_" + rand.Text(), body: body}:
	default:
		s.opts.Log.Warn("webhook not sent: too many are waiting")
	}
}

// Close stops the sender. Queued messages are dropped.
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

// deliver sends a message until the receiver accepts it, at most maxTries times.
func (s *Sender) deliver(ctx context.Context, m message) {
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, s.try(ctx, m) },
		backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 4, MaxInterval: time.Hour}),
		backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(0))
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("webhook given up", "id", m.id, "attempts", maxTries, "error", err)
	}
}

// try sends a message once. Each attempt has its own timestamp and signature.
func (s *Sender) try(ctx context.Context, m message) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opts.URL, bytes.NewReader(m.body))
	if err != nil {
		return err
	}
	now := s.opts.Now()
	signature, err := webhooksig.Key(s.opts.Key).Sign(m.id, now, m.body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Svix-Id", m.id)
	r.Header.Set("Svix-Timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("Svix-Signature", signature)
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

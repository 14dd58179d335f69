package proxy

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	recheckTimeout = 10 * time.Second
	// maxUnknown is how many rechecks in a row may fail before a stream ends. New requests
	// are refused at once while the database is out of reach, but a restart of the database
	// shouldn't end every WebSocket.
	maxUnknown = 4
)

// stream is an open response or WebSocket.
type stream struct {
	proxy   *Proxy
	recheck func(context.Context) (bool, error) // nil to check nothing

	mu       sync.Mutex
	timer    *time.Timer // nil without recheck
	onEnd    func()      // ends the response or closes the tunnel
	isTunnel bool
	isEvents bool // an event stream, which has no end
	isEnded  bool
	unknown  int // rechecks in a row that failed
}

// openStream registers a response and starts its rechecks. It returns nil if the proxy is
// closed.
func (p *Proxy) openStream(t Target, onEnd func()) *stream {
	s := &stream{proxy: p, recheck: t.Recheck, onEnd: onEnd}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.streams[s] = true
	if s.recheck != nil {
		s.timer = time.AfterFunc(s.nextRecheck(), s.check)
	}
	return s
}

// nextRecheck returns the time until the next check. It varies by an eighth, so that the
// checks of streams that began together spread out.
func (s *stream) nextRecheck() time.Duration {
	interval := s.proxy.opts.Timeouts.Recheck
	return interval*7/8 + rand.N(interval/8)
}

// check ends the stream if the visitor has lost access.
func (s *stream) check() {
	ctx, cancel := context.WithTimeout(context.Background(), recheckTimeout)
	defer cancel()
	allowed, err := s.recheck(ctx)
	s.mu.Lock()
	if err == nil {
		s.unknown = 0
	} else {
		s.unknown++
	}
	isOver := err == nil && !allowed || s.unknown >= maxUnknown
	if !isOver && !s.isEnded {
		s.timer.Reset(s.nextRecheck())
	}
	s.mu.Unlock()
	if isOver {
		s.end()
	}
}

// becomeTunnel makes the stream outlive its request. close is called when it ends. It
// returns false if the stream has ended.
func (s *stream) becomeTunnel(close func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isEnded {
		return false
	}
	s.isTunnel, s.onEnd = true, close
	return true
}

// markLasting marks the response as an event stream.
func (s *stream) markLasting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isEvents = true
}

// lasting reports whether the stream doesn't end by itself.
func (s *stream) lasting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isTunnel || s.isEvents
}

// end ends the stream. It may be called several times.
func (s *stream) end() {
	s.mu.Lock()
	wasEnded := s.isEnded
	s.isEnded = true
	if s.timer != nil {
		s.timer.Stop()
	}
	onEnd := s.onEnd
	s.mu.Unlock()
	if wasEnded {
		return
	}
	onEnd()
	s.proxy.mu.Lock()
	delete(s.proxy.streams, s)
	s.proxy.mu.Unlock()
}

// endExchange ends the stream at the end of its request, unless it has become a tunnel.
func (s *stream) endExchange() {
	s.mu.Lock()
	isTunnel := s.isTunnel
	s.mu.Unlock()
	if !isTunnel {
		s.end()
	}
}

// ended reports whether the stream has ended.
func (s *stream) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isEnded
}

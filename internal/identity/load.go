package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/safego"
)

const (
	// checkInterval is how often the keys are read: a rotation takes effect on all instances
	// within it.
	checkInterval = 30 * time.Second
	// createTimeout limits the creation of a first key, which goes on if the request that needed
	// it is cancelled.
	createTimeout = 15 * time.Second
)

// Load reads the keys. Of ES256, it creates one if there is none that this instance can use; of
// RS256 too, but not the first. Of either, it creates the next one if it is due, and deletes those
// that are no longer published. If it fails, the keys read before stay in use.
func (s *Signer) Load(ctx context.Context) error {
	return errors.Join(s.load(ctx, ES256, true), s.load(ctx, RS256, false))
}

// ensure reads the keys of an algorithm, and creates one if there is none that this instance can
// use. Concurrent calls share one attempt.
func (s *Signer) ensure(ctx context.Context, a Algorithm) error {
	created := s.creating.DoChan(string(a), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
		defer cancel()
		return nil, s.load(ctx, a, true)
	})
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case result := <-created:
		return result.Err
	}
}

// load reads the keys of an algorithm and creates the next one if it is due. If there are none, it
// creates the first if first is set.
func (s *Signer) load(ctx context.Context, a Algorithm, first bool) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	const attempts = 10 // other instances may create keys at the same time
	for range attempts {
		ring, err := s.read(ctx, a)
		if err != nil {
			return err
		}
		if len(ring) == 0 && !first {
			s.rings.Store(s.rings.Load().with(a, ring))
			return nil
		}
		next, reason, err := s.due(a, ring)
		if err != nil {
			return err
		}
		if next == nil {
			s.rings.Store(s.rings.Load().with(a, ring))
			return s.deleteRetired(ctx, ring)
		}
		err = s.store.AddSigningKeys(ctx, []StoredKey{*next}, nil, event.New(event.SettingChanged, s.now(), "", "", reason))
		if err != nil && !errors.Is(err, ErrGenerationTaken) {
			return err
		}
	}
	return ErrNoKey
}

// read returns the stored keys of an algorithm.
func (s *Signer) read(ctx context.Context, a Algorithm) (keyRing, error) {
	stored, err := s.store.ListSigningKeys(ctx, a, 2*maxKeys)
	if err != nil {
		return nil, err
	}
	ring := make(keyRing, len(stored))
	for i, k := range stored {
		if ring[i], err = s.sealer.open(k); err != nil {
			return nil, err
		}
	}
	return ring, nil
}

// due returns the next key, if one has to be created now, and why.
func (s *Signer) due(a Algorithm, ring keyRing) (next *StoredKey, reason string, err error) {
	now := s.now()
	signsFrom := now
	switch {
	case len(ring) == 0:
		reason = "a " + a.keyName() + " was made"
	case ring.signerAt(now) == nil:
		reason = "a " + a.keyName() + " was made, because the cookie key has changed"
	case !now.Before(ring[0].SignsFrom.Add(keyLife)):
		signsFrom = now.Add(publishBefore)
		reason = fmt.Sprintf("a new %s was made after %d days", a.keyName(), int(keyLife.Hours()/24))
	default:
		return nil, "", nil
	}
	k, err := s.sealer.create(a, ring.nextGeneration(), signsFrom, now)
	return &k, reason, err
}

func (s *Signer) deleteRetired(ctx context.Context, ring keyRing) error {
	for _, k := range ring[len(ring.published(s.now())):] {
		if err := s.store.DeleteSigningKey(ctx, k.StoredKey); err != nil {
			return err
		}
	}
	return nil
}

// Run keeps the keys up to date until ctx ends.
func (s *Signer) Run(ctx context.Context) {
	for retry.Sleep(ctx, checkInterval) == nil {
		safego.Recover(s.log, "load signing keys", func() {
			if err := s.Load(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("signing keys not read; those read before stay in use", "error", err)
			}
		})
	}
}

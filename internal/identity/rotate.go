package identity

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/event"
)

// Rotation describes a change of the signing keys.
type Rotation struct {
	Keys      []RotatedKey // ES256 first
	SignsFrom time.Time    // when the new keys begin to sign
	OldUntil  time.Time    // until when the old keys are published; SignsFrom if they no longer are
}

// RotatedKey is a new key.
type RotatedKey struct {
	Algorithm Algorithm
	ID        string
}

// Rotate creates a new key of ES256, and one of RS256 if there are any. They are published at once
// and sign an hour later, so that apps know them by then. If immediately is set, because a key has
// leaked, they sign at once and the old keys are deleted: apps refuse JWTs of other instances until
// those have read the keys, within half a minute, and accept forged ones until they fetch the keys
// again. If there are too many keys of either, it returns ErrTooManyKeys and creates none.
func (s *Signer) Rotate(ctx context.Context, by event.Origin, immediately bool) (Rotation, error) {
	for {
		r, err := s.rotate(ctx, by, immediately)
		if !errors.Is(err, ErrGenerationTaken) {
			return r, err
		}
	}
}

func (s *Signer) rotate(ctx context.Context, by event.Origin, immediately bool) (Rotation, error) {
	now := s.now()
	r := Rotation{SignsFrom: now, OldUntil: now}
	if !immediately {
		r.SignsFrom = now.Add(publishBefore)
		r.OldUntil = r.SignsFrom.Add(retiredFor)
	}
	var add, drop []StoredKey
	var events []event.Event
	for _, a := range [...]Algorithm{ES256, RS256} {
		ring, err := s.read(ctx, a)
		if err != nil {
			return Rotation{}, err
		}
		if len(ring) == 0 && a == RS256 {
			continue
		}
		if immediately {
			for _, k := range ring {
				drop = append(drop, k.StoredKey)
			}
		} else if len(ring.published(now)) >= maxKeys {
			return Rotation{}, ErrTooManyKeys
		}
		k, err := s.sealer.create(a, ring.nextGeneration(), r.SignsFrom, now)
		if err != nil {
			return Rotation{}, err
		}
		add = append(add, k)
		events = append(events, by.NewEvent(event.SettingChanged, now, "", "", "a new "+a.keyName()+" was made: "+k.ID))
		r.Keys = append(r.Keys, RotatedKey{Algorithm: a, ID: k.ID})
	}
	if err := s.store.AddSigningKeys(ctx, add, drop, events...); err != nil {
		return Rotation{}, err
	}
	return r, nil
}

package session

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// Times of sign-in attempts.
const (
	repeatWindow    = time.Minute            // a browser may bring a spent link again, after it was signed in
	attemptLifetime = 10 * time.Minute       // a proof waits for the browser to come again, such as to confirm the address
	attemptLease    = 10 * time.Second       // more than a call to Stytch takes
	attemptPoll     = 100 * time.Millisecond // between looks at another request's attempt
)

// ErrAttemptGone is returned by Store where another request has made the session of
// an attempt, or the attempt is deleted.
var ErrAttemptGone = errors.New("sign-in attempt is over")

// Attempt is what is kept of a link that a browser has brought. A link works once,
// but people press twice, and answers get lost with the session in them: the same
// browser, known by its flow, gets the session that its link has made. Neither the
// link's token nor the flow's id is stored, so that nobody can read the proof who has
// the database alone.
type Attempt struct {
	ID          string    // hex; see newAttemptKey
	Proof       string    // sealed; empty while Stytch is being asked
	LeasedUntil time.Time // until then, the request that claimed it asks Stytch
	SignedInAt  time.Time // when the session was made; zero before that
	ExpiresAt   time.Time
}

// attemptKey names the attempt of a link and a flow, and opens its proof.
type attemptKey struct {
	id     string
	sealer cipher.AEAD
}

func newAttemptKey(token, flowID string) (attemptKey, error) {
	linkHash, flowHash := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(flowID))
	derived, err := hkdf.Key(sha256.New, append(linkHash[:], flowHash[:]...), nil, "guestlist sign-in attempt v1", 64)
	if err != nil {
		return attemptKey{}, err
	}
	block, err := aes.NewCipher(derived[32:])
	if err != nil {
		return attemptKey{}, err
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	return attemptKey{hex.EncodeToString(derived[:32]), sealer}, err
}

func (k attemptKey) seal(p Authentication) (string, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(k.sealer.Seal(nil, nil, text, []byte(k.id))), nil
}

func (k attemptKey) unseal(sealed string) (p Authentication, err error) {
	text, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return Authentication{}, err
	}
	if text, err = k.sealer.Open(nil, nil, text, []byte(k.id)); err != nil {
		return Authentication{}, err
	}
	return p, json.Unmarshal(text, &p)
}

// redeemedLink is what a link has proven.
type redeemedLink struct {
	Authentication
	attemptID string // empty without a flow
	repeated  bool   // the session was made before
}

// prove asks Stytch about a link, or returns what it answered when the same browser
// brought the link before. It waits for another request that is asking.
func (m *Service) prove(ctx context.Context, c Credentials, b Browser) (redeemedLink, error) {
	leave, err := m.enterRedeem(ctx, b)
	if err != nil {
		return redeemedLink{}, err
	}
	defer leave()
	if c.FlowID == "" {
		proof, err := m.authenticateLink(ctx, c, b)
		return redeemedLink{Authentication: proof}, err
	}
	key, err := newAttemptKey(c.Token, c.FlowID)
	if err != nil {
		return redeemedLink{}, err
	}
	found, claimed, err := m.claim(ctx, key.id)
	if err != nil {
		return redeemedLink{}, err
	}
	if claimed {
		proof, err := m.redeemClaimed(ctx, key, c, b)
		return redeemedLink{Authentication: proof, attemptID: key.id}, err
	}
	if !found.SignedInAt.IsZero() && m.opts.Now().Sub(found.SignedInAt) > repeatWindow {
		return redeemedLink{}, ErrLinkSpent
	}
	proof, err := key.unseal(found.Proof)
	return redeemedLink{proof, key.id, !found.SignedInAt.IsZero()}, err
}

// claim begins an attempt, or returns one that Stytch has answered.
func (m *Service) claim(ctx context.Context, id string) (found Attempt, claimed bool, err error) {
	for {
		now := m.opts.Now()
		begun := Attempt{ID: id, LeasedUntil: now.Add(attemptLease), ExpiresAt: now.Add(attemptLifetime)}
		found, claimed, err = m.store.ClaimAttempt(ctx, begun, now)
		if err != nil || claimed || found.Proof != "" {
			return found, claimed, err
		}
		select {
		case <-ctx.Done():
			return Attempt{}, false, ctx.Err()
		case <-time.After(attemptPoll):
		}
	}
}

// redeemClaimed asks Stytch and keeps the answer. Where it refuses, the attempt is
// forgotten.
func (m *Service) redeemClaimed(ctx context.Context, key attemptKey, c Credentials, b Browser) (Authentication, error) {
	proof, err := m.authenticateLink(ctx, c, b)
	if err != nil {
		m.dropAttempt(ctx, key.id)
		return Authentication{}, err
	}
	sealed, err := key.seal(proof)
	if err != nil {
		return Authentication{}, err
	}
	if err := m.store.SaveAttemptProof(context.WithoutCancel(ctx), key.id, sealed); err != nil {
		m.revokeUnclaimed(ctx, b, proof, "", proof.Email, err) // the link can't be brought again
		return Authentication{}, err
	}
	return proof, nil
}

// dropAttempt forgets an attempt that made no session.
func (m *Service) dropAttempt(ctx context.Context, id string) {
	if id == "" {
		return
	}
	if err := m.store.DropAttempt(context.WithoutCancel(ctx), id); err != nil {
		m.opts.Log.Warn("sign-in: attempt not forgotten; it expires by itself", "error", err)
	}
}

// repeat returns the session that a link has made for this browser before. If that
// has ended since, the link is refused like any other that is spent.
func (m *Service) repeat(ctx context.Context, c Credentials, p redeemedLink, b Browser) (Session, string, error) {
	s, token, err := m.sessionOf(ctx, c, p, b)
	if err != nil {
		return Session{}, "", m.recordInvalidLink(ctx, err, b)
	}
	return s, token, nil
}

func (m *Service) sessionOf(ctx context.Context, c Credentials, p redeemedLink, b Browser) (Session, string, error) {
	s, err := m.store.GetSession(ctx, Hash(p.SessionToken))
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return Session{}, "", ErrLinkSpent
	case err != nil:
		return Session{}, "", err
	case !m.opts.Now().Before(s.ExpiresAt), s.User.Status != directory.Active:
		return Session{}, "", ErrLinkSpent
	}
	if c.ReplacedToken != "" && c.ReplacedToken != p.SessionToken {
		err = m.SignOut(ctx, c.ReplacedToken, b)
	}
	return s, p.SessionToken, err
}

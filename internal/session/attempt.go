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
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/retry"
)

// Times of sign-in attempts.
const (
	repeatWindow    = time.Minute            // a browser may redeem a link again this long after the sign-in
	attemptLifetime = 10 * time.Minute       // how long a proof is kept, such as for confirming the address
	attemptLease    = 10 * time.Second       // more than a call to the provider takes
	attemptPoll     = 100 * time.Millisecond // between reads of another request's attempt
)

// ErrAttemptGone is returned by Store if another request has created the session of an
// attempt, or the attempt was deleted.
var ErrAttemptGone = errors.New("sign-in attempt is over")

// Attempt is the state of a link or a code that a browser has redeemed. It works once,
// but users press twice, and responses get lost together with the session: the same
// browser, known by its flow, gets the session that its link created. Neither the
// link's token nor the code nor the flow's id is stored, so the proof can't be read from the
// database alone.
type Attempt struct {
	ID          string    // hex; see newAttemptKey
	Proof       string    // sealed Authentication; empty while the provider is being called
	LeasedUntil time.Time // until then, the request that claimed it calls the provider
	SignedInAt  time.Time // when the session was created; zero before that
	ExpiresAt   time.Time
}

// attemptKey identifies the attempt of a link or a code and a flow, and seals its proof.
type attemptKey struct {
	id     string
	sealer cipher.AEAD
}

func newAttemptKey(secret, flowID string) (attemptKey, error) {
	secretHash, flowHash := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(flowID))
	derived, err := hkdf.Key(sha256.New, append(secretHash[:], flowHash[:]...), nil, "guestlist sign-in attempt v1", 64)
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

func (k attemptKey) seal(a Authentication) (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(k.sealer.Seal(nil, nil, text, []byte(k.id))), nil
}

func (k attemptKey) unseal(sealed string) (a Authentication, err error) {
	text, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return Authentication{}, err
	}
	if text, err = k.sealer.Open(nil, nil, text, []byte(k.id)); err != nil {
		return Authentication{}, err
	}
	return a, json.Unmarshal(text, &a)
}

// signIn is a sign-in in progress.
type signIn struct {
	kind     factor.Kind
	secret   string // the link's token, or what makes a code unique
	flow     SignInFlow
	replaced string // the session token in the browser's cookie; that session ends

	hostLinkHash string // of the HostLink that is redeemed; empty for others

	// authenticate redeems the credential at the provider.
	authenticate func(ctx context.Context) (Authentication, error)
}

// redeemed is the result of a valid credential.
type redeemed struct {
	Authentication
	attemptID string // empty without a flow
	repeated  bool   // the credential has created its session before
}

// redeem redeems a link or a code at the provider, or returns the result of an earlier
// redemption by the same browser. It waits for a concurrent redemption.
func (s *Service) redeem(ctx context.Context, in signIn, b Browser) (redeemed, error) {
	leave, err := s.enterRedeem(ctx, b)
	if err != nil {
		return redeemed{}, err
	}
	defer leave()
	if in.flow.ID == "" {
		auth, err := s.callProvider(ctx, in.authenticate)
		return redeemed{Authentication: auth}, err
	}
	key, err := newAttemptKey(in.secret, in.flow.ID)
	if err != nil {
		return redeemed{}, err
	}
	found, claimed, err := s.claimAttempt(ctx, key.id)
	if err != nil {
		return redeemed{}, err
	}
	if !claimed {
		if !found.SignedInAt.IsZero() && s.opts.Now().Sub(found.SignedInAt) > repeatWindow {
			return redeemed{}, in.spent()
		}
		auth, err := key.unseal(found.Proof)
		return redeemed{auth, key.id, !found.SignedInAt.IsZero()}, err
	}
	auth, err := s.callProvider(ctx, in.authenticate)
	if err != nil {
		s.dropAttempt(ctx, key.id)
		return redeemed{}, err
	}
	proof, err := key.seal(auth)
	if err != nil {
		return redeemed{}, err
	}
	if err := s.store.SaveAttemptProof(context.WithoutCancel(ctx), key.id, proof); err != nil {
		s.revokeUnclaimed(ctx, b, auth, "", auth.Email, err) // it can't be redeemed again
		return redeemed{}, err
	}
	return redeemed{Authentication: auth, attemptID: key.id}, nil
}

// spent returns the error for a credential that was used before.
func (in signIn) spent() error {
	switch {
	case in.kind == factor.EmailCode:
		return ErrCodeSpent
	case in.kind.IsOAuth():
		return ErrOAuth
	}
	return ErrLinkSpent
}

// subject returns the address that the credential is for, or "" if the credential alone
// knows it.
func (in signIn) subject() string {
	if in.kind == factor.EmailCode {
		return in.flow.Email
	}
	return ""
}

// claimAttempt begins an attempt, or returns one that has a proof.
func (s *Service) claimAttempt(ctx context.Context, id string) (found Attempt, claimed bool, err error) {
	for {
		now := s.opts.Now()
		attempt := Attempt{ID: id, LeasedUntil: now.Add(attemptLease), ExpiresAt: now.Add(attemptLifetime)}
		found, claimed, err = s.store.ClaimAttempt(ctx, attempt, now)
		if err != nil || claimed || found.Proof != "" {
			return found, claimed, err
		}
		if err := retry.Sleep(ctx, attemptPoll); err != nil {
			return Attempt{}, false, err
		}
	}
}

// callProvider makes a call that redeems a credential. It has all of callTimeout, however
// long the request waited for a slot, and isn't cancelled with ctx, because the provider
// may have redeemed the credential already.
func (s *Service) callProvider(ctx context.Context, call func(context.Context) (Authentication, error)) (Authentication, error) {
	if err := ctx.Err(); err != nil { // cancelled in the queue
		return Authentication{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	return call(ctx)
}

// authenticateLink redeems a link at the provider. A browser with a verifier may redeem
// a link made without one, such as an invitation.
func (s *Service) authenticateLink(ctx context.Context, c Credentials, b Browser) (Authentication, error) {
	auth, err := s.provider.AuthenticateMagicLink(ctx, c.Token, c.Flow.Verifier, b)
	if errors.Is(err, ErrNoChallenge) {
		return s.provider.AuthenticateMagicLink(ctx, c.Token, "", b)
	}
	if auth.MadeAt.IsZero() && c.Flow.Verifier != "" {
		auth.MadeAt = c.Flow.MadeAt // the link was made with the verifier's challenge, so not earlier
	}
	return auth, err
}

// dropAttempt deletes an attempt that created no session. An empty id is ignored.
func (s *Service) dropAttempt(ctx context.Context, id string) {
	if id == "" {
		return
	}
	if err := s.store.DropAttempt(context.WithoutCancel(ctx), id); err != nil {
		s.log.Warn("sign-in attempt not deleted; it will expire", "error", err)
	}
}

// repeat returns the session that a link or a code created for this browser before. If
// that session has ended, the credential counts as used.
func (s *Service) repeat(ctx context.Context, in signIn, auth redeemed, b Browser) (Session, string, error) {
	sess, err := s.store.GetSession(ctx, Hash(auth.SessionToken))
	if errors.Is(err, directory.ErrNotFound) || err == nil && !sess.isLive(s.opts.Now()) {
		err = in.spent()
	}
	if err == nil && in.replaced != "" && in.replaced != auth.SessionToken {
		err = s.SignOut(ctx, in.replaced, b)
	}
	if err != nil {
		return Session{}, "", s.recordInvalid(ctx, err, in.subject(), b)
	}
	return sess, auth.SessionToken, nil
}

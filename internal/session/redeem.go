package session

import (
	"context"
	"errors"
)

// authenticateLink asks Stytch about a link. A browser that has a verifier may bring a link
// that was made without one, such as an invitation. The call has all of callTimeout,
// however long there was a wait for a slot, and goes on where the browser goes away:
// Stytch may have spent the link already.
func (m *Service) authenticateLink(ctx context.Context, c Credentials, b Browser) (Authentication, error) {
	if err := ctx.Err(); err != nil { // gave up in the queue
		return Authentication{}, err
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	proof, err := m.provider.AuthenticateMagicLink(call, c.Token, c.Verifier, b)
	if errors.Is(err, ErrNoChallenge) {
		return m.provider.AuthenticateMagicLink(call, c.Token, "", b)
	}
	if proof.MadeAt.IsZero() && c.Verifier != "" {
		proof.MadeAt = c.VerifierMadeAt // the link was made with its challenge, so not before it
	}
	return proof, err
}

// enterRedeem waits for a slot to ask Stytch about a link. Links of one network or
// known browser share few slots, and fewer where wrong ones came from of late: a good
// one still gets in, so that nobody keeps others out who come from the same address.
// Known browsers take no slots from others, and others none from them.
func (m *Service) enterRedeem(ctx context.Context, b Browser) (leave func(), err error) {
	if !m.opts.Limits {
		return func() {}, nil
	}
	client, all, allowed := "network "+b.networks()[0], "all networks", clientLimits
	if b.KnownID != "" {
		client, all = "browser "+b.KnownID, "all browsers"
	}
	refusal := &RateLimitError{Err: ErrTooMany, After: slotRetryAfter}
	over := m.peek(ctx, anyRefusal, tokenBuckets(b)...)
	if errors.As(over, &refusal) {
		client, allowed = "suspect "+refusal.bucket, suspectLimits
	} else if over != nil {
		return nil, over
	}
	leaveClient, err := m.redeeming.enter(ctx, client, allowed)
	if err != nil {
		return nil, slotError(err, refusal)
	}
	leaveAll, err := m.redeeming.enter(ctx, all, totalLimits)
	if err != nil {
		leaveClient()
		return nil, slotError(err, refusal)
	}
	return func() { leaveAll(); leaveClient() }, nil
}

// slotError is the refusal of a caller for whom there was no slot.
func slotError(err error, refusal *RateLimitError) error {
	if errors.Is(err, errNoSlot) {
		return refusal
	}
	return err
}

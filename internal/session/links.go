package session

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/safego"
)

// Limits on sending links. maxSending links may be in flight, and slotsPerSecond more
// for each second of Options.SendPause, because a link holds its slot during the pause.
const (
	maxSending     = 64
	slotsPerSecond = 256
)

// sendPauses are the pauses before each attempt to send a link.
var sendPauses = []time.Duration{0, time.Second, 5 * time.Second}

// admissionResult is the result of the admission policy for an address.
type admissionResult struct {
	directory.Applicant
	decision directory.Decision
	refusal  error // nil, or wraps directory.ErrNotListed or directory.ErrSuspended
}

// decideAdmission evaluates the admission policy. It does the same work for every address.
func (s *Service) decideAdmission(ctx context.Context, email directory.Email) (a admissionResult, err error) {
	if a.Applicant, err = s.store.Applicant(ctx, email); err == nil {
		a.decision, a.refusal = s.opts.Admission.Decide(a.Applicant)
	}
	return a, err
}

// RequestLink mails a sign-in link if the address may sign in, and returns the flow to
// store in the browser. The caller can't tell whether a mail is sent, neither by the
// result nor by the time it takes: before RequestLink returns, it only reads, in the same
// way for every address. It writes and sends after a random part of Options.SendPause, so
// that requests made right after this one can't tell either. Errors: ErrUnavailable,
// *RateLimitError, ErrTooMany (too many links are being sent), directory.ErrUnavailable.
func (s *Service) RequestLink(ctx context.Context, email directory.Email, flow SignInFlow, b Browser) (SignInFlow, error) {
	return s.request(ctx, factor.EmailLink, email, flow, b)
}

// request does what RequestLink and RequestCode say.
func (s *Service) request(ctx context.Context, kind factor.Kind, email directory.Email, flow SignInFlow, b Browser) (SignInFlow, error) {
	if err := s.Ready(ctx); err != nil {
		return flow, err
	}
	slots := s.sendSlots
	if b.KnownID != "" {
		slots = s.knownSlots
	}
	select {
	case slots <- struct{}{}:
	default:
		return flow, ErrTooMany
	}
	send, err := s.prepare(ctx, kind, email, &flow, b)
	if err != nil {
		<-slots
		return flow, err
	}
	s.sending.Go(func() {
		defer func() { <-slots }()
		safego.Recover(s.log, "send a link or a code", send)
	})
	return flow, nil
}

// prepare counts a request for a link or a code, updates the flow, and returns a function
// that sends it.
func (s *Service) prepare(ctx context.Context, kind factor.Kind, email directory.Email, flow *SignInFlow, b Browser) (send func(), err error) {
	linksAfter, mustProveAge, err := s.mustProveAge(ctx, email)
	if err != nil {
		return nil, err
	}
	if err := s.takeLink(ctx, email, b); err != nil {
		return nil, err
	}
	a, err := s.decideAdmission(ctx, email)
	if err != nil {
		return nil, err
	}
	flow.EnsureID()
	flow.Ask(email.Normalized)
	flow.ExpiresAt = s.opts.Now().Add(max(s.opts.LinkDuration, CodeDuration))
	flow.RequestedAt = s.opts.Now()
	mail, err := s.prepareDelivery(ctx, kind, email, a, flow, b, linksAfter, mustProveAge)
	if err != nil {
		return nil, err
	}
	requested := b.Origin().NewEvent(codeRequested(kind), s.opts.Now(), "", email.Normalized, "")
	if a.User != nil {
		requested.SubjectID = a.User.ID
	}
	if a.refusal != nil {
		requested.Reason = a.refusal.Error()
	}
	pause := s.randomPause()
	if pause == 0 && s.mayRecord(ctx, b, requested) {
		if err := s.store.AddEvents(ctx, requested); err != nil { // for every address
			return nil, err
		}
	}
	ctx = context.WithoutCancel(ctx)
	return func() {
		if pause > 0 {
			s.sleep(pause) // if the program stops, the email is sent at once
			s.recordAnonymous(ctx, b, requested)
		}
		if a.refusal != nil {
			mail.decoy(ctx)
			return
		}
		s.deliver(ctx, mail, email.Normalized, requested.SubjectID, b)
	}, nil
}

// delivery emails a link or a code.
type delivery struct {
	send   func(ctx context.Context) error
	decoy  func(ctx context.Context) // instead of send, for an address that gets none
	failed event.Kind                // of the event if it could not be sent
}

// prepareDelivery updates the flow for a link or a code, and returns how to email it. For a
// code, it writes the request, for every address alike.
func (s *Service) prepareDelivery(
	ctx context.Context, kind factor.Kind, email directory.Email, a admissionResult, flow *SignInFlow, b Browser, linksAfter time.Time, mustProveAge bool,
) (delivery, error) {
	if kind == factor.EmailCode {
		id, err := s.createCodeRequest(ctx, email, b)
		if err != nil {
			return delivery{}, err
		}
		flow.CodeID = id
		code := Code{Email: email.Normalized, CreateAccount: !a.decision.Listed, Browser: b}
		return delivery{
			send:   func(ctx context.Context) error { return s.sendCode(ctx, code, id) },
			decoy:  func(ctx context.Context) { s.runCodeDecoy(ctx, email.Normalized, id) },
			failed: event.CodeFailed,
		}, nil
	}
	link := Link{Email: email.Normalized, CreateAccount: !a.decision.Listed, Browser: b}
	if s.opts.SameBrowser || mustProveAge {
		link.Challenge = flow.challenge(linksAfter, s.opts.Now())
	}
	return delivery{
		send:   func(ctx context.Context) error { return s.provider.SendMagicLink(ctx, link) },
		decoy:  func(ctx context.Context) { s.runDecoy(ctx, email.Normalized) },
		failed: event.LinkFailed,
	}, nil
}

// randomPause returns a random part of SendPause.
func (s *Service) randomPause() time.Duration {
	if s.opts.SendPause <= 0 {
		return 0
	}
	part, err := rand.Int(rand.Reader, big.NewInt(int64(s.opts.SendPause)))
	if err != nil { // never happens
		return s.opts.SendPause
	}
	return time.Duration(part.Int64())
}

// sleep pauses for d and returns true. It returns false early if Close is called.
func (s *Service) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.closing:
		return false
	}
}

// runDecoy runs Options.Decoy for an address that gets no link.
func (s *Service) runDecoy(ctx context.Context, email string) {
	if s.opts.Decoy == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := s.opts.Decoy(ctx, email); err != nil {
		s.log.Warn("decoy for an address that gets no link failed", "error", err)
	}
}

// deliver emails a link or a code, retrying a few times. A user without a Stytch account is
// invited through the outbox instead of getting a link.
func (s *Service) deliver(ctx context.Context, mail delivery, address, userID string, b Browser) {
	var err error
	for _, pause := range sendPauses {
		if pause > 0 && !s.sleep(pause) {
			break
		}
		call, cancel := context.WithTimeout(ctx, callTimeout)
		err = mail.send(call)
		cancel()
		if errors.Is(err, outbox.ErrRefused) || !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrNotMailed) {
			break
		}
	}
	if errors.Is(err, ErrNoAccount) {
		err = s.invite(ctx, address)
	}
	if err != nil {
		s.log.Warn("sign-in email not sent", "error", err)
		s.recordAnonymous(ctx, b, b.Origin().NewEvent(mail.failed, s.opts.Now(), userID, address, outbox.Reason(err)))
	}
}

// invite invites a user through the outbox, unless an invitation is pending there.
func (s *Service) invite(ctx context.Context, address string) error {
	email, err := directory.ParseEmail(address)
	if err != nil {
		return err
	}
	u, err := s.store.GetUserByEmail(ctx, email)
	if err != nil {
		return err
	}
	jobs, err := s.store.ListJobs(ctx, email)
	if err != nil || slices.ContainsFunc(jobs, func(j outbox.Job) bool { return j.Kind == outbox.Invite }) {
		return err
	}
	defer s.outbox.Wake()
	return s.store.AddJob(ctx, outbox.New(outbox.Invite, email.Normalized, u.ID, "", u.Name, s.opts.Now()))
}

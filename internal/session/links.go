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
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/safego"
)

// How many links may be on their way to Stytch at once, and how often and with
// what pauses each is tried.
const maxSending = 64

var sendPauses = []time.Duration{0, time.Second, 5 * time.Second}

// slotsPerSecond is how many more links than maxSending may be on their way for each
// second of Options.SendPause, because a link holds its slot while it waits.
const slotsPerSecond = 256

// RequestLink has a sign-in link mailed to an address that may come in, and does
// nothing for any other. The caller can't tell which, neither by the answer nor by
// the time it takes: before it returns it only looks, in the same way for every
// address. What it writes and sends comes after a random part of Options.SendPause,
// so that requests made right after this one can't tell either. Errors:
// ErrUnavailable, *TooMany, ErrTooMany (when too many are being sent),
// directory.ErrUnavailable.
func (m *Service) RequestLink(ctx context.Context, email directory.Email, challenge string, b Browser) error {
	if err := m.Ready(ctx); err != nil {
		return err
	}
	slots := m.sendSlots
	if b.KnownID != "" {
		slots = m.knownSlots
	}
	select {
	case slots <- struct{}{}:
	default:
		return ErrTooMany
	}
	begun := false
	defer func() {
		if !begun {
			<-slots
		}
	}()
	if err := m.takeLink(ctx, email, b); err != nil {
		return err
	}
	a, err := m.decideAdmission(ctx, email)
	if err != nil {
		return err
	}
	asked := requested(a, email, b, m.opts.Now())
	link := Link{Email: email.Normalized, CreateAccount: !a.verdict.Listed, Challenge: challenge, Browser: b}
	pause := m.randomPause()
	if pause == 0 && m.mayRecord(ctx, b, asked) {
		if err := m.store.AddEvents(ctx, asked); err != nil { // for every address
			return err
		}
	}
	begun = true
	ctx = context.WithoutCancel(ctx)
	m.sending.Go(func() {
		defer func() { <-slots }()
		safego.Recover(m.opts.Log, "send a link", func() {
			if pause > 0 {
				m.sleep(pause) // or the program stops, and it is sent all the same
				m.record(ctx, b, asked)
			}
			if a.refusal != nil {
				m.sendDecoy(ctx, link)
				return
			}
			m.sendLink(ctx, link, asked.SubjectID)
		})
	})
	return nil
}

// randomPause returns a random part of SendPause; 0 where there is none.
func (m *Service) randomPause() time.Duration {
	if m.opts.SendPause <= 0 {
		return 0
	}
	part, err := rand.Int(rand.Reader, big.NewInt(int64(m.opts.SendPause)))
	if err != nil { // never
		return m.opts.SendPause
	}
	return time.Duration(part.Int64())
}

// sendDecoy does for an address that may not come in what the login service does for
// others, without a mail.
func (m *Service) sendDecoy(ctx context.Context, link Link) {
	if m.opts.Decoy == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := m.opts.Decoy(ctx, link.Email); err != nil {
		m.opts.Log.Warn("sign-in: a decoy for an address that gets no link failed", "error", err)
	}
}

// admissionResult is what the rule says of an address.
type admissionResult struct {
	directory.Applicant
	verdict directory.Decision
	refusal error // nil, or wraps directory.ErrNotListed or directory.ErrSuspended
}

// decideAdmission asks the rule whether an address may come in. It does the same work for
// every address.
func (m *Service) decideAdmission(ctx context.Context, email directory.Email) (admissionResult, error) {
	from, err := m.store.Applicant(ctx, email)
	if err != nil {
		return admissionResult{}, err
	}
	a := admissionResult{Applicant: from}
	a.verdict, a.refusal = m.opts.Admission.Decide(from)
	return a, nil
}

// requested is what the audit trail says of a request for a link.
func requested(a admissionResult, email directory.Email, b Browser, now time.Time) event.Event {
	userID, reason := "", ""
	if a.User != nil {
		userID = a.User.ID
	}
	if a.refusal != nil {
		reason = a.refusal.Error()
	}
	return b.origin().NewEvent(event.LinkRequested, now, userID, email.Normalized, reason)
}

// sleep returns true after a pause, or false at once when the program stops.
func (m *Service) sleep(pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-m.closing:
		return false
	}
}

// sendLink mails a link, with a few tries. Somebody on the list whom Stytch doesn't
// know is invited, through the outbox.
func (m *Service) sendLink(ctx context.Context, link Link, userID string) {
	var err error
	for _, pause := range sendPauses {
		if pause > 0 && !m.sleep(pause) {
			break // the program stops; that it was not sent is noted
		}
		call, cancel := context.WithTimeout(ctx, callTimeout)
		err = m.provider.SendMagicLink(call, link)
		cancel()
		if errors.Is(err, outbox.ErrRefused) || !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrNotMailed) {
			break
		}
	}
	if errors.Is(err, ErrNoAccount) {
		err = m.invite(ctx, link.Email)
	}
	if err != nil {
		m.opts.Log.Warn("sign-in: link not sent", "error", err)
		m.record(ctx, link.Browser, link.Browser.origin().NewEvent(event.LinkFailed, m.opts.Now(), userID, link.Email, outbox.Reason(err)))
	}
}

// invite has somebody invited through the outbox, unless an invitation waits there.
func (m *Service) invite(ctx context.Context, address string) error {
	email, err := directory.ParseEmail(address)
	if err != nil {
		return err
	}
	u, err := m.store.GetUserByEmail(ctx, email)
	if err != nil {
		return err
	}
	jobs, err := m.store.ListJobs(ctx, email)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(jobs, func(j outbox.Job) bool { return j.Kind == outbox.Invite }) {
		return nil
	}
	defer m.outbox.Wake()
	return m.store.AddJob(ctx, outbox.New(outbox.Invite, email.Normalized, u.ID, "", u.Name, m.opts.Now()))
}

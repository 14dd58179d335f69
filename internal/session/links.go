package session

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/background"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

// How many links may be on their way to Stytch at once, and how often and with
// what pauses each is tried.
const maxSending = 64

var sendPauses = []time.Duration{0, time.Second, 5 * time.Second}

// RequestLink has a sign-in link mailed to an address that may come in, and does
// nothing for any other. The caller can't tell which, neither by the answer nor
// by the time it takes: what is done before it returns is the same for every
// address, and the mail is sent behind its back. Errors: ErrUnavailable,
// *TooMany, ErrTooMany (when too many are being sent), directory.ErrUnavailable.
func (m *Manager) RequestLink(ctx context.Context, email directory.Email, challenge string, b Browser) error {
	if err := m.Ready(ctx); err != nil {
		return err
	}
	slots := m.sendSlots
	if b.Known != "" {
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
	link, userID, err := m.link(ctx, email)
	if err != nil {
		return err
	}
	begun = true
	ctx = context.WithoutCancel(ctx)
	m.sending.Go(func() {
		defer func() { <-slots }()
		if link != nil {
			link.Challenge, link.Browser = challenge, b
			background.Safely(m.Log, "send a link", func() { m.send(ctx, *link, userID) })
		}
	})
	return nil
}

// admission is what the rule says of an address.
type admission struct {
	directory.Applicant
	verdict directory.Verdict
	refusal error // nil, or wraps directory.ErrNotListed or directory.ErrSuspended
}

// admit asks the rule whether an address may come in. It does the same work for
// every address.
func (m *Manager) admit(ctx context.Context, email directory.Email) (admission, error) {
	from, err := m.store.Applicant(ctx, email)
	if err != nil {
		return admission{}, err
	}
	a := admission{Applicant: from}
	a.verdict, a.refusal = m.Admission.Decide(from)
	return a, nil
}

// link returns the link for an address, nil for one that may not come in, and the
// id of the person on the list who has it.
func (m *Manager) link(ctx context.Context, email directory.Email) (_ *Link, userID string, _ error) {
	a, err := m.admit(ctx, email)
	if err != nil {
		return nil, "", err
	}
	if a.User != nil {
		userID = a.User.ID
	}
	asked := event.New(event.LinkRequested, m.Now(), userID, email.Key, "")
	if a.refusal != nil {
		asked.Reason = a.refusal.Error()
	}
	if err := m.store.AddEvents(ctx, asked); err != nil { // for every address
		return nil, "", err
	}
	if a.refusal != nil {
		return nil, "", nil
	}
	return &Link{Email: email.Key, Stranger: !a.verdict.Listed}, userID, nil
}

// waited returns true after a pause, or false at once when the program stops.
func (m *Manager) waited(pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-m.closing:
		return false
	}
}

// send mails a link, with a few tries. Somebody on the list whom Stytch doesn't
// know is invited, through the outbox.
func (m *Manager) send(ctx context.Context, link Link, userID string) {
	var err error
	for _, pause := range sendPauses {
		if pause > 0 && !m.waited(pause) {
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
		m.Log.Warn("sign-in: link not sent", "error", err)
		m.note(ctx, event.New(event.LinkFailed, m.Now(), userID, link.Email, outbox.Reason(err)))
	}
}

func (m *Manager) invite(ctx context.Context, address string) error {
	email, err := directory.ParseEmail(address)
	if err != nil {
		return err
	}
	u, err := m.store.GetUserByEmail(ctx, email)
	if err != nil {
		return err
	}
	defer m.outbox.Wake()
	return m.store.AddJob(ctx, outbox.New(outbox.Invite, email.Key, u.ID, "", u.Name, m.Now()))
}

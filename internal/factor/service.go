package factor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/text"
)

// Limits on what a user can set up.
const (
	MaxPasskeys = 20 // of a user
	maxName     = 60 // characters of a passkey's name
)

// RecoveryCodes is the number of recovery codes of an authenticator app.
const RecoveryCodes = 10

// SetupDuration is how long a user may take to set up an authenticator app.
const SetupDuration = 30 * time.Minute

// callTimeout bounds each call to the provider.
const callTimeout = 5 * time.Second

// Errors of setting up factors. Methods of Service also return those of session.Provider,
// directory.ErrUnavailable and *directory.ValidationError.
var (
	ErrNotFound        = errors.New("passkey or authenticator app not found")
	ErrTooManyPasskeys = errors.New("too many passkeys")
	ErrHasTOTP         = errors.New("an authenticator app is set up already")
	ErrPasskeyExists   = errors.New("this passkey is set up already")
	ErrSetupReplaced   = errors.New("another authenticator app was begun to be set up since")
	ErrMayNotSetUp     = errors.New("setting up a factor needs a fresh sign-in") // with a factor, if the user has any

	errAdded = errors.New("factor is added already")
)

// TOTPSetup is an authenticator app that is being set up. It is shown once and not stored.
type TOTPSetup struct {
	ProviderID    string
	Secret        string   // base32, 32 characters, for SHA-1, six digits and 30 seconds
	RecoveryCodes []string // xxxx-xxxx-xxxx
}

// Provider is the login service, which keeps the keys and secrets. Its errors are those of
// session.Provider, and those of this package.
type Provider interface {
	// StartRegistration returns the options of a new passkey of an account, in the form that
	// PublicKeyCredential.parseCreationOptionsFromJSON takes. The name and the address
	// are shown by the authenticator.
	StartRegistration(ctx context.Context, stytchUserID, name, email, userAgent string) (json.RawMessage, error)
	// RegisterPasskey checks the result of PublicKeyCredential.toJSON, adds the passkey to
	// the account and the session of the token, and returns the passkey's id.
	RegisterPasskey(ctx context.Context, stytchUserID, credential, sessionToken string) (providerID string, err error)
	// StartTOTP begins to set up an authenticator app, in place of one that was begun.
	// It returns ErrHasTOTP if the account has one.
	StartTOTP(ctx context.Context, stytchUserID string) (TOTPSetup, error)
	// DropTOTPs deletes the authenticator apps of an account.
	DropTOTPs(ctx context.Context, stytchUserID string) error
	// ConfirmTOTP completes it with a code of the app, adds the factor to the session of the
	// token, and returns the app's id.
	ConfirmTOTP(ctx context.Context, stytchUserID, code, sessionToken string) (providerID string, err error)
}

// Addition is a new factor, which the session that added it has proven.
type Addition struct {
	Factor      Factor
	SessionHash string // of the session; see session.Session.TokenHash
	Event       event.Event
}

// Removal is what is written when factors of a user are removed.
type Removal struct {
	Factors []Factor      // to delete; if there are none, nothing is written
	Events  []event.Event // the user is notified of the last one
	Jobs    []outbox.Job  // that remove the factors from the provider
}

// Store keeps the factors of users. Errors wrap directory.ErrNotFound and
// directory.ErrUnavailable.
type Store interface {
	// ListFactors returns a user's factors, oldest first.
	ListFactors(ctx context.Context, userID string) ([]Factor, error)
	// AddFactor writes a factor and adds its proof to the session, unless rule, which gets
	// the user's factors, returns an error.
	AddFactor(ctx context.Context, a Addition, rule func(have []Factor) error) error
	// RenameFactor renames a factor and writes the event.
	RenameFactor(ctx context.Context, userID, id, name string, e event.Event) error
	// RemoveFactors makes the removal that rule returns for the user's factors, in one
	// transaction, and returns the deleted ones. Without an authenticator app, the user's
	// sessions need none any more.
	RemoveFactors(ctx context.Context, userID string, rule func(u directory.User, have []Factor) Removal) ([]Factor, error)
	AddJob(ctx context.Context, job outbox.Job) error
	// ListJobs returns the pending jobs of a user, oldest first.
	ListJobs(ctx context.Context, email directory.Email) ([]outbox.Job, error)
	// OfferPasskey reports whether to ask a user, in a session, if they want a passkey. The
	// first call for a user decides in which session they are asked.
	OfferPasskey(ctx context.Context, userID, sessionHash string, now time.Time) (bool, error)
	// AnswerPasskeyOffer ends that.
	AnswerPasskeyOffer(ctx context.Context, userID string) error
}

// Outbox executes jobs; outbox.Worker implements it.
type Outbox interface{ Wake() }

// Service manages the passkeys and authenticator apps of users.
type Service struct {
	store    Store
	provider Provider
	outbox   Outbox
	now      func() time.Time
}

// New returns a Service.
func New(store Store, provider Provider, worker Outbox, now func() time.Time) *Service {
	return &Service{store: store, provider: provider, outbox: worker, now: now}
}

// Account is a signed-in user who sets up a factor.
type Account struct {
	User         directory.User
	SessionHash  string // of the user's session
	SessionToken string // of the same session at the provider

	// MaySetUp reports whether the session may set up a factor; see Policy.MaySetUp. If it
	// returns false, ErrMayNotSetUp is returned.
	MaySetUp func(hasFactor bool) bool
}

// check returns ErrMayNotSetUp if the user of the factors may not set up another one.
func (a Account) check(have []Factor) error {
	if !a.MaySetUp(len(have) > 0) {
		return ErrMayNotSetUp
	}
	return nil
}

// List returns a user's factors, oldest first.
func (s *Service) List(ctx context.Context, userID string) ([]Factor, error) {
	return s.store.ListFactors(ctx, userID)
}

// StartPasskey returns the options of a new passkey; see Provider.StartRegistration.
// Errors: ErrTooManyPasskeys, ErrMayNotSetUp.
func (s *Service) StartPasskey(ctx context.Context, a Account, userAgent string) (json.RawMessage, error) {
	u := a.User
	have, err := s.store.ListFactors(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(a.check(have), checkNumber(have)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.provider.StartRegistration(ctx, u.StytchUserID, u.DisplayName(), u.Email.Display, userAgent)
}

// checkNumber returns ErrTooManyPasskeys if no passkey may be added.
func checkNumber(have []Factor) error {
	if countPasskeys(have) >= MaxPasskeys {
		return ErrTooManyPasskeys
	}
	return nil
}

// AddPasskey adds a passkey by the result of PublicKeyCredential.toJSON. The session has
// proven it then. It is named after its authenticator or, if that is unknown, defaultName.
// Errors: ErrPasskeyExists, ErrTooManyPasskeys, ErrMayNotSetUp,
// ErrCredential, ErrUserVerification.
func (s *Service) AddPasskey(ctx context.Context, by event.Origin, a Account, credential, defaultName string) (Factor, error) {
	parsed, err := ParseCredential(credential)
	if err != nil {
		return Factor{}, err
	}
	rule := func(have []Factor) error { return errors.Join(a.check(have), checkNumber(have)) }
	have, err := s.store.ListFactors(ctx, a.User.ID)
	if err == nil {
		err = rule(have)
	}
	if err != nil {
		return Factor{}, err
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	providerID, err := s.provider.RegisterPasskey(call, a.User.StytchUserID, parsed.JSON, a.SessionToken)
	if err != nil {
		return Factor{}, err
	}
	return s.add(ctx, by, a, Factor{
		Kind: Passkey, ProviderID: providerID, CredentialID: parsed.ID, Name: newName(cmp.Or(parsed.Authenticator, text.Name(defaultName)), have),
	}, rule)
}

// add writes a factor that the provider has. If that fails, the factor is removed from the
// provider, unless it was written before.
func (s *Service) add(ctx context.Context, by event.Origin, a Account, f Factor, rule func([]Factor) error) (Factor, error) {
	ctx = context.WithoutCancel(ctx)
	now := s.now()
	f.ID, f.UserID, f.CreatedAt = ids.New(), a.User.ID, now
	err := s.store.AddFactor(ctx, Addition{
		Factor: f, SessionHash: a.SessionHash,
		Event: by.NewEvent(event.FactorAdded, now, a.User.ID, a.User.Email.Normalized, f.describe()),
	}, rule)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, errAdded):
		return Factor{}, err
	}
	return Factor{}, s.undo(ctx, a, f, err)
}

// undo removes a factor that wasn't added because of err from the provider, and returns err.
func (s *Service) undo(ctx context.Context, a Account, f Factor, err error) error {
	ctx = context.WithoutCancel(ctx)
	if jobErr := s.store.AddJob(ctx, f.removeJob(a.User, s.now())); jobErr != nil {
		return errors.Join(err, jobErr)
	}
	s.outbox.Wake()
	return err
}

// Rename changes the name of a passkey. Errors: *directory.ValidationError, ErrNotFound.
func (s *Service) Rename(ctx context.Context, by event.Origin, u directory.User, id, name string) error {
	name, err := parseName(name)
	if err != nil {
		return err
	}
	return notFound(s.store.RenameFactor(ctx, u.ID, id, name, by.NewEvent(event.FactorRenamed, s.now(), u.ID, u.Email.Normalized, name)))
}

// Remove removes one of a user's factors, here at once and at the provider through the
// outbox. Errors: ErrNotFound.
func (s *Service) Remove(ctx context.Context, by event.Origin, userID, id string) (Factor, error) {
	return one(s.remove(ctx, by, userID, "", func(f Factor) bool { return f.ID == id }))
}

// RemovePasskey is Remove for a passkey. Errors: ErrNotFound.
func (s *Service) RemovePasskey(ctx context.Context, by event.Origin, userID, id string) (Factor, error) {
	return one(s.remove(ctx, by, userID, "", func(f Factor) bool { return f.ID == id && f.Kind == Passkey }))
}

// one returns the factor that was removed, or ErrNotFound if none was.
func one(removed []Factor, err error) (Factor, error) {
	if err != nil {
		return Factor{}, err
	}
	if len(removed) == 0 {
		return Factor{}, ErrNotFound
	}
	return removed[0], nil
}

// Reset removes all of a user's factors, and returns them. reason is for the audit log and
// may be empty. Errors: directory.ErrNotFound.
func (s *Service) Reset(ctx context.Context, by event.Origin, userID, reason string) ([]Factor, error) {
	return s.remove(ctx, by, userID, reason, nil)
}

// remove removes the factors that match; all if match is nil.
func (s *Service) remove(ctx context.Context, by event.Origin, userID, reason string, match func(Factor) bool) ([]Factor, error) {
	now := s.now()
	removed, err := s.store.RemoveFactors(ctx, userID, func(u directory.User, have []Factor) Removal {
		var r Removal
		for _, f := range have {
			if match != nil && !match(f) {
				continue
			}
			r.Factors = append(r.Factors, f)
			r.Events = append(r.Events, by.NewEvent(event.FactorRemoved, now, u.ID, u.Email.Normalized, withReason(f.describe(), reason)))
			r.Jobs = append(r.Jobs, f.removeJob(u, now))
		}
		if match == nil {
			r.Events = append(r.Events, by.NewEvent(event.FactorsReset, now, u.ID, u.Email.Normalized, withReason(Summary(r.Factors), reason)))
		}
		return r
	})
	if err == nil && len(removed) > 0 {
		s.outbox.Wake()
	}
	return removed, err
}

func withReason(description, reason string) string {
	if reason == "" {
		return description
	}
	return description + ": " + reason
}

// Summary counts factors in words, such as "2 passkeys and an authenticator app". It returns
// "" for none.
func Summary(factors []Factor) string {
	var parts []string
	if n := countPasskeys(factors); n > 0 {
		parts = append(parts, humanize.Plural(n, "passkey"))
	}
	if _, ok := FindTOTP(factors); ok {
		parts = append(parts, "an authenticator app")
	}
	return strings.Join(parts, " and ")
}

func countPasskeys(factors []Factor) int {
	n := 0
	for _, f := range factors {
		if f.Kind == Passkey {
			n++
		}
	}
	return n
}

// removeJob returns the job that removes a factor from the provider.
func (f Factor) removeJob(u directory.User, now time.Time) outbox.Job {
	kind := outbox.DeletePasskey
	if f.Kind == TOTP {
		kind = outbox.DeleteTOTP
	}
	return outbox.New(kind, u.Email.Normalized, u.ID, f.ProviderID, "", now)
}

// describe names a factor in an event.
func (f Factor) describe() string {
	if f.Kind == Passkey {
		return "passkey " + f.Name
	}
	return f.Kind.Label()
}

// OfferPasskey reports whether to ask the user of a session if they want a passkey: once,
// in one session, unless they have set up a factor.
func (s *Service) OfferPasskey(ctx context.Context, userID, sessionHash string) (bool, error) {
	offer, err := s.store.OfferPasskey(ctx, userID, sessionHash, s.now())
	if err != nil || !offer {
		return false, err
	}
	have, err := s.store.ListFactors(ctx, userID)
	return err == nil && len(have) == 0, err
}

// AnswerPasskeyOffer records that the user need not be asked again.
func (s *Service) AnswerPasskeyOffer(ctx context.Context, userID string) error {
	return s.store.AnswerPasskeyOffer(ctx, userID)
}

// newName returns a name that none of the user's passkeys has: with a number if need be.
func newName(name string, have []Factor) string {
	numbered := name
	for n := 2; slices.ContainsFunc(have, func(f Factor) bool { return f.Name == numbered }); n++ {
		numbered = name + " " + strconv.Itoa(n)
	}
	return numbered
}

// parseName checks the name of a passkey.
func parseName(typed string) (string, error) {
	name := text.Name(typed)
	switch {
	case name == "":
		return "", &directory.ValidationError{Fields: map[string]string{"name": "Enter a name, so that you recognize this passkey later."}}
	case len([]rune(name)) > maxName:
		return "", &directory.ValidationError{Fields: map[string]string{"name": "Use at most 60 characters."}}
	}
	return name, nil
}

func notFound(err error) error {
	if errors.Is(err, directory.ErrNotFound) {
		return ErrNotFound
	}
	return err
}

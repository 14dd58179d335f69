package factor

import (
	"context"
	"errors"
	"slices"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

// FindTOTP returns the authenticator app among a user's factors.
func FindTOTP(have []Factor) (Factor, bool) {
	i := slices.IndexFunc(have, func(f Factor) bool { return f.Kind == TOTP })
	if i < 0 {
		return Factor{}, false
	}
	return have[i], true
}

// StartTOTP begins to set up an authenticator app. An app that the provider still has and the
// user doesn't, such as one just removed, is deleted there first. Errors: ErrHasTOTP,
// ErrMayNotSetUp.
func (s *Service) StartTOTP(ctx context.Context, a Account) (TOTPSetup, error) {
	have, err := s.store.ListFactors(ctx, a.User.ID)
	if err != nil {
		return TOTPSetup{}, err
	}
	if err := a.check(have); err != nil {
		return TOTPSetup{}, err
	}
	if _, ok := FindTOTP(have); ok {
		return TOTPSetup{}, ErrHasTOTP
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	setup, err := s.provider.StartTOTP(ctx, a.User.StytchUserID)
	if !errors.Is(err, ErrHasTOTP) {
		return setup, err
	}
	if err := s.provider.DropTOTPs(ctx, a.User.StytchUserID); err != nil {
		return TOTPSetup{}, err
	}
	return s.provider.StartTOTP(ctx, a.User.StytchUserID)
}

// ConfirmTOTP completes the setup of an authenticator app, whose id is providerID, with a code
// of the app (six digits). The session has proven the app then. An app that was confirmed
// before stays as it is, and any code will do. Errors: session.ErrCodeWrong,
// session.ErrCodeSpent, session.ErrNoAuthenticator, ErrHasTOTP, ErrMayNotSetUp,
// ErrSetupReplaced.
func (s *Service) ConfirmTOTP(ctx context.Context, by event.Origin, a Account, providerID, code string) error {
	have, err := s.store.ListFactors(ctx, a.User.ID)
	if err != nil {
		return err
	}
	rule := func(have []Factor) error { return checkTOTP(a, have, providerID) }
	if err := rule(have); err != nil {
		return ignoreAdded(err)
	}
	jobs, err := s.store.ListJobs(ctx, a.User.Email)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(jobs, func(j outbox.Job) bool { return j.Kind == outbox.DeleteTOTP && j.StytchID == providerID }) {
		return ErrSetupReplaced // writing it failed once, and the provider is being told to delete it
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	confirmed, err := s.provider.ConfirmTOTP(call, a.User.StytchUserID, code, a.SessionToken)
	if err != nil {
		return err
	}
	f := Factor{Kind: TOTP, ProviderID: confirmed, Name: "Authenticator app", CodesLeft: RecoveryCodes}
	if confirmed != providerID { // the user was shown the recovery codes of another one
		return s.undo(ctx, a, f, ErrSetupReplaced)
	}
	_, err = s.add(ctx, by, a, f, rule)
	return ignoreAdded(err)
}

// checkTOTP decides whether an authenticator app may be added to a user's factors. It returns
// errAdded if that has happened.
func checkTOTP(a Account, have []Factor, providerID string) error {
	existing, ok := FindTOTP(have)
	switch {
	case ok && existing.ProviderID == providerID:
		return errAdded
	case ok:
		return ErrHasTOTP
	}
	return a.check(have)
}

// ignoreAdded returns err unless it is errAdded.
func ignoreAdded(err error) error {
	if errors.Is(err, errAdded) {
		return nil
	}
	return err
}

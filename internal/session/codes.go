package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
)

// CodeDuration is how long an emailed code works: the longest that Stytch allows.
const CodeDuration = 10 * time.Minute

// maxCodeTries is how often a code may be tried.
const maxCodeTries = 5

// codeDigits is the number of digits of emailed codes and of those of authenticator apps.
const codeDigits = 6

// unsentMethodID stands for the address of a request for which no code was sent: trying a
// code then takes the provider as long as for others.
const unsentMethodID = "email-test-00000000-0000-4000-8000-000000000000"

// CodeRequest is the latest request of a code by a requester: a browser that has signed in
// with the address before, or all other browsers together. There is one for every address
// that was asked for, whether or not it may sign in. Only the browser that made it, which
// keeps its id, can try a code: others can't use up the tries. The codes of browsers that
// have signed in before also can't be replaced by others.
type CodeRequest struct {
	Requester string // hash of the address and the known browser
	Hash      string // of the id; see Hash
	MethodID  string // the provider's id of the address; empty until a code was sent
	Tries     int
	CreatedAt time.Time
	ExpiresAt time.Time
}

// WrongCodeError is returned for a wrong code that may be tried again. It wraps ErrCodeWrong.
type WrongCodeError struct {
	Left int // tries that are left, at least 1; the same for every address
}

func (e *WrongCodeError) Error() string { return ErrCodeWrong.Error() }

func (e *WrongCodeError) Unwrap() error { return ErrCodeWrong }

// RequestCode emails a sign-in code if the address may sign in. It is like RequestLink,
// with the same limits, except that it writes the request before it returns, for every
// address alike. An earlier code of the address stops working; links don't.
func (s *Service) RequestCode(ctx context.Context, email directory.Email, flow SignInFlow, b Browser) (SignInFlow, error) {
	return s.request(ctx, factor.EmailCode, email, flow, b)
}

// createCodeRequest replaces the code request of a browser for an address and returns the id.
func (s *Service) createCodeRequest(ctx context.Context, email directory.Email, b Browser) (id string, err error) {
	now, id := s.opts.Now(), rand.Text()
	return id, s.store.CreateCodeRequest(ctx, CodeRequest{
		Requester: Hash(email.Normalized + " " + b.KnownID), Hash: Hash(id), CreatedAt: now, ExpiresAt: now.Add(CodeDuration),
	})
}

// sendCode emails a code and records that it was sent. A user without a Stytch account
// gets one.
func (s *Service) sendCode(ctx context.Context, c Code, requestID string) error {
	methodID, err := s.provider.SendCode(ctx, c)
	if errors.Is(err, ErrNoAccount) {
		c.CreateAccount = true
		methodID, err = s.provider.SendCode(ctx, c)
	}
	if err != nil {
		return err
	}
	return s.store.SaveCodeSent(context.WithoutCancel(ctx), Hash(requestID), methodID)
}

// runCodeDecoy does the work of sendCode for an address that gets no code.
func (s *Service) runCodeDecoy(ctx context.Context, email, requestID string) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	methodID := unsentMethodID
	if s.opts.DecoyCode != nil {
		var err error
		if methodID, err = s.opts.DecoyCode(ctx, email); err != nil {
			s.log.Warn("decoy for an address that gets no code failed", "error", err)
			return
		}
	}
	if err := s.store.SaveCodeSent(ctx, Hash(requestID), methodID); err != nil {
		s.log.Warn("decoy for an address that gets no code failed", "error", err)
	}
}

// CodeCredentials are what a browser sends to sign in by an emailed code.
type CodeCredentials struct {
	Code          string // as typed
	Flow          SignInFlow
	ReplacedToken string // the session token in its cookie; that session ends
}

// ParseCode returns a typed code without spaces and hyphens. It returns ErrCodeFormat
// unless there are six digits.
func ParseCode(typed string) (string, error) {
	code := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' || r == '\t' {
			return -1
		}
		return r
	}, strings.TrimSpace(typed))
	if len(code) != codeDigits || strings.Trim(code, "0123456789") != "" {
		return "", ErrCodeFormat
	}
	return code, nil
}

// SignInWithCode redeems an emailed code, like SignIn. Additional errors: ErrCodeFormat,
// *WrongCodeError, ErrCodeSpent (a new one is needed). Only the browser that made the latest
// request for the address can redeem its code; see CodeRequest. A refusal takes a random
// part of Options.SendPause longer, so that its time doesn't tell what the provider knows.
func (s *Service) SignInWithCode(ctx context.Context, c CodeCredentials, b Browser) (Session, string, error) {
	code, err := ParseCode(c.Code)
	if err != nil {
		return Session{}, "", err
	}
	if c.Flow.CodeID == "" {
		return Session{}, "", ErrCodeSpent
	}
	in := signIn{kind: factor.EmailCode, secret: "code " + c.Flow.CodeID + " " + code, flow: c.Flow, replaced: c.ReplacedToken}
	in.authenticate = func(ctx context.Context) (Authentication, error) {
		return s.tryCode(ctx, c.Flow, code, "", b)
	}
	sess, token, err := s.signIn(ctx, in, b, func(directory.Email) error { return nil })
	if err != nil {
		s.sleep(s.randomPause())
	}
	return sess, token, err
}

// tryCode counts a try of a code and redeems it at the provider.
func (s *Service) tryCode(ctx context.Context, flow SignInFlow, code, sessionToken string, b Browser) (Authentication, error) {
	if err := s.peek(ctx, wrongCodeRefusal, wrongCodeBucket(flow.Email, b)); err != nil {
		return Authentication{}, err
	}
	request, err := s.store.TryCode(ctx, Hash(flow.CodeID), maxCodeTries, s.opts.Now())
	if err != nil {
		return Authentication{}, err
	}
	auth, err := s.provider.AuthenticateCode(ctx, cmp.Or(request.MethodID, unsentMethodID), code, sessionToken, b)
	if err != nil {
		return Authentication{}, s.codeRefused(ctx, request, flow.Email, err, b)
	}
	auth.MadeAt = request.CreatedAt
	if err := s.store.DropCodeRequest(ctx, request.Hash); err != nil {
		s.log.Warn("used code not deleted; it will expire", "error", err)
	}
	return auth, nil
}

// codeRefused returns the error for a code that the provider refused. It depends on the
// number of tries only, not on what the provider knows about the address.
func (s *Service) codeRefused(ctx context.Context, request CodeRequest, address string, err error, b Browser) error {
	switch {
	case errors.Is(err, ErrCodeWrong), errors.Is(err, ErrCodeSpent):
	case errors.Is(err, ErrTooMany) && b.KnownID == "": // the account is locked, so there is one
	case errors.Is(err, ErrUnavailable):
		if err := s.store.ReturnCodeTry(context.WithoutCancel(ctx), request.Hash); err != nil {
			s.log.Warn("try of a code not taken back", "error", err)
		}
		return err
	default:
		return err
	}
	var tooMany *RateLimitError
	if err := s.take(ctx, wrongCodeBucket(address, b)); err != nil && !errors.As(err, &tooMany) {
		s.log.Warn("wrong code not counted for its address", "error", err)
	}
	if request.Tries >= maxCodeTries {
		return ErrCodeSpent // that was the last try
	}
	return &WrongCodeError{Left: maxCodeTries - request.Tries}
}

// codeRequested returns the kind of event of a request for a link or a code.
func codeRequested(kind factor.Kind) event.Kind {
	if kind == factor.EmailCode {
		return event.CodeRequested
	}
	return event.LinkRequested
}

package session

import (
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

// CodeRequest is the latest request of a code for an address. There is one for every
// address that was asked for, whether or not it may sign in. Only the browser that made
// it, which keeps its id, can try a code: others can't use up the tries.
type CodeRequest struct {
	Email     string // normalized
	Hash      string // of the id; see Hash
	MethodID  string // the provider's id of the address; empty if no code was sent
	Tries     int
	CreatedAt time.Time
	ExpiresAt time.Time
}

// RequestCode emails a sign-in code if the address may sign in. It is like RequestLink,
// with the same limits. An earlier code of the address stops working; links don't.
func (s *Service) RequestCode(ctx context.Context, email directory.Email, flow SignInFlow, b Browser) (SignInFlow, error) {
	return s.request(ctx, factor.EmailCode, email, flow, b)
}

// createCodeRequest replaces the code request of an address and returns the id.
func (s *Service) createCodeRequest(ctx context.Context, email directory.Email) (id string, err error) {
	now, id := s.opts.Now(), rand.Text()
	return id, s.store.CreateCodeRequest(ctx, CodeRequest{Email: email.Normalized, Hash: Hash(id), CreatedAt: now, ExpiresAt: now.Add(CodeDuration)})
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
	return s.store.SaveCodeSent(context.WithoutCancel(ctx), c.Email, Hash(requestID), methodID)
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
// ErrCodeWrong, ErrCodeSpent (a new one is needed). Only the browser that made the latest
// request for the address can redeem its code.
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
	return s.signIn(ctx, in, b, func(directory.Email) error { return nil })
}

// tryCode counts a try of a code and redeems it at the provider.
func (s *Service) tryCode(ctx context.Context, flow SignInFlow, code, sessionToken string, b Browser) (Authentication, error) {
	request, err := s.store.TryCode(ctx, flow.Email, Hash(flow.CodeID), maxCodeTries, s.opts.Now())
	if err != nil {
		return Authentication{}, err
	}
	methodID := request.MethodID
	if methodID == "" {
		methodID = unsentMethodID
	}
	auth, err := s.provider.AuthenticateCode(ctx, methodID, code, sessionToken, b)
	switch {
	case errors.Is(err, ErrCodeSpent) && request.MethodID == "", errors.Is(err, ErrCodeWrong) && request.Tries < maxCodeTries:
		return Authentication{}, ErrCodeWrong
	case errors.Is(err, ErrCodeWrong):
		return Authentication{}, ErrCodeSpent // that was the last try
	case err != nil:
		return Authentication{}, err
	}
	auth.MadeAt = request.CreatedAt
	if err := s.store.DropCodeRequest(ctx, request.Email); err != nil {
		s.log.Warn("used code not deleted; it will expire", "error", err)
	}
	return auth, nil
}

// codeRequested returns the kind of event of a request for a link or a code.
func codeRequested(kind factor.Kind) event.Kind {
	if kind == factor.EmailCode {
		return event.CodeRequested
	}
	return event.LinkRequested
}

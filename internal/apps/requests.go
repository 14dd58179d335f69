package apps

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/session"
)

// requestsPerUser limits how often a user may ask, for any app: ten times a day.
var requestsPerUser = limit.Rate{Burst: 10, Every: 2 * time.Hour}

// RequestQuery selects a page of requests, oldest first.
type RequestQuery struct {
	State   RequestState
	After   time.Time // Request.CreatedAt of the last one seen; zero for the first page
	AfterID string    // its ID
	Limit   int
}

// RequestStore keeps the requests. Its errors wrap directory.ErrNotFound,
// directory.ErrUnavailable, or are those of the rules it runs.
type RequestStore interface {
	limit.Store
	// RequestFacts reads what the rules about a user's request for an app depend on.
	RequestFacts(ctx context.Context, appID, userID string) (RequestFacts, error)
	// SaveRequest runs rule on the facts, which don't change before it returns, and writes
	// the request in place of the user's earlier one for the app, the event, and emails to
	// the administrators.
	SaveRequest(ctx context.Context, appID, userID string, rule func(RequestFacts) (Request, event.Event, error)) error
	// DecideRequest runs rule on the facts about a request, which don't change before it
	// returns, and writes the verdict, and an email to the user.
	DecideRequest(ctx context.Context, id string, rule func(RequestFacts) (Verdict, error)) error
	GetRequest(ctx context.Context, id string) (Request, error)
	ListRequests(ctx context.Context, q RequestQuery) ([]Request, error)
	// CountPendingRequests counts up to a limit.
	CountPendingRequests(ctx context.Context, limit int) (int, error)
}

// Waker starts work on new jobs; outbox.Worker implements it.
type Waker interface{ Wake() }

// Requests makes and decides requests for access. It is safe for concurrent use.
type Requests struct {
	store  RequestStore
	outbox Waker
	now    func() time.Time
}

// NewRequests returns a Requests.
func NewRequests(store RequestStore, outbox Waker, now func() time.Time) *Requests {
	return &Requests{store, outbox, now}
}

// Standing is where a user stands with an app.
type Standing struct {
	App      App
	Decision Decision
	Until    time.Time // when the access ends; zero if it has no end, or if there is none
	Request  *Request  // the newest one; nil if there is none
	Refusal  error     // why the user may not ask for access now; nil if they may; see Requests.Ask
}

// Standing returns where a user stands with an app. Errors: directory.ErrNotFound if the
// user may not know that the app exists, directory.ErrUnavailable.
func (r *Requests) Standing(ctx context.Context, appID, userID string) (Standing, error) {
	f, err := r.store.RequestFacts(ctx, appID, userID)
	if err != nil {
		return Standing{}, err
	}
	now := r.now()
	refusal := f.mayAsk(now)
	if errors.Is(refusal, directory.ErrNotFound) {
		return Standing{}, refusal
	}
	return Standing{
		App: f.App, Decision: Decide(f.App, f.User, f.Memberships, now), Until: AccessEnd(f.App, f.Memberships, now),
		Request: f.Request, Refusal: refusal,
	}, nil
}

// Ask requests access to an app for a user, with a note, which may be empty. Errors:
// *directory.ValidationError, directory.ErrNotFound if the user may not know that the app
// exists, ErrSwitchedOff, ErrHasAccess, ErrRequestPending, *DeniedError, *session.RateLimitError that wraps
// ErrTooManyRequests, directory.ErrUnavailable.
func (r *Requests) Ask(ctx context.Context, by event.Origin, appID, userID, note string) error {
	note, err := parseNote("note", note)
	if err != nil {
		return err
	}
	standing, err := r.Standing(ctx, appID, userID)
	if err == nil {
		err = standing.Refusal
	}
	if err == nil {
		err = r.countRequest(ctx, userID)
	}
	if err != nil {
		return err
	}
	err = r.store.SaveRequest(ctx, appID, userID, func(f RequestFacts) (Request, event.Event, error) {
		return f.newRequest(by, note, r.now())
	})
	if err == nil {
		r.outbox.Wake()
	}
	return err
}

// countRequest counts a request against the user's limit.
func (r *Requests) countRequest(ctx context.Context, userID string) error {
	now := r.now()
	refused, err := limit.Take(ctx, r.store, now, limit.NewBucket("access-requests", userID, requestsPerUser))
	if err != nil || refused.Until.IsZero() {
		return err
	}
	return &session.RateLimitError{Err: ErrTooManyRequests, After: refused.Until.Sub(now)}
}

// Approve approves a request: the user joins one of the app's groups. If they can open the
// app already, it closes the request. Errors: ErrNoRequest, ErrRequestDecided, ErrOwnRequest,
// ErrUserSuspended, ErrNoAppGroups, *directory.ValidationError, directory.ErrUnavailable.
func (r *Requests) Approve(ctx context.Context, by event.Origin, id string, a Approval) (Request, error) {
	return r.decide(ctx, id, func(f RequestFacts) (Verdict, error) { return f.approve(by, a, r.now()) })
}

// Deny denies a request, with a reason, which may be empty and which the user sees. Errors:
// ErrNoRequest, ErrRequestDecided, ErrOwnRequest, *directory.ValidationError,
// directory.ErrUnavailable.
func (r *Requests) Deny(ctx context.Context, by event.Origin, id, reason string) (Request, error) {
	reason, err := parseNote("reason", reason)
	if err != nil {
		return Request{}, err
	}
	return r.decide(ctx, id, func(f RequestFacts) (Verdict, error) { return f.deny(by, reason, r.now()) })
}

func (r *Requests) decide(ctx context.Context, id string, rule func(RequestFacts) (Verdict, error)) (Request, error) {
	var decided Request
	err := r.store.DecideRequest(ctx, id, func(f RequestFacts) (Verdict, error) {
		v, err := rule(f)
		decided = v.Request
		return v, err
	})
	if errors.Is(err, directory.ErrNotFound) {
		err = ErrNoRequest
	}
	if err != nil {
		return Request{}, err
	}
	r.outbox.Wake()
	return decided, nil
}

// Get returns a request. Errors: ErrNoRequest, directory.ErrUnavailable.
func (r *Requests) Get(ctx context.Context, id string) (Request, error) {
	request, err := r.store.GetRequest(ctx, id)
	if errors.Is(err, directory.ErrNotFound) {
		err = ErrNoRequest
	}
	return request, err
}

// List returns a page of requests, oldest first.
func (r *Requests) List(ctx context.Context, q RequestQuery) ([]Request, error) {
	return r.store.ListRequests(ctx, q)
}

// maxCounted is how many pending requests are counted.
const maxCounted = 100

// CountPending returns the number of pending requests, at most 100.
func (r *Requests) CountPending(ctx context.Context) (int, error) {
	return r.store.CountPendingRequests(ctx, maxCounted)
}

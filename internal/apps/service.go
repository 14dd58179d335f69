package apps

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/session"
)

// CheckState is what a check reads: the app with a host and, if a credential was given and
// exists, its session or token, its user and their memberships, including ended ones. The
// app's Groups are those that the user is in. The app's HomeURL and times and when the session
// began are zero.
type CheckState struct {
	App         App
	Session     session.Session // with its User; TokenHash is empty if there is none
	Token       Token           // ID is empty if there is none; its User is zero for a service
	Memberships []directory.Membership
}

// Store keeps the apps. Errors wrap directory.ErrNotFound, directory.ErrUnavailable, or are
// those of this package and of the rules it runs.
type Store interface {
	// CheckSession returns the app with a host, and what belongs to the credential with a
	// hash, in one query. It returns directory.ErrNotFound if no app has the host.
	CheckSession(ctx context.Context, host, cookieHash string) (CheckState, error)
	// CheckToken does the same for an app token.
	CheckToken(ctx context.Context, host, tokenHash string) (CheckState, error)

	// CreateApp writes an app with its groups, and an event, and links the claim to the app.
	// Errors: ErrNameTaken, ErrHostTaken, ErrTooManyApps, a *directory.ValidationError for an
	// unknown group, idempotency.ErrInProgress.
	CreateApp(ctx context.Context, a App, e event.Event, c idempotency.Claim) error
	GetApp(ctx context.Context, id string) (App, error)
	GetAppByHost(ctx context.Context, host string) (App, error)
	// GetAppByName ignores case.
	GetAppByName(ctx context.Context, name string) (App, error)
	// ListApps returns up to limit apps by name, after the one with the key after
	// (App.Key), which is empty for the first page.
	ListApps(ctx context.Context, after string, limit int) ([]App, error)
	// ListAppsOfGroup returns the apps that a group opens, by name, without their Groups.
	ListAppsOfGroup(ctx context.Context, groupID string) ([]App, error)
	// ListAppsWithMemberships returns all apps by name, and the user's memberships.
	ListAppsWithMemberships(ctx context.Context, userID string) ([]App, []directory.Membership, error)
	// ChangeApp runs rule on the locked app, then writes the app it returns and the
	// event, to which it adds the change of the groups. It writes nothing if nothing
	// changes. Errors: those of CreateApp.
	ChangeApp(ctx context.Context, id string, rule func(App) (App, event.Event, error)) (App, error)
	// RemoveApp deletes an app with its tokens and requests, and writes the event that
	// record returns.
	RemoveApp(ctx context.Context, id string, record func(App) event.Event) error
	// ListMemberships returns a user's memberships, including ended ones, by the groups' names.
	ListMemberships(ctx context.Context, userID string) ([]directory.Membership, error)
	// RequestFacts is that of RequestStore.
	RequestFacts(ctx context.Context, appID, userID string) (RequestFacts, error)

	// CreateCode writes a code.
	CreateCode(ctx context.Context, c Code) error
	// RedeemCode calls redeem with the code that has a hash, its session, and the number
	// of credentials issued for that session and app since a time. It writes the
	// credential that redeem returns and deletes the code; if redeem returns an error, it
	// does neither. It returns directory.ErrNotFound if the code or its session doesn't exist.
	RedeemCode(ctx context.Context, codeHash string, since time.Time, redeem func(c Code, s session.Session, recent int) (Credential, error)) error

	// CreateAppToken writes a token and an event, unless rule returns an error. It calls
	// rule with the tokens of the app. It returns ErrTokenExists if the ID exists.
	CreateAppToken(ctx context.Context, t Token, e event.Event, rule func(have []Token) error) error
	// ListAppTokens returns an app's tokens with their users, newest first.
	ListAppTokens(ctx context.Context, appID string) ([]Token, error)
	// RevokeAppToken deletes a token of an app and writes the event that record returns.
	RevokeAppToken(ctx context.Context, appID, id string, record func(Token) event.Event) error

	AddEvents(ctx context.Context, events ...event.Event) error
}

// Sessions verifies sessions with the login service; session.Service implements it.
type Sessions interface {
	// Recheck returns the session, verified again if the last verification is too old.
	// Errors: session.ErrEnded, session.ErrUnavailable.
	Recheck(ctx context.Context, s session.Session, b session.Browser) (session.Session, error)
	// Standing returns what the factors of a session allow.
	Standing(s session.Session) factor.Standing
}

// Options are the dependencies of a Service. All fields are required.
type Options struct {
	Store    Store
	Sessions Sessions
	Own      Own
	Now      func() time.Time
}

// Service manages the apps and checks access to them. It is safe for concurrent use.
type Service struct {
	store    Store
	sessions Sessions
	own      Own
	now      func() time.Time
	arrivals arrivals
}

// New returns a Service.
func New(o Options) *Service {
	return &Service{store: o.Store, sessions: o.Sessions, own: o.Own, now: o.Now}
}

// LastCheck returns when this instance last checked a request for an app, to within a second.
// It is zero if it checked none since it started.
func (s *Service) LastCheck(appID string) time.Time { return s.arrivals.last(appID) }

// Access is the result of a check. Its Session and User are set only if they are live.
type Access struct {
	App      App
	Decision Decision
	Session  session.Session // zero for an app token
	Token    Token           // zero for a session
	User     directory.User  // zero for strangers and services
	Groups   []string        // names of the user's groups, sorted
}

// Check decides whether the credential with a hash opens the app with a canonical host; see
// ParseHost and HashCredential. An empty hash is no credential. A credential that is
// unknown or has ended, or whose session needs a second factor, is NotSignedIn, unless the app
// is SwitchedOff. Errors: directory.ErrNotFound if no app has the
// host, directory.ErrUnavailable, session.ErrUnavailable.
func (s *Service) Check(ctx context.Context, host, cookieHash string, b session.Browser) (Access, error) {
	state, err := s.store.CheckSession(ctx, host, cookieHash)
	if err != nil {
		return Access{}, err
	}
	s.arrivals.record(state.App.ID, s.now())
	access := Access{App: state.App, Decision: DecideVisitor(state.App)}
	if state.Session.TokenHash == "" {
		return access, nil
	}
	sess, err := s.sessions.Recheck(ctx, state.Session, b)
	if errors.Is(err, session.ErrEnded) {
		return access, nil
	}
	if err != nil {
		return access, err
	}
	if s.sessions.Standing(sess).NeedsSecondFactor {
		return access, nil // the sign-in isn't complete
	}
	now := s.now()
	access.Session, access.User = sess, sess.User
	access.Groups = directory.ActiveGroupNames(state.Memberships, now)
	access.Decision = Decide(state.App, sess.User, state.Memberships, now)
	return access, nil
}

// CheckToken decides whether an app token opens the app with a canonical host. A token that
// is unknown, expired or of another app is NotSignedIn, unless the app is SwitchedOff. Errors:
// those of Check.
func (s *Service) CheckToken(ctx context.Context, host, secret string) (Access, error) {
	state, err := s.store.CheckToken(ctx, host, HashToken(secret))
	if err != nil {
		return Access{}, err
	}
	now := s.now()
	s.arrivals.record(state.App.ID, now)
	access := Access{App: state.App, Decision: DecideVisitor(state.App)}
	t := state.Token
	if t.ID == "" || t.Expired(now) {
		return access, nil
	}
	access.Token, access.User = t, t.User
	if t.IsService() {
		access.Decision = decideService(state.App)
		return access, nil
	}
	access.Groups = directory.ActiveGroupNames(state.Memberships, now)
	access.Decision = Decide(state.App, t.User, state.Memberships, now)
	return access, nil
}

// AccessOf decides whether a user may open an app, outside a request of theirs. Error:
// directory.ErrUnavailable.
func (s *Service) AccessOf(ctx context.Context, a App, u directory.User) (Decision, []directory.Membership, error) {
	memberships, err := s.store.ListMemberships(ctx, u.ID)
	if err != nil {
		return "", nil, err
	}
	return Decide(a, u, memberships, s.now()), memberships, nil
}

// ListFor returns the apps that a user may open, by name.
func (s *Service) ListFor(ctx context.Context, u directory.User) ([]App, error) {
	all, memberships, err := s.store.ListAppsWithMemberships(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var open []App
	for _, a := range all {
		if Decide(a, u, memberships, now) == Allowed {
			open = append(open, a)
		}
	}
	return open, nil
}

// AppAccess is an app and whether a user may open it.
type AppAccess struct {
	App      App
	Decision Decision
	Through  []directory.Membership // that open it, or opened it until they ended
}

// ListAccess returns the apps that a user may open or could open until a membership ended,
// by name, with the reasons.
func (s *Service) ListAccess(ctx context.Context, u directory.User) ([]AppAccess, error) {
	all, memberships, err := s.store.ListAppsWithMemberships(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var list []AppAccess
	for _, a := range all {
		access := AppAccess{App: a, Decision: Decide(a, u, memberships, now)}
		if a.Audience == Groups {
			access.Through = opening(a, memberships, access.Decision != MembershipEnded, now)
			if len(access.Through) == 0 {
				continue
			}
		}
		list = append(list, access)
	}
	return list, nil
}

// opening returns the memberships in the app's groups that are active, or that have ended.
func opening(a App, memberships []directory.Membership, active bool, now time.Time) []directory.Membership {
	var list []directory.Membership
	for _, m := range memberships {
		if a.OpensTo(m.GroupID) && m.Active(now) == active {
			list = append(list, m)
		}
	}
	return list
}

// Create creates an app. Errors: *directory.ValidationError, ErrNameTaken, ErrHostTaken,
// ErrTooManyApps.
func (s *Service) Create(ctx context.Context, by event.Origin, in Input) (App, error) {
	return s.CreateOnce(ctx, directory.Actor{Origin: by}, in)
}

// CreateOnce is Create for a request with an idempotency key, which it links to the app.
func (s *Service) CreateOnce(ctx context.Context, by directory.Actor, in Input) (App, error) {
	a, e, err := newApp(by.Origin, in, s.own, s.now())
	if err != nil {
		return App{}, err
	}
	if err := s.store.CreateApp(ctx, a, e, by.Claim); err != nil {
		return App{}, err
	}
	return s.store.GetApp(ctx, a.ID)
}

// Edit changes an app. Errors: those of Create, directory.ErrNotFound, ErrChanged.
func (s *Service) Edit(ctx context.Context, by event.Origin, id string, in Input) (App, error) {
	return s.store.ChangeApp(ctx, id, func(a App) (App, event.Event, error) { return a.edit(by, in, s.own, s.now()) })
}

// Switch switches an app on or off, which takes effect on the next request to it. Errors:
// directory.ErrNotFound, directory.ErrUnavailable.
func (s *Service) Switch(ctx context.Context, by event.Origin, id string, on bool) (App, error) {
	return s.store.ChangeApp(ctx, id, func(a App) (App, event.Event, error) {
		switched, e := a.switched(by, on, s.now())
		return switched, e, nil
	})
}

// Remove removes an app. Error: directory.ErrNotFound.
func (s *Service) Remove(ctx context.Context, by event.Origin, id string) error {
	return s.store.RemoveApp(ctx, id, func(a App) event.Event { return by.NewEvent(event.AppRemoved, s.now(), "", "", a.Name) })
}

// Get returns an app. Error: directory.ErrNotFound.
func (s *Service) Get(ctx context.Context, id string) (App, error) { return s.store.GetApp(ctx, id) }

// GetByHost returns the app with a canonical host. Error: directory.ErrNotFound.
func (s *Service) GetByHost(ctx context.Context, host string) (App, error) {
	return s.store.GetAppByHost(ctx, host)
}

// Find returns the app with a name, ignoring case, an id, a host or an address. Error:
// directory.ErrNotFound.
func (s *Service) Find(ctx context.Context, text string) (App, error) {
	a, err := s.store.GetAppByName(ctx, text)
	if !errors.Is(err, directory.ErrNotFound) {
		return a, err
	}
	a, err = s.store.GetApp(ctx, text)
	if !errors.Is(err, directory.ErrNotFound) {
		return a, err
	}
	host, ok := ParseHost("https", text)
	if _, parsed, err := ParseURL(text); err == nil {
		host, ok = parsed, true
	}
	if !ok {
		return App{}, directory.ErrNotFound
	}
	return s.store.GetAppByHost(ctx, host)
}

// List returns all apps by name.
func (s *Service) List(ctx context.Context) ([]App, error) {
	return s.store.ListApps(ctx, "", MaxApps)
}

// ListOfGroup returns the apps that a group opens, by name, without their Groups.
func (s *Service) ListOfGroup(ctx context.Context, groupID string) ([]App, error) {
	return s.store.ListAppsOfGroup(ctx, groupID)
}

// HashCredential returns the form in which a credential or code is stored: its SHA-256 in
// hex. Both have 130 random bits or more, so they need no salt. The hash of "" is "".
func HashCredential(value string) string {
	if value == "" {
		return ""
	}
	return digest.SHA256Hex(value)
}

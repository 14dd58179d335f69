package web

import (
	"net/http"

	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/web/loadshed"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// access says who may use a route.
type access int

const (
	public       access = 0         // everybody
	signedIn     access = 1 << iota // whoever holds a session
	admin                           // administrators
	tokenAllowed                    // these also by an API token; else only by the cookie
)

// handler answers a request or returns why not; see errors.go.
type handler func(w http.ResponseWriter, r *http.Request) error

type route struct {
	pattern string // of http.ServeMux
	access  access
	handle  handler
}

// routeTable is every route there is.
func (s *server) routeTable() []route {
	return []route{
		// Signing in and out.
		{"GET /{$}", public, s.showSignIn},
		{"POST /signin", public, blocking(s.requestLink)},
		{"GET /signin/sent", public, blocking(s.showSent)},
		{"GET /api/authenticate_magic_link", public, s.showContinue},
		{"POST /api/authenticate_magic_link", public, blocking(s.authenticate)},
		{"POST /signout", public, s.signOut},
		{"POST /api/logout", public, s.apiLogout},

		// One's own page.
		{"GET /profile", signedIn, s.showProfile},
		{"POST /profile/signout", signedIn, s.endOwnSessions},
		{"GET /profile/tokens", admin, s.showTokens},
		{"POST /profile/tokens", admin, s.createToken},
		{"GET /profile/tokens/{id}/revoke", admin, s.showRevokeToken},
		{"POST /profile/tokens/{id}/revoke", admin, s.revokeToken},
		{"GET /api/session", signedIn | tokenAllowed, s.apiSession},

		// The list, for people.
		{"GET /users", admin, s.showUsers},
		{"POST /users", admin, blocking(s.inviteUser)},
		{"GET /users/new", admin, s.showInvite},
		{"GET /users/{id}", admin, s.showUser},
		{"POST /users/{id}", admin, s.editUser},
		{"POST /users/{id}/invite", admin, blocking(s.inviteUserAgain)},
		{"POST /users/{id}/signout", admin, s.endUserSessions},
		{"GET /users/{id}/tokens/{token}/revoke", admin, s.showRevokeUserToken},
		{"POST /users/{id}/tokens/{token}/revoke", admin, s.revokeUserToken},
		{"POST /users/{id}/suspend", admin, s.suspendUser},
		{"POST /users/{id}/reinstate", admin, s.reinstateUser},
		{"GET /users/{id}/remove", admin, s.showRemove},
		{"POST /users/{id}/remove", admin, s.removeUser},

		// The list as a file, in and out.
		{"GET /users/import", admin, s.showImports},
		{"POST /users/import", admin, blocking(s.uploadImport)},
		{"GET /imports/{id}", admin, s.showImport},
		{"POST /imports/{id}/start", admin, s.startImport},
		{"POST /imports/{id}/stop", admin, s.stopImport},
		{"POST /imports/{id}/resume", admin, s.resumeImport},
		{"POST /imports/{id}/discard", admin, s.discardImport},
		{"GET /imports/{id}/problems.csv", admin, blocking(s.importProblems)},
		{"GET /users/export.csv", admin, blocking(s.exportUsers("csv"))},
		{"GET /users/export.json", admin, blocking(s.exportUsers("json"))},

		// Why somebody can't sign in.
		{"GET /why", admin, s.showWhy},
		{"POST /why", admin, blocking(s.diagnoseAddress)},
		{"GET /users/{id}/why", admin, blocking(s.showUserWhy)},
		{"GET /api/why", admin | tokenAllowed, blocking(s.apiWhy)},

		// What happened, and what Stytch has still to hear of.
		{"GET /activity", admin, s.showActivity},
		{"GET /api/events", admin | tokenAllowed, s.apiListEvents},
		{"GET /waiting", admin, s.showWaiting},
		{"POST /waiting/{id}/retry", admin, blocking(s.retryJob)},
		{"POST /waiting/{id}/drop", admin, s.dropJob},

		// The list, for programs.
		{"GET /api/users", admin | tokenAllowed, s.apiListUsers},
		{"POST /api/users", admin | tokenAllowed, s.idempotent(idempotentOperation{s.apiCreateUser, s.createdResponse})},
		{"GET /api/users/{id}", admin | tokenAllowed, s.apiGetUser},
		{"PATCH /api/users/{id}", admin | tokenAllowed, s.apiEditUser},
		{"DELETE /api/users/{id}", admin | tokenAllowed, s.apiRemoveUser},
		{"POST /api/invite_user", admin | tokenAllowed, blocking(s.idempotent(idempotentOperation{s.apiInviteUser, s.invitedResponse}))},

		// What programs need to know of all this.
		{"GET /api/openapi.yaml", public, s.apiSpec},

		// From Stytch.
		{"POST /webhooks/stytch", public, blocking(s.receiveStytchWebhook)},

		// For whoever runs it.
		{"GET /healthz", public, s.healthz},
		{"GET /readyz", public, s.readyz},
		{"GET /static/", public, s.serveAsset},
	}
}

// handler returns the routes behind the middleware.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range s.routes {
		mux.Handle(route.pattern, s.withRoute(route.pattern, s.handleError(s.authorize(route))))
	}
	return middleware.Chain(s.withErrorPages(mux), // outermost first
		middleware.Observe(s.opts.Observer, s.proxies),
		middleware.SecurityHeaders(s.https()),
		s.shedLoad(),
		middleware.Compress,
		s.requestContext,
		middleware.Recover(s.writePanic),
		middleware.BasePath(s.opts.BaseURL.Path, s.errorHandler(errOutsideBasePath)),
		middleware.CanonicalHost(s.opts.BaseURL, func(r *http.Request) bool { return !s.wantsJSON(r) }),
		middleware.CrossOrigin(s.opts.BaseURL, s.errorHandler(errCrossOrigin)),
	)
}

// blocking marks a handler that calls the login service, which may hang, or that serves a long
// body: it doesn't count as work for load shedding.
func blocking(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		loadshed.MarkBlocked(r.Context())
		return next(w, r)
	}
}

// authorize lets only those through to a route who may use it, and hands on with the
// request who it is.
func (s *server) authorize(route route) handler {
	if route.access == public {
		return route.handle
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := stateOf(r), error(nil)
		if secret, shown := s.bearerToken(r); shown {
			v.session, v.token, err = s.authenticateToken(secret, r, route)
		} else {
			v.session, err = s.session(w, r)
		}
		if err != nil {
			return err
		}
		u := &v.session.User
		v.actor.Origin = v.actor.WithActor(u.ID, u.Email.Normalized)
		if t := v.token; t != nil {
			v.actor.Token = t.Name
			if t.Scope == token.Read && !isReadOnly(r) {
				s.opts.Sessions.RecordRefused(r.Context(), originOf(r), *u, route.pattern+": the API token "+t.Name+" may only read")
				return errReadOnly
			}
		}
		if route.access&admin != 0 && !u.IsActiveAdmin() {
			s.opts.Sessions.RecordRefused(r.Context(), originOf(r), *u, route.pattern+": for administrators")
			return errNotAdmin
		}
		return route.handle(w, r)
	}
}

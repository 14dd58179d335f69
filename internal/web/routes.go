package web

import (
	"net/http"

	"github.com/guestlist/guestlist/internal/token"
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
		{"POST /signin", public, releaseSlot(s.requestLink)},
		{"GET /signin/sent", public, releaseSlot(s.showSent)},
		{"GET /api/authenticate_magic_link", public, s.showContinue},
		{"POST /api/authenticate_magic_link", public, releaseSlot(s.authenticate)},
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
		{"POST /users", admin, releaseSlot(s.inviteUser)},
		{"GET /users/new", admin, s.showInvite},
		{"GET /users/{id}", admin, s.showUser},
		{"POST /users/{id}", admin, s.editUser},
		{"POST /users/{id}/invite", admin, releaseSlot(s.inviteUserAgain)},
		{"POST /users/{id}/signout", admin, s.endUserSessions},
		{"GET /users/{id}/tokens/{token}/revoke", admin, s.showRevokeUserToken},
		{"POST /users/{id}/tokens/{token}/revoke", admin, s.revokeUserToken},
		{"POST /users/{id}/suspend", admin, s.suspendUser},
		{"POST /users/{id}/reinstate", admin, s.reinstateUser},
		{"GET /users/{id}/remove", admin, s.showRemove},
		{"POST /users/{id}/remove", admin, s.removeUser},

		// The list as a file, in and out.
		{"GET /users/import", admin, s.showImports},
		{"POST /users/import", admin, releaseSlot(s.uploadImport)},
		{"GET /imports/{id}", admin, s.showImport},
		{"POST /imports/{id}/start", admin, s.startImport},
		{"POST /imports/{id}/stop", admin, s.stopImport},
		{"POST /imports/{id}/resume", admin, s.resumeImport},
		{"POST /imports/{id}/discard", admin, s.discardImport},
		{"GET /imports/{id}/problems.csv", admin, releaseSlot(s.importProblems)},
		{"GET /users/export.csv", admin, releaseSlot(s.exportUsers("csv"))},
		{"GET /users/export.json", admin, releaseSlot(s.exportUsers("json"))},

		// Why somebody can't sign in.
		{"GET /why", admin, s.showWhy},
		{"POST /why", admin, releaseSlot(s.diagnoseAddress)},
		{"GET /users/{id}/why", admin, releaseSlot(s.showUserWhy)},
		{"GET /api/why", admin | tokenAllowed, releaseSlot(s.apiWhy)},

		// What happened, and what Stytch has still to hear of.
		{"GET /activity", admin, s.showActivity},
		{"GET /api/events", admin | tokenAllowed, s.apiListEvents},
		{"GET /waiting", admin, s.showWaiting},
		{"POST /waiting/{id}/retry", admin, releaseSlot(s.retryJob)},
		{"POST /waiting/{id}/drop", admin, s.dropJob},

		// The list, for programs.
		{"GET /api/users", admin | tokenAllowed, s.apiListUsers},
		{"POST /api/users", admin | tokenAllowed, s.idempotent(idempotentOperation{s.apiCreateUser, s.createdResponse})},
		{"GET /api/users/{id}", admin | tokenAllowed, s.apiGetUser},
		{"PATCH /api/users/{id}", admin | tokenAllowed, s.apiEditUser},
		{"DELETE /api/users/{id}", admin | tokenAllowed, s.apiRemoveUser},
		{"POST /api/invite_user", admin | tokenAllowed, releaseSlot(s.idempotent(idempotentOperation{s.apiInviteUser, s.invitedResponse}))},

		// What programs need to know of all this.
		{"GET /api/openapi.yaml", public, s.apiSpec},

		// From Stytch.
		{"POST /webhooks/stytch", public, releaseSlot(s.receiveStytchWebhook)},

		// For whoever runs it.
		{"GET /healthz", public, s.healthz},
		{"GET /readyz", public, s.readyz},
		{"GET /static/", public, s.serveAsset},
	}
}

// handler puts the routes behind the middleware, outermost first.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range s.routes {
		mux.Handle(route.pattern, s.withRoute(route.pattern, s.handleError(s.authorize(route))))
	}
	h := s.notFoundHandler(mux)                                             // 404 and 405 in our own words
	h = s.crossOriginProtection(h)                                          // other sites can't post here
	h = s.canonicalHost(h)                                                  // 127.0.0.1 -> localhost
	h = s.stripBasePath(h)                                                  // /people/users -> /users
	h = s.securityHeaders(h)                                                // on every answer, also on errors
	h = s.recoverPanic(h)                                                   // 500 instead of a cut connection
	h = s.requestContext(h)                                                 // a number, bounds, a line in the log
	h = s.limitConcurrency(newPlaces(s.warnOfPressure), newBodyBudget(), h) // bounds of bodies, and 503 for the excess
	return s.observe(h)                                                     // whoever watches is told
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
		v.origin.ActorID, v.origin.Actor = u.ID, u.Email.Normalized
		if t := v.token; t != nil {
			v.origin.Token = t.Name
			if t.Scope == token.Read && !isReadOnly(r) {
				s.Sessions.RecordRefused(r.Context(), *u, route.pattern+": the API token "+t.Name+" may only read")
				return errReadOnly
			}
		}
		if route.access&admin != 0 && !u.IsActiveAdmin() {
			s.Sessions.RecordRefused(r.Context(), *u, route.pattern+": for administrators")
			return errNotAdmin
		}
		return route.handle(w, r)
	}
}

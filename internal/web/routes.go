package web

import (
	"net/http"

	"github.com/guestlist/guestlist/internal/token"
)

// access says who may use a route.
type access int

const (
	public   access = 0         // everybody
	signedIn access = 1 << iota // whoever holds a session
	admin                       // administrators
	byToken                     // these also by an API token; else only by the cookie
)

// handler answers a request or returns why not; see errors.go.
type handler func(w http.ResponseWriter, r *http.Request) error

type route struct {
	pattern string // of http.ServeMux
	access  access
	handle  handler
}

// table is every route there is.
func (s *server) table() []route {
	return []route{
		// Signing in and out.
		{"GET /{$}", public, s.showSignIn},
		{"POST /signin", public, waits(s.requestLink)},
		{"GET /signin/sent", public, waits(s.showSent)},
		{"GET /api/authenticate_magic_link", public, s.showContinue},
		{"POST /api/authenticate_magic_link", public, waits(s.authenticate)},
		{"POST /signout", public, s.signOut},
		{"POST /api/logout", public, s.apiLogout},

		// One's own page.
		{"GET /profile", signedIn, s.showProfile},
		{"POST /profile/signout", signedIn, s.endOwnSessions},
		{"GET /profile/tokens", admin, s.showTokens},
		{"POST /profile/tokens", admin, s.makeToken},
		{"GET /profile/tokens/{id}/revoke", admin, s.showRevokeToken},
		{"POST /profile/tokens/{id}/revoke", admin, s.revokeToken},
		{"GET /api/session", signedIn | byToken, s.apiSession},

		// The list, for people.
		{"GET /users", admin, s.showUsers},
		{"POST /users", admin, waits(s.inviteUser)},
		{"GET /users/new", admin, s.showInvite},
		{"GET /users/{id}", admin, s.showUser},
		{"POST /users/{id}", admin, s.editUser},
		{"POST /users/{id}/invite", admin, waits(s.inviteUserAgain)},
		{"POST /users/{id}/signout", admin, s.endUserSessions},
		{"GET /users/{id}/tokens/{token}/revoke", admin, s.showRevokeUserToken},
		{"POST /users/{id}/tokens/{token}/revoke", admin, s.revokeUserToken},
		{"POST /users/{id}/suspend", admin, s.suspendUser},
		{"POST /users/{id}/reinstate", admin, s.reinstateUser},
		{"GET /users/{id}/remove", admin, s.showRemove},
		{"POST /users/{id}/remove", admin, s.removeUser},

		// The list as a file, in and out.
		{"GET /users/import", admin, s.showImports},
		{"POST /users/import", admin, waits(s.uploadImport)},
		{"GET /imports/{id}", admin, s.showImport},
		{"POST /imports/{id}/start", admin, s.startImport},
		{"POST /imports/{id}/stop", admin, s.stopImport},
		{"POST /imports/{id}/resume", admin, s.resumeImport},
		{"POST /imports/{id}/discard", admin, s.discardImport},
		{"GET /imports/{id}/problems.csv", admin, waits(s.importProblems)},
		{"GET /users/export.csv", admin, waits(s.exportUsers("csv"))},
		{"GET /users/export.json", admin, waits(s.exportUsers("json"))},

		// Why somebody can't sign in.
		{"GET /why", admin, s.showWhy},
		{"POST /why", admin, waits(s.askWhy)},
		{"GET /users/{id}/why", admin, waits(s.showUserWhy)},
		{"GET /api/why", admin | byToken, waits(s.apiWhy)},

		// What happened, and what Stytch has still to hear of.
		{"GET /activity", admin, s.showActivity},
		{"GET /api/events", admin | byToken, s.apiListEvents},
		{"GET /waiting", admin, s.showWaiting},
		{"POST /waiting/{id}/retry", admin, waits(s.retryJob)},
		{"POST /waiting/{id}/drop", admin, s.dropJob},

		// The list, for programs.
		{"GET /api/users", admin | byToken, s.apiListUsers},
		{"POST /api/users", admin | byToken, s.once(work{s.apiCreateUser, s.apiCreated})},
		{"GET /api/users/{id}", admin | byToken, s.apiGetUser},
		{"PATCH /api/users/{id}", admin | byToken, s.apiEditUser},
		{"DELETE /api/users/{id}", admin | byToken, s.apiRemoveUser},
		{"POST /api/invite_user", admin | byToken, waits(s.once(work{s.apiInviteUser, s.apiInvited}))},

		// What programs need to know of all this.
		{"GET /api/openapi.yaml", public, s.apiDescription},

		// From Stytch.
		{"POST /webhooks/stytch", public, waits(s.hearStytch)},

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
		mux.Handle(route.pattern, s.named(route.pattern, s.answer(s.guard(route))))
	}
	h := s.namedProblems(mux)                                            // 404 and 405 in our own words
	h = s.sameOriginWrites(h)                                            // other sites can't post here
	h = s.canonicalHost(h)                                               // 127.0.0.1 -> localhost
	h = s.belowBasePath(h)                                               // /people/users -> /users
	h = s.securityHeaders(h)                                             // on every answer, also on errors
	h = s.recoverPanic(h)                                                // 500 instead of a cut connection
	h = s.visits(h)                                                      // a number, bounds, a line in the log
	h = s.underPressure(newPlaces(s.warnOfPressure), newBodyBudget(), h) // bounds of bodies, and 503 for the excess
	return s.watched(h)                                                  // whoever watches is told
}

// guard lets only those through to a route who may use it, and hands on with the
// request who it is.
func (s *server) guard(route route) handler {
	if route.access == public {
		return route.handle
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := visitOf(r), error(nil)
		if secret, shown := s.bearer(r); shown {
			v.session, v.token, err = s.actsBy(secret, r, route)
		} else {
			v.session, err = s.session(w, r)
		}
		if err != nil {
			return err
		}
		u := &v.session.User
		v.origin.ActorID, v.origin.Actor = u.ID, u.Email.Key
		if t := v.token; t != nil {
			v.origin.Token = t.Name
			if t.Scope == token.Read && !reads(r) {
				s.Sessions.Refused(r.Context(), *u, route.pattern+": the API token "+t.Name+" may only read")
				return errReadOnly
			}
		}
		if route.access&admin != 0 && !u.IsActiveAdmin() {
			s.Sessions.Refused(r.Context(), *u, route.pattern+": for administrators")
			return errNotAdmin
		}
		return route.handle(w, r)
	}
}

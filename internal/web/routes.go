package web

import (
	"net/http"
	"net/url"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/guard"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/web/loadshed"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// access says who may use a route.
type access int

const (
	public       access = 0         // everyone
	signedIn     access = 1 << iota // users with a session
	admin                           // administrators
	tokenAllowed                    // added to the two above: an API token may be used instead of a session
	fresh                           // added: a session must have proven a factor a few minutes ago
	incomplete                      // added: a session may lack the second factor that it needs
)

// handler answers a request or returns an error for handleError.
type handler func(w http.ResponseWriter, r *http.Request) error

type route struct {
	pattern string // for http.ServeMux
	access  access
	handle  handler
}

// routeTable returns every route.
func (s *server) routeTable() []route {
	return []route{
		// Signing in and out.
		{"GET /{$}", public, s.showSignIn},
		{"POST /signin", public, blocking(withForm(s.requestSignIn))},
		{"GET /signin/sent", public, blocking(s.showSent)},
		{"POST /signin/sent", public, blocking(withForm(s.submitSent))},
		{"GET /api/authenticate_magic_link", public, s.showContinue},
		{"POST /api/authenticate_magic_link", public, blocking(withForm(s.authenticate))},
		{"POST /signin/with/{provider}", public, blocking(withForm(s.startOAuth))},
		{"GET /signout", signedIn | incomplete, s.showSignOut},
		{"POST /signout", public, withForm(s.signOut)},
		{"POST /api/logout", public, s.apiLogout},

		// Passkeys.
		{"POST /signin/passkey/start", public, blocking(s.startPasskeySignIn)},
		{"POST /signin/passkey", public, blocking(withForm(s.signInWithPasskey))},
		{"POST /profile/passkeys/start", signedIn | incomplete, blocking(s.startPasskey)},
		{"POST /profile/passkeys", signedIn | incomplete, blocking(withForm(s.addPasskey))},
		{"POST /profile/passkeys/decline", signedIn, s.declinePasskey},
		{"POST /profile/passkeys/{id}", signedIn, withForm(s.renamePasskey)},
		{"GET /profile/passkeys/{id}/remove", signedIn, s.showRemovePasskey},
		{"POST /profile/passkeys/{id}/remove", signedIn | fresh, s.removePasskey},

		// The viewer's apps, where everyone lands after signing in.
		{"GET /apps", signedIn, s.showHome},

		// The way in to the apps.
		{"GET " + guard.EnterPath, public, s.enter},
		{"GET " + guard.ReportPath, public, s.showReport},

		// The viewer's own profile.
		{"GET /profile", signedIn, s.showProfile},
		{"POST /profile/signout", signedIn, withForm(s.endOwnSessions)},
		{"GET /profile/authenticator", signedIn, s.showAuthenticator},
		{"POST /profile/authenticator", signedIn | incomplete, blocking(withForm(s.startAuthenticator))},           // fresh, see factor.Policy.MaySetUp
		{"POST /profile/authenticator/confirm", signedIn | incomplete, blocking(withForm(s.confirmAuthenticator))}, // the same
		{"POST /profile/authenticator/codes", signedIn, withForm(s.downloadCodes)},
		{"GET /profile/authenticator/remove", signedIn, s.showRemoveAuthenticator},
		{"POST /profile/authenticator/remove", signedIn | fresh, s.removeAuthenticator},
		{"GET /profile/authenticator/renew", signedIn, s.showRenewAuthenticator},
		{"POST /profile/authenticator/renew", signedIn | fresh, blocking(s.renewAuthenticator)},
		{"GET /second-factor/setup", signedIn | incomplete, s.showSecondFactorSetup},

		{"GET /profile/tokens", admin, s.showTokens},
		{"POST /profile/tokens", admin | fresh, withForm(s.createToken)},
		{"GET /profile/tokens/{id}/revoke", admin, s.showRevokeToken},
		{"POST /profile/tokens/{id}/revoke", admin, s.revokeToken},
		{"GET /api/session", signedIn | tokenAllowed, s.apiSession},

		// Proving a factor: for a fresh sign-in, and to complete one.
		{"GET /confirm", signedIn, s.showConfirm},
		{"POST /confirm", signedIn, blocking(withForm(s.confirm))},
		{"POST /confirm/email", signedIn, blocking(withForm(s.emailConfirmationCode))},
		{"GET /confirm/continue", signedIn | fresh, s.continueAction},
		{"GET /second-factor", signedIn | incomplete, s.showSecondFactor},
		{"POST /second-factor", signedIn | incomplete, blocking(withForm(s.proveSecondFactor))},

		// The directory, as pages.
		{"GET /users", admin, s.showUsers},
		{"POST /users", admin, blocking(withForm(s.inviteUser))},
		{"GET /users/new", admin, s.showInvite},
		{"GET /users/{id}", admin, s.withUser(s.showUser)},
		{"POST /users/{id}", admin, withForm(s.editUser)},
		{"POST /users/{id}/invite", admin, blocking(s.inviteUserAgain)},
		{"POST /users/{id}/signout", admin, withForm(s.endUserSessions)},
		{"GET /users/{id}/tokens/{token}/revoke", admin, s.withUser(s.showRevokeUserToken)},
		{"POST /users/{id}/tokens/{token}/revoke", admin, s.revokeUserToken},
		{"POST /users/{id}/suspend", admin, s.suspendUser},
		{"POST /users/{id}/reinstate", admin, s.reinstateUser},
		{"GET /users/{id}/remove", admin, s.withUser(s.showRemove)},
		{"POST /users/{id}/remove", admin, s.removeUser},

		{"GET /users/{id}/factors/remove", admin, s.withUser(s.showResetFactors)},
		{"POST /users/{id}/factors/remove", admin | fresh, s.withUser(s.resetFactors)},

		{"POST /users/{id}/groups", admin, withForm(s.addUserToGroup)},
		{"POST /users/{id}/groups/{group}", admin, withForm(s.changeUserMembership)},
		{"POST /users/{id}/groups/{group}/leave", admin, s.leaveGroup},

		// Groups and apps.
		{"GET /groups", admin, s.showGroups},
		{"POST /groups", admin, withForm(s.createGroup)},
		{"GET /groups/{id}", admin, s.withGroup(s.showGroup)},
		{"POST /groups/{id}", admin, withForm(s.renameGroup)},
		{"POST /groups/{id}/members", admin, withForm(s.addMember)},
		{"POST /groups/{id}/members/{user}", admin, withForm(s.changeMember)},
		{"POST /groups/{id}/members/{user}/remove", admin, s.removeMember},
		{"GET /groups/{id}/remove", admin, s.withGroup(s.showRemoveGroup)},
		{"POST /groups/{id}/remove", admin, s.withGroup(s.removeGroup)},
		{"GET /apps/new", admin, s.showNewApp},
		{"POST /apps/new", admin | fresh, withForm(s.createApp)},
		{"GET /apps/{id}", admin, s.withApp(s.showApp)},
		{"POST /apps/{id}", admin | fresh, withForm(s.editApp)},
		{"POST /apps/{id}/on", admin | fresh, s.switchApp(true)},
		{"POST /apps/{id}/off", admin | fresh, s.switchApp(false)},
		{"POST /apps/{id}/test", admin, blocking(s.withApp(s.testApp))},
		{"POST /apps/{id}/tokens", admin | fresh, withForm(s.createAppToken)},
		{"GET /apps/{id}/tokens/{token}/revoke", admin, s.withApp(s.showRevokeAppToken)},
		{"POST /apps/{id}/tokens/{token}/revoke", admin, s.withApp(s.revokeAppToken)},
		{"GET /apps/{id}/openid", admin, s.withApp(s.showOpenIDForm)},
		{"POST /apps/{id}/openid", admin | fresh, withForm(s.saveOpenID)},
		{"GET /apps/{id}/openid/remove", admin, s.withClient(s.showRemoveOpenID)},
		{"POST /apps/{id}/openid/remove", admin | fresh, s.withClient(s.removeOpenID)},
		{"POST /apps/{id}/secrets", admin | fresh, withForm(s.createSecret)},
		{"GET /apps/{id}/secrets/{secret}/revoke", admin, s.withApp(s.showRevokeSecret)},
		{"POST /apps/{id}/secrets/{secret}/revoke", admin, s.withApp(s.revokeSecret)},
		{"GET /apps/{id}/remove", admin, s.withApp(s.showRemoveApp)},
		{"POST /apps/{id}/remove", admin | fresh, s.withApp(s.removeApp)},

		// Requests for access to apps, and ends of memberships.
		{"GET /apps/{id}/request", signedIn, s.showAsk},
		{"POST /apps/{id}/request", signedIn, withForm(s.ask)},
		{"GET /requests", admin, s.showRequests},
		{"POST /requests/{id}/approve", admin, withForm(s.approveRequest)},
		{"POST /requests/{id}/deny", admin, withForm(s.denyRequest)},
		{"GET /users/{id}/groups/{group}/renew", admin, s.withUser(s.showRenew)},
		{"POST /users/{id}/groups/{group}/renew", admin, withForm(s.renewMembership)},
		{"GET /api/requests", admin | tokenAllowed, s.apiListRequests},
		{"POST /api/requests/{id}/approve", admin | tokenAllowed, s.apiApproveRequest},
		{"POST /api/requests/{id}/deny", admin | tokenAllowed, s.apiDenyRequest},

		// Import and export.
		{"GET /users/import", admin, s.showImports},
		{"POST /users/import", admin, blocking(s.uploadImport)},
		{"GET /imports/{id}", admin, s.showImport},
		{"POST /imports/{id}/start", admin, withForm(s.startImport)},
		{"POST /imports/{id}/stop", admin, s.stopImport},
		{"POST /imports/{id}/resume", admin, s.resumeImport},
		{"POST /imports/{id}/discard", admin, s.discardImport},
		{"GET /imports/{id}/problems.csv", admin, blocking(s.importProblems)},
		{"GET /users/export.csv", admin | fresh, blocking(s.exportUsers("csv"))},
		{"GET /users/export.json", admin | fresh, blocking(s.exportUsers("json"))},

		// Why someone can't sign in.
		{"GET /why", admin, s.showWhy},
		{"POST /why", admin, blocking(withForm(s.diagnoseAddress))},
		{"GET /users/{id}/why", admin, blocking(s.withUser(s.showUserWhy))},
		{"GET /api/why", admin | tokenAllowed, blocking(s.apiWhy)},

		// The audit log and the outbox.
		{"GET /activity", admin, s.showActivity},
		{"GET /api/events", admin | tokenAllowed, s.apiListEvents},
		{"GET /waiting", admin, s.showWaiting},
		{"POST /waiting/{id}/retry", admin, blocking(s.retryJob)},
		{"POST /waiting/{id}/drop", admin, s.dropJob},

		// The directory, as JSON.
		{"GET /api/users", admin | tokenAllowed, s.apiListUsers},
		{"POST /api/users", admin | tokenAllowed, idempotent(s, idempotentOperation[directory.User]{s.apiCreateUser, s.opts.Directory.GetUser, s.createdResponse})},
		{"GET /api/users/{id}", admin | tokenAllowed, s.withUser(s.apiGetUser)},
		{"PATCH /api/users/{id}", admin | tokenAllowed, s.apiEditUser},
		{"DELETE /api/users/{id}", admin | tokenAllowed, s.apiRemoveUser},
		{"DELETE /api/users/{id}/factors", admin | tokenAllowed | fresh, s.withUser(s.apiResetFactors)},
		{"GET /api/users/{id}/groups", admin | tokenAllowed, s.withUser(s.apiListMemberships)},
		{"POST /api/invite_user", admin | tokenAllowed, blocking(idempotent(s, idempotentOperation[directory.User]{s.apiInviteUser, s.opts.Directory.GetUser, s.invitedResponse}))},

		// Groups and apps, as JSON.
		{"GET /api/groups", admin | tokenAllowed, s.apiListGroups},
		{"POST /api/groups", admin | tokenAllowed, idempotent(s, idempotentOperation[directory.Group]{s.apiCreateGroup, s.opts.Groups.Get, s.createdGroupResponse})},
		{"GET /api/groups/{id}", admin | tokenAllowed, s.withGroupJSON(s.apiGetGroup)},
		{"PATCH /api/groups/{id}", admin | tokenAllowed, s.apiRenameGroup},
		{"DELETE /api/groups/{id}", admin | tokenAllowed, s.apiRemoveGroup},
		{"GET /api/groups/{id}/members", admin | tokenAllowed, s.withGroupJSON(s.apiListMembers)},
		{"POST /api/groups/{id}/members", admin | tokenAllowed, s.withGroupJSON(s.apiAddMember)},
		{"PUT /api/groups/{id}/members/{user}", admin | tokenAllowed, s.withGroupJSON(s.apiSetMember)},
		{"DELETE /api/groups/{id}/members/{user}", admin | tokenAllowed, s.withGroupJSON(s.apiRemoveMember)},
		{"GET /api/apps", admin | tokenAllowed, s.apiListApps},
		{"POST /api/apps", admin | tokenAllowed | fresh, idempotent(s, idempotentOperation[apps.App]{s.apiCreateApp, s.opts.Apps.Get, s.createdAppResponse})},
		{"GET /api/apps/{id}", admin | tokenAllowed, s.withAppJSON(s.apiGetApp)},
		{"PATCH /api/apps/{id}", admin | tokenAllowed | fresh, s.withAppJSON(s.apiEditApp)},
		{"DELETE /api/apps/{id}", admin | tokenAllowed | fresh, s.withAppJSON(s.apiRemoveApp)},
		{"GET /api/apps/{id}/tokens", admin | tokenAllowed, s.withAppJSON(s.apiListAppTokens)},
		{"POST /api/apps/{id}/tokens", admin | tokenAllowed | fresh, s.withAppJSON(s.apiCreateAppToken)},
		{"DELETE /api/apps/{id}/tokens/{token}", admin | tokenAllowed, s.withAppJSON(s.apiRevokeAppToken)},
		{"GET /api/apps/{id}/openid", admin | tokenAllowed, s.withAppJSON(s.apiGetClient)},
		{"PUT /api/apps/{id}/openid", admin | tokenAllowed | fresh, s.withAppJSON(s.apiSaveClient)},
		{"DELETE /api/apps/{id}/openid", admin | tokenAllowed | fresh, s.withAppJSON(s.apiRemoveClient)},
		{"GET /api/apps/{id}/openid/secrets", admin | tokenAllowed, s.withAppJSON(s.apiListSecrets)},
		{"POST /api/apps/{id}/openid/secrets", admin | tokenAllowed | fresh, s.withAppJSON(s.apiCreateSecret)},
		{"DELETE /api/apps/{id}/openid/secrets/{secret}", admin | tokenAllowed, s.withAppJSON(s.apiRevokeSecret)},

		// The description of the API.
		{"GET /api/openapi.yaml", public, s.apiSpec},

		// The keys that verify identities for apps.
		{"GET " + openid.JWKSPath, public, s.forClients(s.showJWKS)},

		// OpenID Connect: pages for browsers, and what clients ask.
		{"GET " + openid.AuthorizePath, public, s.authorizeOpenID},
		{"POST " + openid.AuthorizePath, public, s.authorizeOpenID},
		{"GET " + resumePath, public, s.resumeOpenID},
		{"GET " + openid.EndSessionPath, public, s.endSessionOpenID},
		{"POST " + openid.EndSessionPath, public, s.endSessionOpenID},
		{"POST " + openid.TokenPath, public, s.withClientForm(s.issueTokens)},
		{"GET " + openid.UserInfoPath, public, s.forClients(s.showUserInfo)},
		{"POST " + openid.UserInfoPath, public, s.forClients(s.showUserInfo)},
		{"POST " + openid.RevokePath, public, s.withClientForm(s.revokeGrantToken)},
		{"POST " + openid.IntrospectPath, public, s.withClientForm(s.introspectToken)},
		{"POST " + openid.DevicePath, public, s.withClientForm(s.authorizeDevice)},
		{"OPTIONS " + openid.TokenPath, public, s.allowClients},
		{"OPTIONS " + openid.DevicePath, public, s.allowClients},
		{"OPTIONS " + openid.UserInfoPath, public, s.allowClients},
		{"OPTIONS " + openid.RevokePath, public, s.allowClients},
		{"GET " + openid.DiscoveryPath, public, s.forClients(s.showDiscovery())},
		{"GET /.well-known/oauth-authorization-server", public, s.forClients(s.showDiscovery())},
		{"GET /.well-known/webfinger", public, s.forClients(s.showWebFinger)},

		// The sign-in of devices without a browser.
		{"GET " + openid.VerificationPath, signedIn, s.showDevice},
		{"POST " + openid.VerificationPath, signedIn, withForm(s.findDevice)},
		{"GET " + openid.VerificationPath + "/{id}", signedIn, s.showDeviceSignIn},
		{"POST " + openid.VerificationPath + "/{id}/allow", signedIn, s.allowDevice},
		{"POST " + openid.VerificationPath + "/{id}/cancel", signedIn, s.denyDevice},

		// Webhooks.
		{"POST /webhooks/stytch", public, blocking(s.receiveStytchWebhook)},

		// Health checks and assets.
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
		middleware.SecurityHeaders(s.opts.BaseURL.Scheme == "https"),
		s.serveDocuments,
		s.shedLoad(),
		middleware.Compress,
		s.requestContext,
		middleware.Recover(s.writePanic),
		middleware.BasePath(s.opts.BaseURL.Path, s.errorHandler(errOutsideBasePath)),
		middleware.CanonicalHost(s.opts.BaseURL, func(r *http.Request) bool { return !s.wantsJSON(r) }),
		middleware.CrossOrigin(s.opts.BaseURL, s.acceptsOtherOrigins, s.errorHandler(errCrossOrigin)),
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

// withForm passes a posted form to a handler.
func withForm(next func(w http.ResponseWriter, r *http.Request, form url.Values) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, err := readForm(r)
		if err != nil {
			return err
		}
		return next(w, r, form)
	}
}

// withUser passes the user in the route's {id} to a handler.
func (s *server) withUser(next func(w http.ResponseWriter, r *http.Request, u directory.User) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.opts.Directory.GetUser(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		return next(w, r, u)
	}
}

// authorize checks that the caller may use the route, and stores the session, the API token and the
// actor in the request state.
func (s *server) authorize(route route) handler {
	if route.access == public {
		return route.handle
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		state := stateOf(r)
		var err error
		if secret, found := s.bearerToken(r); found {
			state.session, state.token, err = s.authenticateToken(secret, r, route)
		} else {
			state.session, err = s.session(w, r)
		}
		if err != nil {
			return err
		}
		u := &state.session.User
		state.actor.Origin = state.actor.WithActor(u.ID, u.Email.Normalized)
		if t := state.token; t != nil {
			state.actor.Token = t.Name
			if t.Scope == token.Read && !isReadOnly(r) {
				s.opts.Sessions.RecordRefused(r.Context(), originOf(r), *u, route.pattern+": the API token "+t.Name+" may only read")
				return errReadOnly
			}
		}
		if state.token == nil {
			standing := s.opts.Sessions.Standing(state.session)
			state.incomplete = standing.NeedsSecondFactor
			if standing.NeedsSecondFactor && route.access&incomplete == 0 {
				return errSecondFactor
			}
			state.actor.Fresh = standing.Fresh
		}
		if route.access&admin != 0 && !u.IsActiveAdmin() {
			s.opts.Sessions.RecordRefused(r.Context(), originOf(r), *u, route.pattern+": for administrators")
			return errNotAdmin
		}
		if route.access&fresh != 0 && !state.actor.MayDoDangerous() {
			return directory.ErrNotFresh
		}
		return route.handle(w, r)
	}
}

// Package openid checks an OpenID provider from outside, through its endpoints and pages. Its modules
// are those of the OpenID Foundation's conformance suite, https://gitlab.com/openid/conformance-suite,
// written again in Go. Each has the name of the original and checks the same: what fails a module there
// fails it here, what is a warning there is one here, and a module is skipped for the same reasons.
//
// Basic OP, oidcc-basic-certification-test-plan, with response_type=code, client_secret_basic and
// static clients:
//
//	oidcc-server                                     oidcc-prompt-none-not-logged-in
//	oidcc-response-type-missing                      oidcc-prompt-none-logged-in
//	oidcc-idtoken-signature                          oidcc-max-age-1
//	oidcc-idtoken-unsigned                           oidcc-max-age-10000
//	oidcc-userinfo-get                               oidcc-ensure-request-with-unknown-parameter-succeeds
//	oidcc-userinfo-post-header                       oidcc-id-token-hint
//	oidcc-userinfo-post-body                         oidcc-login-hint
//	oidcc-ensure-request-without-nonce-succeeds-...  oidcc-ui-locales
//	oidcc-scope-profile                              oidcc-claims-locales
//	oidcc-scope-email                                oidcc-ensure-request-with-acr-values-succeeds
//	oidcc-scope-address                              oidcc-codereuse
//	oidcc-scope-phone                                oidcc-codereuse-30seconds
//	oidcc-scope-all                                  oidcc-ensure-registered-redirect-uri
//	oidcc-alternate-happy-flow                       oidcc-ensure-post-request-succeeds
//	oidcc-display-page                               oidcc-server-client-secret-post
//	oidcc-display-popup                              oidcc-request-uri-unsigned-supported-correctly-or-...
//	oidcc-prompt-login                               oidcc-unsigned-request-object-supported-correctly-or-...
//	oidcc-claims-essential                           oidcc-ensure-request-object-with-redirect-uri
//	oidcc-refresh-token                              oidcc-ensure-request-with-valid-pkce-succeeds
//
// Config OP, oidcc-config-certification-test-plan:
//
//	oidcc-discovery-endpoint-verification
//
// RP-Initiated OP, oidcc-rp-initiated-logout-certification-test-plan:
//
//	oidcc-rp-initiated-logout                        oidcc-rp-initiated-logout-discovery-endpoint-verification
//	...-bad-post-logout-redirect-uri                 ...-modified-id-token-hint
//	...-no-id-token-hint                             ...-no-params
//	...-no-post-logout-redirect-uri                  ...-no-state
//	...-only-state                                   ...-query-added-to-post-logout-redirect-uri
//	...-bad-id-token-hint
//
// Back-Channel OP, oidcc-backchannel-rp-initiated-logout-certification-test-plan:
//
//	oidcc-backchannel-logout-discovery-endpoint-verification
//	oidcc-backchannel-rp-initiated-logout
//
// Dynamic OP, oidcc-dynamic-certification-test-plan, without the modules that register clients, rotate keys
// of clients, or request other algorithms or signed request objects:
//
//	oidcc-ensure-redirect-uri-in-authorization-request
//	oidcc-redirect-uri-query-OK
//	oidcc-redirect-uri-query-mismatch
//	oidcc-redirect-uri-query-added
//	oidcc-server-rotate-keys
//
// oidcc-server also runs with client_auth_type=none, for a client without a secret.
//
// Every module of the other four plans is here. These parts differ from the original:
//
//   - Where the original asks for a screenshot, a program looks at the page. An error page has a status
//     of 400 or more, or says so. A second sign-in page is a page, rather than a redirect. After a sign-out,
//     prompt=none has to be refused. A page in answer to prompt=none is a failure, where the original has
//     to rely on the tester.
//   - The original leaves oidcc-idtoken-signature, oidcc-idtoken-unsigned and oidcc-request-uri-... out
//     for static clients. Here they run; the second is skipped without a client whose ID tokens are
//     unsigned.
//   - UserInfo's sub is compared with the ID token's in all modules that read UserInfo. The original
//     forgets that in oidcc-userinfo-... with response_type=code.
//   - What belongs to other variants is left out: encrypted ID tokens, because the client would have to
//     register a key; the version of TLS at the client's back-channel address, which is plain HTTP;
//     form_post; and dynamic registration.
//   - Language tags in the metadata are parsed, but not looked up in the registry of subtags.
package openid

package openid

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Kinds of values in the metadata.
const (
	urlValue     = "a URL"
	textValue    = "a string"
	listValue    = "an array of strings"
	booleanValue = "a boolean"
	objectValue  = "an object"
)

// metadataKinds are the kinds of the values by name, from the registry at
// https://www.iana.org/assignments/oauth-parameters/oauth-parameters.xhtml#authorization-server-metadata.
var metadataKinds = kindsOf(map[string]string{
	urlValue: `issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint service_documentation op_policy_uri
		op_tos_uri revocation_endpoint introspection_endpoint userinfo_endpoint end_session_endpoint check_session_iframe
		pushed_authorization_request_endpoint backchannel_authentication_endpoint device_authorization_endpoint signed_jwks_uri
		organization_uri logo_uri information_uri federation_registration_endpoint global_token_revocation_endpoint
		authorization_challenge_endpoint challenge_endpoint`,
	textValue: "signed_metadata organization_name display_name description",
	listValue: `scopes_supported response_types_supported response_modes_supported grant_types_supported
		token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported ui_locales_supported
		revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
		introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported
		code_challenge_methods_supported subject_types_supported id_token_signing_alg_values_supported
		id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported userinfo_signing_alg_values_supported
		userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported
		request_object_signing_alg_values_supported request_object_encryption_alg_values_supported
		request_object_encryption_enc_values_supported display_values_supported claim_types_supported claims_supported
		claims_locales_supported acr_values_supported dpop_signing_alg_values_supported authorization_details_types_supported
		backchannel_token_delivery_modes_supported backchannel_authentication_request_signing_alg_values_supported
		authorization_signing_alg_values_supported authorization_encryption_alg_values_supported
		authorization_encryption_enc_values_supported introspection_signing_alg_values_supported
		introspection_encryption_alg_values_supported introspection_encryption_enc_values_supported prompt_values_supported
		contacts keywords client_registration_types_supported trust_frameworks_supported evidence_supported documents_supported`,
	booleanValue: `claims_parameter_supported request_parameter_supported request_uri_parameter_supported
		require_request_uri_registration frontchannel_logout_supported frontchannel_logout_session_supported
		backchannel_logout_supported backchannel_logout_session_supported require_pushed_authorization_requests
		backchannel_user_code_parameter_supported tls_client_certificate_bound_access_tokens
		authorization_response_iss_parameter_supported require_signed_request_object client_id_metadata_document_supported
		verified_claims_supported pre-authorized_grant_anonymous_access_supported`,
	objectValue: "mtls_endpoint_aliases jwks",
})

// kindsOf returns the kind of each name.
func kindsOf(names map[string]string) map[string]string {
	kinds := map[string]string{}
	for kind, list := range names {
		for name := range strings.FieldsSeq(list) {
			kinds[name] = kind
		}
	}
	return kinds
}

// isOfKind reports whether a member of the metadata is of a kind.
func (r *run) isOfKind(name, kind string) bool {
	switch kind {
	case urlValue:
		u, err := url.Parse(r.metadata.text(name))
		return err == nil && u.IsAbs()
	case listValue:
		_, ok := r.metadata.list(name)
		return ok
	case booleanValue:
		_, ok := r.metadata[name].(bool)
		return ok
	case objectValue:
		_, ok := r.metadata[name].(map[string]any)
		return ok
	}
	_, ok := r.metadata[name].(string)
	return ok
}

// verifyDiscovery is oidcc-discovery-endpoint-verification.
func verifyDiscovery(r *run) {
	a := r.fetchMetadata()
	if a.status != http.StatusOK {
		r.fail("the metadata: %s", a)
	}
	r.checkJSON("the metadata", a)
	r.checkListHas("response_types_supported", "code", "code id_token", "id_token", "id_token token", "token id_token", "code id_token token", "code token")
	r.checkIssuer()
	r.checkKinds()
	r.checkListHas("subject_types_supported", "public", "pairwise")
	r.checkListHas("id_token_signing_alg_values_supported", "RS256")
	r.checkHTTPS("authorization_endpoint")
	r.checkHTTPS("token_endpoint")
	if r.metadata.has("userinfo_endpoint") {
		r.checkHTTPS("userinfo_endpoint")
	} else {
		r.warn("the metadata has no userinfo_endpoint")
	}
	r.checkHTTPS("jwks_uri")
	r.fetchKeys()
	if algorithms, ok := r.metadata.list("request_object_signing_alg_values_supported"); ok && !slices.Contains(algorithms, "RS256") {
		r.warn("request_object_signing_alg_values_supported: no RS256")
	}
	if !r.metadata.has("claims_supported") {
		r.warn("the metadata has no claims_supported")
	}
	if types, ok := r.metadata.list("grant_types_supported"); ok && len(types) == 0 {
		r.fail("grant_types_supported is empty")
	}
	r.checkScopes()
	r.checkLocales("ui_locales_supported")
	r.checkLocales("claims_locales_supported")
	r.checkEndpoints()
	if methods, ok := r.metadata.list("code_challenge_methods_supported"); ok && len(methods) > 0 {
		r.checkListHas("code_challenge_methods_supported", "S256", "plain")
	}
}

// checkListHas fails the module unless a member of the metadata is an array with one of the values.
func (r *run) checkListHas(name string, values ...string) {
	list, ok := r.metadata.list(name)
	if !ok || !slices.ContainsFunc(list, func(value string) bool { return slices.Contains(values, value) }) {
		r.fail("%s: %v, want one of %q", name, r.metadata[name], values)
	}
}

// checkIssuer checks that the issuer is a valid one, and the one whose metadata were requested.
func (r *run) checkIssuer() {
	issuer := r.metadata.text("issuer")
	if strings.TrimSuffix(issuer, "/") != strings.TrimSuffix(r.p.Issuer, "/") {
		r.fail("issuer: %q at the address of %q", issuer, r.p.Issuer)
	}
	if err := r.checkURL(issuer); err != nil {
		r.fail("issuer: %v", err)
	}
	u, err := url.Parse(issuer)
	if err == nil && (u.Fragment != "" || u.RawQuery != "" || u.ForceQuery || u.User != nil) {
		r.fail("issuer: %q has a query, fragment or user", issuer)
	}
}

// checkKinds checks that the values of the metadata are of the kinds they have to be.
func (r *run) checkKinds() {
	for _, name := range slices.Sorted(maps.Keys(r.metadata)) {
		kind := metadataKinds[name]
		if kind == "" {
			r.warn("the metadata have the unknown member %s", name)
			continue
		}
		if !r.isOfKind(name, kind) {
			r.fail("%s: %v is not %s", name, r.metadata[name], kind)
		}
	}
}

// checkScopes checks the scopes in the metadata.
func (r *run) checkScopes() {
	if !r.metadata.has("scopes_supported") {
		r.warn("the metadata has no scopes_supported")
		return
	}
	r.checkListHas("scopes_supported", "openid")
	scopes, _ := r.metadata.list("scopes_supported")
	for _, scope := range scopes {
		if scope == "" || strings.ContainsFunc(scope, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) {
			r.fail("scopes_supported: %q can't be a scope", scope)
		}
	}
}

// checkLocales checks language tags in the metadata.
func (r *run) checkLocales(name string) {
	tags, _ := r.metadata.list(name)
	for _, tag := range tags {
		parsed, err := language.Parse(tag)
		if err != nil {
			r.fail("%s: %q is no language tag: %v", name, tag, err)
			continue
		}
		if parsed.String() != tag {
			r.warn("%s: %q is usually written %q", name, tag, parsed)
		}
	}
}

// checkEndpoints checks that all endpoints use https.
func (r *run) checkEndpoints() {
	for _, name := range slices.Sorted(maps.Keys(r.metadata)) {
		if strings.HasSuffix(name, "_endpoint") {
			r.checkHTTPS(name)
		}
	}
}

// verifySignOutDiscovery is oidcc-rp-initiated-logout-discovery-endpoint-verification.
func verifySignOutDiscovery(r *run) {
	r.fetchMetadata()
	r.checkEndpoints()
	r.checkHTTPS("end_session_endpoint")
}

// verifyBackChannelDiscovery is oidcc-backchannel-logout-discovery-endpoint-verification.
func verifyBackChannelDiscovery(r *run) {
	r.fetchMetadata()
	r.checkEndpoints()
	for _, name := range []string{"backchannel_logout_supported", "backchannel_logout_session_supported"} {
		if !r.metadata.boolean(name, false) {
			r.fail("%s: %v, want true", name, r.metadata[name])
		}
	}
	r.checkHTTPS("end_session_endpoint")
}

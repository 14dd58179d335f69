package openid

import (
	"net/http"
	"net/url"
	"strings"
)

// callUserInfo calls the UserInfo endpoint with the access token in the header.
func (r *run) callUserInfo(method, access string) answer {
	request, err := http.NewRequestWithContext(r.ctx, method, r.endpoint("userinfo_endpoint"), nil)
	r.must(err)
	request.Header.Set("Authorization", "Bearer "+access)
	request.Header.Set("Accept", "application/json")
	return r.do(request)
}

// postAccessToken calls the UserInfo endpoint with the access token in a form.
func (r *run) postAccessToken(access string) answer {
	form := url.Values{"access_token": {access}}
	request, err := http.NewRequestWithContext(r.ctx, http.MethodPost, r.endpoint("userinfo_endpoint"), strings.NewReader(form.Encode()))
	r.must(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	return r.do(request)
}

// useAccessToken checks that the UserInfo endpoint accepts an access token.
func (r *run) useAccessToken(access string) {
	if a := r.callUserInfo(http.MethodGet, access); a.status != http.StatusOK {
		r.fail("the UserInfo endpoint: %s", a)
	}
}

// readUserInfo reads and checks an answer of the UserInfo endpoint.
func (r *run) readUserInfo(a answer, t idToken) object {
	if a.status != http.StatusOK {
		r.fail("the UserInfo endpoint: %s", a)
	}
	info, err := parseObject(a.body)
	if err != nil {
		r.stop("the UserInfo endpoint: %v; %s", err, a)
	}
	r.checkStandardClaims("UserInfo", info)
	if info.text("sub") == "" {
		r.fail("UserInfo has no sub")
	}
	if info.text("sub") != t.claims.text("sub") {
		r.fail("UserInfo has the sub %v, the ID token %v", info["sub"], t.claims["sub"])
	}
	r.checkDistributedClaims(info)
	return info
}

// checkDistributedClaims checks that the sources of claims are those that are named.
func (r *run) checkDistributedClaims(info object) {
	names, hasNames := info["_claim_names"].(map[string]any)
	sources, hasSources := info["_claim_sources"].(map[string]any)
	if hasNames != hasSources {
		r.fail("UserInfo has one of _claim_names and _claim_sources")
	}
	used := map[any]bool{}
	for _, source := range names {
		used[source] = true
	}
	for source := range sources {
		if !used[source] {
			r.fail("no claim of UserInfo is of the source %q", source)
		}
	}
}

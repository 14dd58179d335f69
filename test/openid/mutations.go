package openid

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// mutation is a fault of a provider that a module has to find.
type mutation struct {
	module string
	fault  string
	forge  func(*forger)
	report string  // a part of what the module has to report
	want   Outcome // Failed if it is empty
}

// The endpoints of a forger.
const (
	metadataEndpoint  = "metadata"
	keysEndpoint      = "jwks_uri"
	authorizeEndpoint = "authorization_endpoint"
	tokenEndpoint     = "token_endpoint"
	userInfoEndpoint  = "userinfo_endpoint"
	signOutEndpoint   = "end_session_endpoint"
)

// changeObject changes the JSON object of an endpoint.
func changeObject(endpoint string, change func(object)) func(*forger) {
	return func(f *forger) {
		f.after = func(at string, _ url.Values, a *reply) {
			if at != endpoint || a.status != http.StatusOK {
				return
			}
			if o, ok := a.object(); ok {
				change(o)
				a.setObject(o)
			}
		}
	}
}

// set returns a change that sets a member, or removes it if the value is nil.
func set(name string, value any) func(object) {
	return func(o object) {
		if value == nil {
			delete(o, name)
			return
		}
		o[name] = value
	}
}

// changeMetadata, changeTokens and changeUserInfo set a member of an answer, or remove it.
func changeMetadata(name string, value any) func(*forger) {
	return changeObject(metadataEndpoint, set(name, value))
}

func changeTokens(name string, value any) func(*forger) {
	return changeObject(tokenEndpoint, set(name, value))
}

func changeUserInfo(name string, value any) func(*forger) {
	return changeObject(userInfoEndpoint, set(name, value))
}

// changeKey sets a member of the provider's first key, or removes it.
func changeKey(name string, value any) func(*forger) {
	return changeObject(keysEndpoint, func(o object) {
		keys, _ := o["keys"].([]any)
		first, _ := keys[0].(map[string]any)
		set(name, value)(first)
	})
}

// changeIDToken changes the claims of the ID tokens from the nth on, and signs them with a key that is
// among the provider's.
func changeIDToken(n int, change func(object)) func(*forger) {
	return resign(n, jose.RS256, change)
}

// resign is changeIDToken with an algorithm.
func resign(n int, algorithm jose.SignatureAlgorithm, change func(object)) func(*forger) {
	return func(f *forger) {
		seen := 0
		replace := replaceIDToken(func(value string) string {
			claims := claimsOf(value)
			if seen++; seen >= n {
				change(claims)
			}
			return sign(claims, algorithm)
		})
		replace(f)
		tokens := f.after
		f.after = func(at string, form url.Values, a *reply) {
			if at == keysEndpoint {
				publishForgedKey(a, algorithm)
			}
			tokens(at, form, a)
		}
	}
}

// replaceIDToken replaces the ID tokens.
func replaceIDToken(replace func(value string) string) func(*forger) {
	return changeObject(tokenEndpoint, func(o object) {
		if value := o.text("id_token"); value != "" {
			o["id_token"] = replace(value)
		}
	})
}

// claimsOf returns the claims of a JWT.
func claimsOf(value string) object {
	payload, err := jose.ParseSigned(value, slices.Collect(maps.Keys(signatureAlgorithms)))
	if err != nil {
		return object{}
	}
	claims, _ := parseObject(payload.UnsafePayloadWithoutVerification())
	return claims
}

// changeResponse changes the authorization responses.
func changeResponse(change func(url.Values)) func(*forger) {
	return func(f *forger) {
		f.after = func(_ string, _ url.Values, a *reply) { changeLocation(a, f.provider.Basic.RedirectURI, change) }
	}
}

// changeLocation changes the query with which a browser is sent to an address of the client.
func changeLocation(a *reply, to string, change func(url.Values)) {
	for name, prefix := range map[string]string{"Location": "", "Refresh": refreshPrefix} {
		query, ok := strings.CutPrefix(a.header.Get(name), prefix+to)
		if !ok {
			continue
		}
		values, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
		if err != nil {
			continue
		}
		change(values)
		a.header.Set(name, prefix+to+"?"+values.Encode())
	}
}

// changeRequest changes the requests to an endpoint.
func changeRequest(endpoint string, change func(form url.Values)) func(*forger) {
	return func(f *forger) {
		f.before = func(at string, _ *http.Request, form url.Values) *reply {
			if at == endpoint {
				change(form)
			}
			return nil
		}
	}
}

// ignore removes a parameter of authorization requests.
func ignore(name string) func(*forger) {
	return changeRequest(authorizeEndpoint, func(form url.Values) { form.Del(name) })
}

// answerWith answers the requests to an endpoint for which when is true. when may be nil for all.
func answerWith(endpoint string, when func(*http.Request, url.Values) bool, with func(url.Values) *reply) func(*forger) {
	return func(f *forger) {
		f.before = func(at string, r *http.Request, form url.Values) *reply {
			if at != endpoint || when != nil && !when(r, form) {
				return nil
			}
			return with(form)
		}
	}
}

// newReply returns a reply with a status and a body of a media type.
func newReply(status int, kind, body string) *reply {
	return &reply{status, http.Header{"Content-Type": {kind}}, []byte(body)}
}

// refuse returns a reply that is an error of an endpoint of clients.
func refuse(status int, code string) func(url.Values) *reply {
	return func(url.Values) *reply { return newReply(status, "application/json", `{"error":"`+code+`"}`) }
}

// redirectTo returns a redirect to the address in a parameter, with other parameters.
func redirectTo(parameter string, more ...string) func(url.Values) *reply {
	return func(form url.Values) *reply {
		values := url.Values{}
		for i := 0; i < len(more); i += 2 {
			values.Set(more[i], more[i+1])
		}
		if form.Has("state") && !values.Has("state") {
			values.Set("state", form.Get("state"))
		}
		a := newReply(http.StatusFound, "text/html", "")
		a.header.Set("Location", form.Get(parameter)+"?"+values.Encode())
		return a
	}
}

// refuseParameter refuses authorization requests that have a parameter.
func refuseParameter(name string) func(*forger) {
	return answerWith(authorizeEndpoint, func(_ *http.Request, form url.Values) bool { return form.Has(name) }, redirectTo("redirect_uri", "error", "invalid_request"))
}

// repeat answers a request to an endpoint as the first one of the same kind, if that was successful.
func repeat(endpoint string, kind func(url.Values) string) func(*forger) {
	return func(f *forger) {
		first := map[string]reply{}
		f.before = func(at string, _ *http.Request, form url.Values) *reply {
			a, ok := first[kind(form)]
			if at != endpoint || !ok {
				return nil
			}
			again := reply{a.status, a.header.Clone(), slices.Clone(a.body)}
			return &again
		}
		f.after = func(at string, form url.Values, a *reply) {
			if at == endpoint && a.status == http.StatusOK {
				first[kind(form)] = reply{a.status, a.header.Clone(), slices.Clone(a.body)}
			}
		}
	}
}

// seconds returns a time as in a JWT.
func (f *forger) seconds(d time.Duration) json.Number {
	text, _ := json.Marshal(f.provider.now().Add(d).Unix())
	return json.Number(text)
}

// atTime sets a claim of the ID tokens to a time from now.
func atTime(claim string, d time.Duration) func(*forger) {
	return func(f *forger) {
		changeIDToken(1, func(o object) { o[claim] = f.seconds(d) })(f)
	}
}

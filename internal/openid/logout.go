package openid

import (
	"context"
	"net/url"

	"github.com/guestlist/guestlist/internal/apps"
)

// LogoutRequest is a valid request of a client to sign its user out
// (https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout).
type LogoutRequest struct {
	App       apps.App // that asks, with ID and Name; zero if the request doesn't say
	SessionID string   // the sid of the ID token in it; empty without one
	ReturnURI string   // one of the client's; empty to show a page of ours afterwards
	State     string   // returned as it is; may be empty
}

// ReturnURL returns where the browser goes afterwards, or "" for a page of ours.
func (l LogoutRequest) ReturnURL() string {
	if l.ReturnURI == "" || l.State == "" {
		return l.ReturnURI
	}
	return appendQuery(l.ReturnURI, url.Values{"state": {l.State}})
}

// Encode returns the parameters with which the request goes on after the user was asked, without the ID
// token, for ParseLogout.
func (l LogoutRequest) Encode() string {
	v := url.Values{}
	for name, value := range map[string]string{"client_id": l.App.ID, "post_logout_redirect_uri": l.ReturnURI, "state": l.State} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v.Encode()
}

// ParseLogout validates the parameters of a request to sign out. An ID token in it may have expired.
// Errors: *Error, which must be shown to the user and never be sent to a client, because the request
// can't be trusted; directory.ErrUnavailable.
func (p *Provider) ParseLogout(ctx context.Context, params url.Values) (LogoutRequest, error) {
	for _, name := range []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state"} {
		if len(params[name]) > 1 {
			return LogoutRequest{}, invalidRequest("The parameter " + name + " occurs more than once.")
		}
	}
	clientID, uri := params.Get("client_id"), params.Get("post_logout_redirect_uri")
	l := LogoutRequest{ReturnURI: uri, State: params.Get("state")}
	if len(l.State) > maxState {
		return LogoutRequest{}, invalidRequest("The parameter state is longer than 2000 bytes.")
	}
	if hint := params.Get("id_token_hint"); hint != "" {
		claims, err := p.parseIDToken(hint)
		if err != nil {
			return LogoutRequest{}, invalidRequest("The id_token_hint was not issued here.")
		}
		if clientID != "" && clientID != claims.Audience {
			return LogoutRequest{}, invalidRequest("The id_token_hint was issued to another client than client_id.")
		}
		clientID, l.SessionID = claims.Audience, claims.SessionID
	}
	if clientID == "" {
		if uri != "" {
			return LogoutRequest{}, invalidRequest("A post_logout_redirect_uri needs an id_token_hint or a client_id.")
		}
		return l, nil
	}
	state, err := p.clientFor(ctx, clientID, nil)
	if err != nil {
		return LogoutRequest{}, err
	}
	if uri != "" && !state.Client.allowsPostLogout(uri) {
		return LogoutRequest{}, invalidRequest("The post_logout_redirect_uri is not one of the client's.")
	}
	l.App = state.App
	return l, nil
}

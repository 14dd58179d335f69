package relyingparties

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// goOIDC is a small web application with github.com/coreos/go-oidc and golang.org/x/oauth2, on which
// oauth2-proxy, PocketBase and many other tools are built.
var goOIDC = party{
	name: "go-oidc", callback: "/callback", signedOut: "/signed-out", backchannel: "/backchannel",
	start: startGoOIDC, open: openPage, read: readPage, refresh: refreshPage, signOut: signOutPage,
	refreshPath: "/refresh", endsOnRefusal: true,
}

// goTool is that application.
type goTool struct {
	registration
	provider *oidc.Provider
	config   oauth2.Config

	mu       sync.Mutex
	pending  map[string]goSignIn // by state
	sessions map[string]account  // by the browser's cookie
}

// goSignIn is a sign-in that has begun.
type goSignIn struct{ verifier, nonce string }

func startGoOIDC(t *testing.T, r registration) {
	provider, err := oidc.NewProvider(t.Context(), r.issuer)
	if err != nil {
		t.Fatal(err)
	}
	tool := &goTool{
		registration: r, provider: provider, pending: map[string]goSignIn{}, sessions: map[string]account{},
		config: oauth2.Config{
			ClientID: r.clientID, ClientSecret: r.secret, Endpoint: provider.Endpoint(), RedirectURL: r.url("/callback"),
			Scopes: strings.Fields(allScopes),
		},
	}
	listener, err := net.Listen("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: tool.handler()}
	go server.Serve(listener) // until it is closed
	t.Cleanup(func() { server.Close() })
}

func (tool *goTool) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", tool.page)
	mux.HandleFunc("GET /callback", tool.callback)
	mux.HandleFunc("GET /refresh", tool.refresh)
	mux.HandleFunc("GET /sign-out", tool.signOut)
	mux.HandleFunc("POST /backchannel", tool.backchannel)
	mux.HandleFunc("GET /signed-out", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "Signed out of the tool") })
	return mux
}

// session returns the browser's session.
func (tool *goTool) session(r *http.Request) (key string, a account, ok bool) {
	c, err := r.Cookie("tool")
	if err != nil {
		return "", account{}, false
	}
	tool.mu.Lock()
	defer tool.mu.Unlock()
	a, ok = tool.sessions[c.Value]
	return c.Value, a, ok
}

func (tool *goTool) page(w http.ResponseWriter, r *http.Request) {
	_, a, ok := tool.session(r)
	if ok {
		json.NewEncoder(w).Encode(a)
		return
	}
	state := rand.Text()
	begun := goSignIn{verifier: oauth2.GenerateVerifier(), nonce: rand.Text()}
	tool.mu.Lock()
	tool.pending[state] = begun
	tool.mu.Unlock()
	http.Redirect(w, r, tool.config.AuthCodeURL(state, oidc.Nonce(begun.nonce), oauth2.S256ChallengeOption(begun.verifier)), http.StatusSeeOther)
}

func (tool *goTool) callback(w http.ResponseWriter, r *http.Request) {
	tool.mu.Lock()
	begun, ok := tool.pending[r.FormValue("state")]
	delete(tool.pending, r.FormValue("state"))
	tool.mu.Unlock()
	switch {
	case !ok:
		http.Error(w, "another state", http.StatusBadRequest)
		return
	case r.FormValue("error") != "":
		http.Error(w, r.FormValue("error"), http.StatusForbidden)
		return
	case r.FormValue("iss") != tool.issuer:
		http.Error(w, "another issuer", http.StatusBadRequest)
		return
	}
	token, err := tool.config.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(begun.verifier))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	a, nonce, err := tool.accountOf(r.Context(), token)
	if err != nil || nonce != begun.nonce {
		http.Error(w, errors.Join(err, errors.New("or another nonce")).Error(), http.StatusBadGateway)
		return
	}
	key := rand.Text()
	tool.mu.Lock()
	tool.sessions[key] = a
	tool.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "tool", Value: key, Path: "/", HttpOnly: true})
	http.Redirect(w, r, "/page", http.StatusSeeOther)
}

// accountOf verifies the ID token that was issued with a token, and that the user info endpoint says the
// same.
func (tool *goTool) accountOf(ctx context.Context, token *oauth2.Token) (a account, nonce string, err error) {
	raw, _ := token.Extra("id_token").(string)
	idToken, err := tool.provider.Verifier(&oidc.Config{ClientID: tool.clientID}).Verify(ctx, raw)
	if err != nil {
		return account{}, "", err
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		return account{}, "", err
	}
	a = account{AccessToken: token.AccessToken, RefreshToken: token.RefreshToken, IDToken: raw}
	if err := idToken.Claims(&a.Claims); err != nil {
		return account{}, "", err
	}
	response, err := tool.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return account{}, "", err
	}
	var info claims
	if err := response.Claims(&info); err != nil {
		return account{}, "", err
	}
	if info.Subject != a.Claims.Subject || info.Email != a.Claims.Email || info.Username != a.Claims.Username || !slices.Equal(info.Groups, a.Claims.Groups) {
		return account{}, "", errors.New("the user info differs from the ID token")
	}
	return a, idToken.Nonce, nil
}

func (tool *goTool) refresh(w http.ResponseWriter, r *http.Request) {
	key, a, ok := tool.session(r)
	if !ok {
		http.Error(w, "not signed in", http.StatusUnauthorized)
		return
	}
	token, err := tool.config.TokenSource(r.Context(), &oauth2.Token{RefreshToken: a.RefreshToken}).Token()
	if err == nil {
		a, _, err = tool.accountOf(r.Context(), token)
	}
	tool.mu.Lock()
	defer tool.mu.Unlock()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		delete(tool.sessions, key)
		http.Error(w, refused.ErrorCode, http.StatusUnauthorized)
		return
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	tool.sessions[key] = a
	http.Redirect(w, r, "/page", http.StatusSeeOther)
}

func (tool *goTool) signOut(w http.ResponseWriter, r *http.Request) {
	key, a, _ := tool.session(r)
	tool.mu.Lock()
	delete(tool.sessions, key)
	tool.mu.Unlock()
	var endpoints struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := tool.provider.Claims(&endpoints); err != nil || endpoints.EndSession == "" {
		http.Error(w, "no end_session_endpoint", http.StatusBadGateway)
		return
	}
	query := url.Values{"id_token_hint": {a.IDToken}, "post_logout_redirect_uri": {tool.url("/signed-out")}}
	http.Redirect(w, r, endpoints.EndSession+"?"+query.Encode(), http.StatusSeeOther)
}

func (tool *goTool) backchannel(w http.ResponseWriter, r *http.Request) {
	token, err := tool.provider.Verifier(&oidc.Config{ClientID: tool.clientID}).VerifyLogout(r.Context(), r.FormValue("logout_token"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	tool.mu.Lock()
	defer tool.mu.Unlock()
	for key, a := range tool.sessions {
		if a.Claims.Session == token.SessionID && token.SessionID != "" || a.Claims.Subject == token.Subject && token.SessionID == "" {
			delete(tool.sessions, key)
		}
	}
}

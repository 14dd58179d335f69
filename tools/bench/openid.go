//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/session"
)

// The client of the first app.
const (
	clientSecret = "glcs_the-secret-of-the-benchmark"
	clientTarget = "https://app0.example.com/callback"
	pkceVerifier = "a-code-verifier-of-43-characters-or-more-0123"
	clientScope  = "openid profile email groups"
	codeLength   = len("glc_") + 52
	placeholder  = '@' // of a code's characters in loadJob.Then
)

// grantToken returns a token of session i with a prefix.
func grantToken(prefix string, i int) string {
	r := rand.New(rand.NewPCG(uint64(i), uint64(len(prefix)+int(prefix[2]))))
	var text strings.Builder
	for range 52 {
		text.WriteByte(credentialLetters[r.IntN(len(credentialLetters))])
	}
	return prefix + text.String()
}

// insertOpenID inserts a client of the first app, and for each session with a number from 1 to browsers a
// grant with an access token and a refresh token. The refresh tokens were used in the future, so they
// are in their time of grace for ever.
func insertOpenID(db *sql.DB) error {
	at := time.Now().UnixMicro()
	expires := at + 24*time.Hour.Microseconds()
	holders := map[string]string{}
	rows, err := db.Query("SELECT token_hash, user_id FROM sessions")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var hash, user string
		if err := rows.Scan(&hash, &user); err != nil {
			return err
		}
		holders[hash] = user
	}
	if err := rows.Err(); err != nil {
		return err
	}
	clients := []any{appID(0), 0, "RS256", clientTarget, "", "", at, at}
	secrets := []any{"01930000-0000-7000-a000-000000000000", appID(0), digest.SHA256Hex(clientSecret), "mark", "", at, 0}
	var grants, tokens []any
	for i := 1; i <= browsers; i++ {
		id := fmt.Sprintf("01930000-0000-7000-b000-%012x", i)
		sessionHash := session.Hash(sessionToken(i))
		grants = append(grants, id, appID(0), holders[sessionHash], sessionHash, clientScope+" offline_access", "", at, clientTarget,
			digest.SHA256Hex(grantToken("glc_", i)), "", at, at, at, expires)
		tokens = append(tokens, digest.SHA256Hex(grantToken("gla_", i)), id, "access", at, expires, 0)
		tokens = append(tokens, digest.SHA256Hex(grantToken("glr_", i)), id, "refresh", at, expires, expires)
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, t := range []struct {
		table   string
		columns []string
		values  []any
	}{
		{"openid_clients", []string{"app_id", "public_client", "id_token_alg", "redirect_uris", "post_logout_uris", "backchannel_logout", "created_at", "updated_at"}, clients},
		{"client_secrets", []string{"id", "app_id", "secret_hash", "hint", "created_by", "created_at", "expires_at"}, secrets},
		{"grants", []string{
			"id", "app_id", "user_id", "session_hash", "scope", "nonce", "auth_time", "redirect_uri", "code_hash", "code_challenge", "code_expires_at",
			"code_used_at", "created_at", "expires_at",
		}, grants},
		{"grant_tokens", []string{"token_hash", "grant_id", "kind", "created_at", "expires_at", "replaced_at"}, tokens},
	} {
		if err := insertAll(tx, t.table, t.columns, t.values); err != nil {
			return fmt.Errorf("%s: %w", t.table, err)
		}
	}
	return tx.Commit()
}

// openIDRows returns rows for the endpoints of OpenID Connect. Each is beside the example provider of
// github.com/zitadel/oidc, which keeps everything in memory, or the session check.
func (g *target) openIDRows(checks [][]byte) []row {
	var userinfo, refresh [][]byte
	for i := range browsers {
		userinfo = append(userinfo, withHeaders(get(g.host(), "", openid.UserInfoPath), "Authorization: Bearer "+grantToken("gla_", 1+i)))
		refresh = append(refresh, tokenRequest(g.host(), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {grantToken("glr_", 1+i)}}))
	}
	sum := sha256.Sum256([]byte(pkceVerifier))
	authorize := openid.AuthorizePath + "?" + url.Values{
		"client_id": {appID(0)}, "redirect_uri": {clientTarget}, "response_type": {"code"}, "scope": {clientScope}, "state": {"state"}, "nonce": {"nonce"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode()
	var authorizations [][]byte
	for _, check := range checks { // with the cookie of a session
		authorizations = append(authorizations, []byte(strings.Replace(string(check), "/api/session", authorize, 1)))
	}
	redeem := tokenRequest(g.host(), url.Values{
		"grant_type": {"authorization_code"}, "redirect_uri": {clientTarget}, "code_verifier": {pkceVerifier}, "code": {strings.Repeat(string(placeholder), codeLength)},
	})
	const discovery = "/.well-known/openid-configuration"
	return []row{
		{name: "userinfo", kind: userInfo, status: http.StatusOK, full: true, requests: userinfo,
			peer: &peerJob{addr: g.addr, pid: g.pid(), requests: checks, status: http.StatusOK}},
		{name: "userinfo, beside zitadel", kind: beside, status: http.StatusOK, requests: userinfo, peer: g.provider.job("/userinfo")},
		{name: "discovery", kind: document, status: http.StatusOK, full: true, requests: [][]byte{get(g.host(), "", discovery)}, peer: g.provider.job(discovery)},
		{name: "JWKS", kind: document, status: http.StatusOK, full: true, requests: [][]byte{get(g.host(), "", openid.JWKSPath)}, peer: g.provider.job("/keys")},
		{name: "authorize and redeem a code", kind: exchange, status: http.StatusOK, requests: authorizations, then: redeem},
		{name: "refresh", kind: exchange, status: http.StatusOK, requests: refresh},
	}
}

// tokenRequest returns a token request of the client.
func tokenRequest(host string, form url.Values) []byte {
	body := strings.ReplaceAll(form.Encode(), "%40", string(placeholder))
	credentials := base64.StdEncoding.EncodeToString([]byte(appID(0) + ":" + clientSecret))
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Basic %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", openid.TokenPath, host, credentials, len(body), body)
}

var codePattern = regexp.MustCompile(`[?&]code=([A-Za-z0-9_]+)`)

// withCode replaces the placeholder in a request with the code in a response.
func withCode(request, response []byte) ([]byte, error) {
	found := codePattern.FindSubmatch(response)
	if found == nil || len(found[1]) != codeLength {
		return nil, fmt.Errorf("no code in %.300q", response)
	}
	return []byte(strings.Replace(string(request), strings.Repeat(string(placeholder), codeLength), string(found[1]), 1)), nil
}

// provider is a running example provider, and an access token of its user.
type provider struct {
	addr  string
	pid   int
	token string
}

// job returns a job that sends one request with the access token, or nil without a provider.
func (p *provider) job(path string) *peerJob {
	if p == nil {
		return nil
	}
	request := withHeaders(get(p.addr, "", path), "Authorization: Bearer "+p.token)
	return &peerJob{addr: p.addr, pid: p.pid, requests: [][]byte{request}, status: http.StatusOK}
}

// startProvider starts the example provider of github.com/zitadel/oidc and signs its user in. It ends
// with ctx.
func startProvider(ctx context.Context, dir string) (*provider, error) {
	path, err := buildPeer(ctx, "zitadel-op")
	if err != nil {
		return nil, err
	}
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	clients := filepath.Join(dir, "clients.json")
	text, err := json.Marshal([]map[string]any{{"id": "bench", "secret": "bench", "auth_method": "client_secret_basic", "redirect_uris": []string{clientTarget}}})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(clients, text, 0o600); err != nil {
		return nil, err
	}
	cmd := onCore(ctx, serverCore, path, "-addr", addr, "-clients", clients)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := awaitPort(addr); err != nil {
		return nil, err
	}
	go cmd.Wait()
	p := &provider{addr: addr, pid: cmd.Process.Pid}
	if p.token, err = p.signIn(); err != nil {
		return nil, fmt.Errorf("zitadel-op: %w", err)
	}
	return p, nil
}

// signIn signs the example's user in by its login form, and returns an access token.
func (p *provider) signIn() (string, error) {
	client := http.Client{CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host != p.addr {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	authorize := url.Values{"client_id": {"bench"}, "redirect_uri": {clientTarget}, "response_type": {"code"}, "scope": {"openid profile email"}, "state": {"state"}}
	login, err := client.Get("http://" + p.addr + "/auth?" + authorize.Encode())
	if err != nil {
		return "", err
	}
	login.Body.Close()
	id := login.Request.URL.Query().Get("authRequestID")
	back, err := client.PostForm("http://"+p.addr+"/login/username", url.Values{"id": {id}, "username": {"test-user@localhost"}, "password": {"verysecure"}})
	if err != nil {
		return "", err
	}
	back.Body.Close()
	arrived, err := back.Location()
	if err != nil {
		return "", fmt.Errorf("signing in: %s, %w", back.Status, err)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "redirect_uri": {clientTarget}, "code": {arrived.Query().Get("code")}}
	r, err := http.NewRequest(http.MethodPost, "http://"+p.addr+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("bench", "bench")
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&tokens); err != nil || tokens.AccessToken == "" {
		return "", fmt.Errorf("redeeming the code: %s, %v", answer.Status, err)
	}
	return tokens.AccessToken, nil
}

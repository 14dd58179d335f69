//go:build linux

package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// peer is a running oauth2-proxy, which Guestlist is compared with, and the cookies of a signed-in user.
type peer struct {
	cmd    *exec.Cmd
	addr   string
	cookie string
}

// peerJob is what a row sends to the peer.
type peerJob struct {
	addr     string
	pid      int
	requests [][]byte
	status   int
}

// job returns a job that sends one request, or nil without a peer.
func (p *peer) job(path string, status int) *peerJob {
	if p == nil {
		return nil
	}
	return &peerJob{addr: p.addr, pid: p.cmd.Process.Pid, requests: [][]byte{get(p.addr, p.cookie, path)}, status: status}
}

// buildPeer builds a program of tools/peers, unless that was done before, and returns its path.
func buildPeer(ctx context.Context, name string) (path string, err error) {
	out, err := exec.CommandContext(ctx, "go", "run", "./tools/peers", name).Output()
	if err != nil {
		return "", fmt.Errorf("go run ./tools/peers %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// startPeer starts oauth2-proxy in front of an upstream, with its session in a cookie, and signs in with
// a provider of our own. It ends with ctx.
func startPeer(ctx context.Context, dir, upstream string) (*peer, error) {
	path, err := buildPeer(ctx, "oauth2-proxy")
	if err != nil {
		return nil, err
	}
	provider, err := newProvider()
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, provider.Close)
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p := &peer{addr: addr, cmd: onCore(ctx, serverCore, path,
		"--http-address="+addr, "--upstream=http://"+upstream, "--provider=oidc", "--oidc-issuer-url="+provider.URL,
		"--client-id=bench", "--client-secret=bench", "--cookie-secret="+base64.URLEncoding.EncodeToString(make([]byte, 32)),
		"--cookie-secure=false", "--email-domain=*", "--skip-provider-button", "--redirect-url=http://"+addr+"/oauth2/callback",
		"--set-xauthrequest", "--session-store-type=cookie",
	)}
	log, err := os.Create(filepath.Join(dir, "peer.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own descriptor
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := awaitPort(addr); err != nil {
		return nil, err
	}
	go p.cmd.Wait()
	if err := p.signIn(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("oauth2-proxy: %w\n%s", err, text)
	}
	return p, nil
}

// signIn gets the session's cookie. The provider is signed in to already.
func (p *peer) signIn() error {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute}
	begun, err := client.Get("http://" + p.addr + "/oauth2/start?rd=/")
	if err != nil {
		return err
	}
	begun.Body.Close()
	authorize, err := begun.Location()
	if err != nil {
		return err
	}
	back := url.Values{"code": {"bench"}, "state": {authorize.Query().Get("state")}}
	r, err := http.NewRequest(http.MethodGet, "http://"+p.addr+"/oauth2/callback?"+back.Encode(), nil)
	if err != nil {
		return err
	}
	for _, c := range begun.Cookies() {
		r.AddCookie(c)
	}
	signedIn, err := client.Do(r)
	if err != nil {
		return err
	}
	signedIn.Body.Close()
	var cookies []string
	for _, c := range signedIn.Cookies() {
		if c.Value != "" && c.MaxAge >= 0 && !strings.Contains(c.Name, "csrf") {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
	}
	if p.cookie = strings.Join(cookies, "; "); p.cookie == "" {
		return errors.New("signing in: " + signedIn.Status)
	}
	return nil
}

// newProvider starts a provider of OpenID Connect with one user, for whom every code is good.
// https://openid.net/specs/openid-connect-core-1_0.html
func newProvider() (*httptest.Server, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	answer := func(pattern string, content func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			value, err := content(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(value)
		})
	}
	answer("GET /.well-known/openid-configuration", func(*http.Request) (any, error) {
		return map[string]any{
			"issuer": server.URL, "authorization_endpoint": server.URL + "/authorize", "token_endpoint": server.URL + "/token", "jwks_uri": server.URL + "/keys",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		}, nil
	})
	encode := base64.RawURLEncoding.EncodeToString
	answer("GET /keys", func(*http.Request) (any, error) {
		return map[string]any{"keys": []map[string]string{{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "bench", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}}, nil
	})
	answer("POST /token", func(r *http.Request) (any, error) {
		now := time.Now()
		claims, err := json.Marshal(map[string]any{
			"iss": server.URL, "aud": "bench", "sub": "ada", "email": "ada@example.com", "email_verified": true,
			"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		})
		if err != nil {
			return nil, err
		}
		signed := encode([]byte(`{"alg":"RS256","kid":"bench","typ":"JWT"}`)) + "." + encode(claims)
		digest := sha256.Sum256([]byte(signed))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
		if err != nil {
			return nil, err
		}
		io.Copy(io.Discard, r.Body)
		return map[string]any{"access_token": "bench", "token_type": "Bearer", "expires_in": 3600, "id_token": signed + "." + encode(signature)}, nil
	})
	return server, nil
}

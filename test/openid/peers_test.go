package openid

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// registration is a client in the file that the peers read.
type registration struct {
	ID                     string   `json:"id"`
	Secret                 string   `json:"secret"`
	AuthMethod             string   `json:"auth_method"`
	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris"`
	IDTokenAlg             string   `json:"id_token_alg"`
}

// peerClient returns a client of a peer and registers it.
func peerClient(registrations *[]registration, name, authMethod, idTokenAlg string) Client {
	c := Client{
		ID:                    name,
		Secret:                "the-secret-of-the-client-" + name + "-has-many-characters",
		RedirectURI:           "https://rp.example.com/" + name + "/callback",
		PostLogoutRedirectURI: "https://rp.example.com/" + name + "/post_logout_redirect",
	}
	*registrations = append(*registrations, registration{c.ID, c.Secret, authMethod, []string{c.RedirectURI}, []string{c.PostLogoutRedirectURI}, idTokenAlg})
	return c
}

// startPeer starts a provider with the suite's clients, and returns its address and what the suite needs.
func startPeer(t *testing.T, name, scheme string) (addr string, p *Provider) {
	t.Helper()
	path := harness.FindPeer(t, name, harness.RepoPath(".cache/peers/"+name))
	dir := t.TempDir()
	var registrations []registration
	p = &Provider{
		Basic:    peerClient(&registrations, "basic", "client_secret_basic", ""),
		Second:   peerClient(&registrations, "second", "client_secret_basic", ""),
		Post:     peerClient(&registrations, "post", "client_secret_post", ""),
		Public:   peerClient(&registrations, "public", "none", ""),
		Query:    peerClient(&registrations, "query", "client_secret_basic", ""),
		Unsigned: peerClient(&registrations, "unsigned", "client_secret_basic", "none"),
	}
	p.Query.RedirectURI += "?dummy1=lorem&dummy2=ipsum"
	for i, r := range registrations {
		if r.ID == p.Query.ID {
			registrations[i].RedirectURIs = append(r.RedirectURIs[:0], p.Query.RedirectURI, "https://rp.example.com/other")
		}
	}
	text, err := json.Marshal(registrations)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "clients.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	addr = harness.FreeAddr(t)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the peer has its own certificate
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}
	p.Transport = transport
	client := &http.Client{Transport: transport, CheckRedirect: noRedirects}
	harness.Program{Path: path, Args: []string{"-addr", addr, "-clients", file}, Dir: dir}.Start(t, func() bool {
		answer, err := client.Get(scheme + "://" + addr + discoveryPath)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return addr, p
}

// startZitadel starts the example provider of github.com/zitadel/oidc.
func startZitadel(t *testing.T) *Provider {
	t.Helper()
	addr, p := startPeer(t, "zitadel-op", "http")
	p.Issuer = "http://" + addr
	p.PlainHTTP = true
	p.SignIn = func(b *Browser, page *Page) (*Page, error) {
		return b.Submit(page, "Login", "Username:", "test-user@localhost", "Password:", "verysecure")
	}
	return p
}

// startLuikyv starts the example provider of github.com/luikyv/go-oidc.
func startLuikyv(t *testing.T) *Provider {
	t.Helper()
	_, p := startPeer(t, "luikyv-op", "https")
	p.Issuer = "https://auth.localhost"
	p.AsksConsent = true
	p.IsError = func(page *Page) bool { return page.Heading() == "Error" }
	p.SignIn = func(b *Browser, page *Page) (*Page, error) {
		if _, ok := page.Form("Login"); ok {
			var err error
			page, err = b.Submit(page, "Login", "User:", "ada", "Password:", "pass")
			if err != nil {
				return nil, err
			}
		}
		if _, ok := page.Form("Consent"); !ok {
			return page, nil
		}
		return b.Submit(page, "Consent")
	}
	p.ConfirmSignOut = func(b *Browser, page *Page) (*Page, error) {
		if _, ok := page.Form("Confirm"); !ok {
			return page, nil
		}
		return b.Submit(page, "Confirm")
	}
	return p
}

func TestPeers_ZitadelExample(t *testing.T) {
	t.Parallel()
	Test(t, 1, startZitadel(t))
}

func TestPeers_LuikyvExample(t *testing.T) {
	t.Parallel()
	Test(t, 2, startLuikyv(t))
}

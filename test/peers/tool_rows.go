package peers

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/doctor"
	"github.com/guestlist/guestlist/test/harness"
)

var toolRows = []behaviour{
	{"the tool's own responses pass unchanged", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, status := range []int{201, 302, 400, 401, 403, 404, 418, 500, 503} {
			r := p.send(fetch, wikiHost, probe("/status/"+strconv.Itoa(status)))
			if r.status != status || r.body != "the tool's own words" || r.to() != "/elsewhere" || r.header.Get("WWW-Authenticate") != `Basic realm="tool"` || !slices.Equal(r.header["Set-Cookie"], []string{"tool=1; Path=/", "theme=dark; Path=/"}) {
				t.Errorf("%d: got %d %q: %s", status, r.status, r.header, clip(r.body))
			}
		}
	}},
	{"the signed token is Guestlist's, for this app and person", func(t *testing.T, w *world) {
		p := w.signedIn()
		target := probe("/signed")
		token := wantReached(t, w, w.wiki, p.send(fetch, wikiHost, target), target).Header.Get("X-Guestlist-Jwt")
		issuer := "https://" + peopleHost
		keys := oidc.NewRemoteKeySet(oidc.ClientContext(t.Context(), w.visitor().client()), issuer+"/.well-known/jwks.json")
		verify := func(app string) (*oidc.IDToken, error) {
			a, err := w.site.App.Apps.Find(t.Context(), app)
			if err != nil {
				t.Fatal(err)
			}
			config := &oidc.Config{ClientID: a.ID, SupportedSigningAlgs: []string{oidc.ES256}, Now: w.clock.Now}
			return oidc.NewVerifier(issuer, keys, config).Verify(t.Context(), token)
		}
		verified, err := verify("Wiki")
		if err != nil {
			t.Fatal(err)
		}
		var claims struct{ Email string }
		if err := verified.Claims(&claims); err != nil || verified.Subject != p.id() || claims.Email != p.Email {
			t.Errorf("the token is about %s, %s: %v", verified.Subject, claims.Email, err)
		}
		if _, err := verify("Board"); err == nil {
			t.Error("the token is good for another app")
		}
	}},
	{"the doctor finds nothing wrong", func(t *testing.T, w *world) {
		app, err := w.site.App.Apps.Find(t.Context(), "Wiki")
		if err != nil {
			t.Fatal(err)
		}
		checks := 0
		doctor.RunApp(t.Context(), doctor.AppOptions{
			App: app, BaseURL: w.site.Config.BaseURL, Upstream: "http://" + w.to.wiki, Token: w.appToken("Wiki"), Transport: w.certificate.transport(w.to.proxy),
		}, func(f diagnostic.Finding) {
			checks++
			if w.proxy == "builtin" && f.Check == "visitor" { // what ends TLS for it sets no X-Forwarded-For
				return
			}
			if f.Status != diagnostic.OK {
				t.Errorf("%s: %s: %s %s", f.Check, f.Status, f.Text, f.Action)
			}
		})
		if checks < 5 {
			t.Errorf("only %d checks", checks)
		}
	}},
	{"HTTP/2", func(t *testing.T, w *world) {
		transport := w.certificate.transport(w.to.proxy)
		transport.ForceAttemptHTTP2 = true
		t.Cleanup(transport.CloseIdleConnections)
		visitor := w.visitor()
		visitor.Site = &harness.Site{T: t, Transport: transport}
		p := w.signedIn()
		client := p.client()
		client.Transport = transport
		for _, person := range []struct {
			client *http.Client
			status int
		}{{visitor.client(), http.StatusUnauthorized}, {client, http.StatusOK}} {
			target := probe("/h2")
			answer, err := person.client.Get("https://" + wikiHost + target)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != person.status {
				t.Errorf("got %s, want %d", answer.Status, person.status)
			}
			if want := w.proxy == "caddy" || w.proxy == "traefik"; want && answer.ProtoMajor != 2 {
				t.Errorf("the response is %s", answer.Proto)
			}
			if person.status == http.StatusOK {
				wantIdentity(t, p, wantReached(t, w, w.wiki, reply{status: answer.StatusCode}, target))
			} else {
				wantNotReached(t, w, target)
			}
		}
	}},
	{"Authorization is left to the tool", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, value := range []string{"Basic YTpi", "Bearer of-the-tool", "Digest username=x", "Bearer " + strings.Repeat("long.", 1000)} {
			target := probe("/authorized")
			r := p.send(fetch, wikiHost, target, "Authorization", value)
			got := wantReached(t, w, w.wiki, r, target)
			wantIdentity(t, p, got)
			if got.Header.Get("Authorization") != value {
				t.Errorf("the tool received %q, want %q", got.Header["Authorization"], value)
			}
			target = probe("/authorized")
			wantNoAccess(t, w, w.visitor().send(fetch, wikiHost, target, "Authorization", value), target, http.StatusUnauthorized)
		}
	}},
	{"large uploads and downloads", func(t *testing.T, w *world) {
		p := w.signedIn()
		answer, err := p.client().Post("https://"+wikiHost+probe("/upload"), "application/octet-stream", io.LimitReader(zeros{}, largeSize))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var got received
		if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Size != largeSize {
			t.Errorf("status %d: the tool received %d bytes, %v", answer.StatusCode, got.Size, err)
		}
		wantIdentity(t, p, got)
		download, err := p.client().Get("https://" + wikiHost + probe("/download"))
		if err != nil {
			t.Fatal(err)
		}
		defer download.Body.Close()
		if n, err := io.Copy(io.Discard, download.Body); n != largeSize || err != nil {
			t.Errorf("downloaded %d bytes, %v", n, err)
		}
	}},
}

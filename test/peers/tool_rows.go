package peers

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"testing"
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
	{"Authorization is left to the tool", func(t *testing.T, w *world) {
		p := w.signedIn()
		for _, value := range []string{"Basic YTpi", "Bearer of-the-tool", "Digest username=x"} {
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

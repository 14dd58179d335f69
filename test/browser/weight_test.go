package browser

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Size limits of a page with an empty cache.
const (
	maxRequests    = 5
	maxSignInBytes = 15 << 10 // compressed, with headers
	maxUsersBytes  = 40 << 10
)

func TestWeight(t *testing.T) {
	t.Parallel()
	walk(t, weights)
}

var weights = []journey{
	{"the sign-in page is light", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.isLight("/", maxSignInBytes)
	}},

	{"the page for a code is light", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.visit("/")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a code")
		b.sees("textbox", "Six-digit code")
		b.isLight("/signin/sent", maxSignInBytes)
	}},

	{"a page of fifty people is light", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		for i := range 60 {
			site.add(fmt.Sprintf("Katherine Johnson %02d", i), seen(time.Hour))
		}
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.isLight("/users", maxUsersBytes)
	}},

	{"a page of forty apps is light", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		for i := range 40 {
			site.addApp(fmt.Sprintf("App %02d", i))
		}
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.isLight("/apps", maxSignInBytes)
	}},
}

// isLight loads a page with an empty cache and checks the size of what it fetches.
func (b *tab) isLight(address string, maxBytes float64) {
	b.t.Helper()
	b.visit("about:blank") // ends the previous page's requests
	call(b, network.ClearBrowserCache, cdp.Empty{})
	var mu sync.Mutex
	asked := map[network.RequestID]string{}
	got := map[network.RequestID]float64{}
	kept := map[network.RequestID]bool{} // an image that is also the icon is fetched once
	err := chromedp.Listen(b.ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			asked[e.RequestID] = e.Request.URL
		case *network.EventRequestServedFromCache:
			kept[e.RequestID] = true
		case *network.EventResponseReceived:
			kept[e.RequestID] = kept[e.RequestID] || e.Response.FromDiskCache
		case *network.EventLoadingFinished:
			got[e.RequestID] = e.EncodedDataLength
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.visit(address)
	b.await("the end of all requests", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(asked) > 0 && len(asked) == len(got)
	})
	mu.Lock()
	defer mu.Unlock()
	total := 0.0
	maps.DeleteFunc(asked, func(id network.RequestID, _ string) bool { return kept[id] })
	for id, url := range asked {
		b.t.Logf("%6.0f bytes  %s", got[id], url)
		total += got[id]
		if !strings.HasPrefix(url, b.site.URL+"/") {
			b.t.Errorf("%s asks another host: %s", address, url)
		}
	}
	if len(asked) > maxRequests || total > maxBytes {
		b.t.Errorf("%s takes %d requests and %.0f bytes, of %d and %.0f", address, len(asked), total, maxRequests, maxBytes)
	}
}

package browser

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"

	"github.com/guestlist/guestlist/test/harness"
)

// patience is how long a person would wait for something to appear. Only a test
// that fails takes so long.
const patience = 20 * time.Second

// browser is the one browser process, and where the program is that is visited.
type browser struct {
	context.Context // that tabs are made from
	start           harness.StartFunc
}

// startChromium starts the one browser process that all journeys share, with
// nothing kept from another time, to visit the program at the root of its host. It
// skips the test where there is no Chromium, but not in CI.
func startChromium(t *testing.T) browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium on PATH")
		}
		t.Skip("no Chromium on PATH; `apt install chromium` or `brew install --cask chromium` brings one")
	}
	ctx, stop := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
	))
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return browser{ctx, harness.Start}
}

// tab is a page in a browser of its own: it shares no cookies with another tab.
// It is used as a person uses it: things are found by their role and their name,
// as the accessibility tree has them, and by the text that can be read. Whatever
// is looked for may take a moment to appear.
type tab struct {
	t    *testing.T
	site *browserSite
	ctx  context.Context
}

// newTab opens an empty page for somebody who is not signed in.
func newTab(t *testing.T, chromium browser, site *browserSite) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, site: site, ctx: ctx}
	if strings.HasPrefix(site.URL, "https:") { // by a certificate that no browser knows
		call(b, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
	}
	b.do(chromedp.EmulateViewport(1280, 800))
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return b
}

// withoutScripts turns JavaScript off.
func (b *tab) withoutScripts() *tab {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return b
}

// try has the browser do something, or give up after a while.
func try[T any](b *tab, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// do has the browser do one thing after another.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := try(b, chromedp.Steps(steps...)); err != nil {
		b.t.Fatal(err)
	}
}

// call sends the browser a command of the DevTools protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := tryCall(b, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func tryCall[P, R any](b *tab, command cdp.Command[P, R], params P) (R, error) {
	return try(b, func(ctx context.Context, page *chromedp.Target) (R, error) {
		return cdp.Call(ctx, page, command, params)
	})
}

// eval returns what an expression is in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := try(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// glance is eval for a page that may be just changing: ok is false until it has
// loaded.
func glance[T any](b *tab, expression string) (value T, ok bool) {
	value, err := try(b, chromedp.Evaluate[T](`document.readyState === "complete" ? `+expression+` : undefined`))
	return value, err == nil
}

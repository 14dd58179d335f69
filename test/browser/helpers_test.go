package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/test/harness"
)

// elementTimeout is how long to wait for something to appear. Only failing tests take this long.
const elementTimeout = 20 * time.Second

// browser is the shared browser process and the function that starts a server to visit.
type browser struct {
	context.Context // parent of the tabs' contexts
	start           harness.StartFunc
}

// chromium is the browser process that all tests share.
var chromium struct {
	start sync.Once
	ctx   context.Context
	stop  context.CancelFunc // nil until it is started
	err   error
}

// startChromium returns the shared browser process, with an empty profile, for a program
// at the root of its host. It skips the test if Chromium is missing, or fails it in CI.
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
	chromium.start.Do(func() {
		chromium.ctx, chromium.stop = chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
			chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
			chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		))
		chromium.err = chromedp.Do(chromium.ctx)
	})
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	return browser{chromium.ctx, harness.Start}
}

func stopChromium() {
	if chromium.stop != nil {
		chromium.stop()
	}
}

// tab is a page in its own browser context, which shares no cookies with other tabs. Elements are
// found by role and name in the accessibility tree, and by visible text. Methods wait until what
// they look for appears.
type tab struct {
	t    *testing.T
	site *browserSite
	ctx  context.Context
}

// newTab opens an empty page in a new browser context.
func newTab(t *testing.T, chromium browser, site *browserSite) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b := &tab{t: t, site: site, ctx: ctx}
	if strings.HasPrefix(site.URL, "https:") { // the certificate is self-signed
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

// try runs action with a timeout.
func try[T any](b *tab, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, elementTimeout)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// do runs steps in order.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if _, err := try(b, chromedp.Steps(steps...)); err != nil {
		b.t.Fatal(err)
	}
}

// call sends a command of the DevTools protocol.
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

// eval evaluates a JavaScript expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := try(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// tryEval is eval for a page that may be loading: ok is false until it has loaded.
func tryEval[T any](b *tab, expression string) (value T, ok bool) {
	value, err := try(b, chromedp.Evaluate[T](`document.readyState === "complete" ? `+expression+` : undefined`))
	return value, err == nil
}

// visit navigates to a path of the site or to an absolute URL.
func (b *tab) visit(address string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.site.URL + address
	}
	b.do(chromedp.Navigate(address))
}

// signIn requests a link on the sign-in page and follows it. It visits the page unless the tab
// is already there.
func (b *tab) signIn(address string) {
	b.t.Helper()
	if eval[string](b, "location.protocol") == "about:" {
		b.visit("/")
	}
	b.fill("textbox", "Email address", address)
	b.click("button", "Email me a link")
	b.sees("heading", "Check your email")
	b.visit(b.site.link(address))
	b.sees("button", "Sign out")
}

// await polls is until it returns true; what describes the condition in the failure.
func (b *tab) await(what string, is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(elementTimeout); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			page, _ := tryEval[string](b, "location.href + ':\\n' + document.body.innerText")
			b.t.Fatalf("not seen: %s\nat %s", what, page)
		}
	}
}

// at waits until the tab is at address, relative to the site.
func (b *tab) at(address string) {
	b.t.Helper()
	b.await("the address "+address, func() bool {
		href, _ := tryEval[string](b, "location.href")
		return href == b.site.URL+address
	})
}

// sees waits until exactly one element has the role and name, and returns it.
func (b *tab) sees(role, name string) *accessibility.Node {
	b.t.Helper()
	var found []*accessibility.Node
	b.await(fmt.Sprintf("one %s %q", role, name), func() bool {
		found, _ = b.matches(role, name)
		return len(found) == 1
	})
	return found[0]
}

// lacks waits until no element has the role and name.
func (b *tab) lacks(role, name string) {
	b.t.Helper()
	b.await(fmt.Sprintf("no %s %q", role, name), func() bool {
		found, ok := b.matches(role, name)
		return ok && len(found) == 0
	})
}

// matches returns the visible elements with the role and name; ok is false until the page has
// loaded.
func (b *tab) matches(role, name string) (found []*accessibility.Node, ok bool) {
	document, ok := tryEval[*runtime.RemoteObject](b, "document")
	if !ok || document.ObjectID == "" {
		return nil, false
	}
	tree, err := tryCall(b, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{
		ObjectID: document.ObjectID, Role: role, AccessibleName: name,
	})
	for _, node := range tree.Nodes {
		if !node.Ignored {
			found = append(found, node)
		}
	}
	return found, err == nil
}

// reads waits until the page's text contains words.
func (b *tab) reads(words string) {
	b.t.Helper()
	b.await(fmt.Sprintf("the words %q", words), func() bool {
		text, _ := tryEval[string](b, "document.body.innerText")
		return strings.Contains(strings.Join(strings.Fields(text), " "), words)
	})
}

// announces waits until the text of a live region is words.
func (b *tab) announces(words string) {
	b.t.Helper()
	b.await(fmt.Sprintf("the announcement %q", words), func() bool {
		texts, _ := tryEval[[]string](b, `[...document.querySelectorAll("[role=status]")].map(e => e.innerText.trim())`)
		return slices.Contains(texts, words)
	})
}

// focused waits until the element what, such as `button "Save"`, has the focus.
func (b *tab) focused(what string) {
	b.t.Helper()
	b.await("the focus at "+what, func() bool { return b.focus() == what })
}

// focus returns the role and name of the focused element, or "" until the page has loaded.
func (b *tab) focus() string {
	active, ok := tryEval[*runtime.RemoteObject](b, "document.activeElement")
	if !ok || active.ObjectID == "" {
		return ""
	}
	no := false
	tree, err := tryCall(b, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{
		ObjectID: active.ObjectID, FetchRelatives: &no,
	})
	if err != nil || len(tree.Nodes) == 0 {
		return ""
	}
	return fmt.Sprintf("%s %q", axText(tree.Nodes[0].Role), axText(tree.Nodes[0].Name))
}

// axText returns a text value of the accessibility tree, or "".
func axText(v *accessibility.Value) string {
	var text string
	if v != nil {
		_ = json.Unmarshal(v.Value, &text) // other types count as empty
	}
	return text
}

// click clicks the middle of an element.
func (b *tab) click(role, name string) {
	b.t.Helper()
	id := b.sees(role, name).BackendDOMNodeID
	call(b, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: id})
	quads := call(b, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: id}).Quads
	if len(quads) == 0 {
		b.t.Fatalf("%s %q takes no room on the page", role, name)
	}
	q := quads[0]
	b.do(chromedp.MouseClickXY((q[0]+q[2]+q[4]+q[6])/4, (q[1]+q[3]+q[5]+q[7])/4))
}

// fill replaces the text of a field.
func (b *tab) fill(role, name, text string) {
	b.t.Helper()
	b.click(role, name)
	b.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.press(text)
}

// chooseFile selects a file with the given content in the page's file field.
func (b *tab) chooseFile(name, content string) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.await("a field for a file", func() bool {
		page, err := tryCall(b, dom.GetDocument, dom.GetDocumentParams{})
		if err != nil {
			return false // the page is loading, here and below
		}
		field, err := tryCall(b, dom.QuerySelector, dom.QuerySelectorParams{NodeID: page.Root.NodeID, Selector: "input[type=file]"})
		if err != nil || field.NodeID == 0 {
			return false
		}
		_, err = tryCall(b, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, NodeID: field.NodeID})
		return err == nil
	})
}

// choose selects an option of a list by typing its first letters, and retries if typing was too
// slow for the browser.
func (b *tab) choose(name, option string) {
	b.t.Helper()
	b.await(fmt.Sprintf("%q chosen in %q", option, name), func() bool {
		call(b, dom.Focus, dom.FocusParams{BackendNodeID: b.sees("combobox", name).BackendDOMNodeID})
		b.press(option)
		return strings.HasPrefix(axText(b.sees("combobox", name).Value), option)
	})
}

// press types keys, which may include kb.Enter and the like. Unlike chromedp.KeyEvent it sends the
// text with the key, so a page that handles the key gets no letter.
func (b *tab) press(keys string) {
	b.t.Helper()
	for _, key := range keys {
		var down, up *input.DispatchKeyEventParams
		text := ""
		for _, event := range kb.Encode(key) {
			switch event.Type {
			case kb.KeyDown:
				down = event
			case kb.KeyChar:
				text = event.Text
			case kb.KeyUp:
				up = event
			}
		}
		down.Text = text
		call(b, input.DispatchKeyEvent, *down)
		call(b, input.DispatchKeyEvent, *up)
	}
}

package browser

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/page"

	"github.com/guestlist/guestlist/test/harness"
)

func TestScreenshots(t *testing.T) {
	t.Parallel()
	walk(t, screenshots)
}

// screenshots are for people to judge what no test can. They are taken when
// GUESTLIST_TEST_SCREENSHOTS names a folder to put them into; then docs/img is
// brought up to date too.
var screenshots = []journey{
	{"screenshots of every page", func(t *testing.T, chromium browser) {
		dir := screenshotsDir(t)
		g := newGallery(t, chromium)
		for _, s := range slices.Concat(sights, longSights(t, chromium)) {
			b := s.show(g)
			for _, l := range []look{desk, desk.dark(), phone, phone.dark()} {
				b.look(l)
				b.screenshot(filepath.Join(dir, s.name+", "+l.name+".png"))
			}
			b.look(desk)
		}
	}},

	{"the screenshot in the README", func(t *testing.T, chromium browser) {
		screenshotsDir(t)
		b := newGallery(t, chromium).in
		b.look(look{scheme: "light", width: 1280, height: 820})
		b.visit("/users")
		b.screenshot(harness.RepoPath("docs/img/users.png"))
	}},
}

func screenshotsDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("GUESTLIST_TEST_SCREENSHOTS")
	if dir == "" {
		t.Skip("GUESTLIST_TEST_SCREENSHOTS names no folder")
	}
	return dir
}

// screenshot writes the whole page, also what is below the window, as PNG.
func (b *tab) screenshot(path string) {
	b.t.Helper()
	yes := true
	shot := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &yes})
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, shot.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

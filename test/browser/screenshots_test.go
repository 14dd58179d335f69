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

// screenshots are for review by eye. They are written to the directory named by
// GUESTLIST_TEST_SCREENSHOTS, and also update docs/img.
var screenshots = []journey{
	{"screenshots of every page", func(t *testing.T, chromium browser) {
		dir := screenshotsDir(t)
		g := newGallery(t, chromium)
		for _, s := range slices.Concat(pageStates, requestStates, deviceStates, longPageStates(t, chromium)) {
			b := s.show(g)
			for _, l := range []viewport{desk, desk.dark(), phone, phone.dark()} {
				b.setViewport(l)
				b.screenshot(filepath.Join(dir, s.name+", "+l.name+".png"))
			}
			b.setViewport(desk)
		}
	}},

	{"the screenshot in the README", func(t *testing.T, chromium browser) {
		screenshotsDir(t)
		b := newGallery(t, chromium).in
		b.setViewport(viewport{scheme: "light", width: 1280, height: 820})
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

// screenshot writes the full page as PNG.
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

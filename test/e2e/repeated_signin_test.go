package e2e

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// pressAndLoseResponse submits the form of a landing page and drops the cookies of the
// response, like a browser that lost the connection.
func pressAndLoseResponse(p *harness.Person, page harness.View) harness.Outcome {
	p.T.Helper()
	form, ok := page.Form("Continue")
	if !ok {
		p.T.Fatalf("%s has no button: %s", page.Path, page.Text())
	}
	lost := *p
	lost.Jar, _ = cookiejar.New(nil)
	lost.Jar.SetCookies(p.Site.Config.BaseURL, p.Jar.Cookies(p.Site.Config.BaseURL))
	return lost.TryOutcome(lost.FormRequest(app.CallbackPath, form.Values.Encode()))
}

func TestSignIn_LostResponseCanBeRepeatedInTheSameBrowser(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
		there := here.StartAnother("--guestlist-local-stytch-limits=off")
		ada := here.NewPerson("ada@example.com")
		ada.SignIn()
		for _, asked := range []bool{true, false} { // a requested link, and an invitation in a browser without a flow
			grace := here.NewPerson("grace@example.com")
			if asked {
				grace.Email = "joan@example.com"
			}
			ada.Invite(grace.Email)
			if asked {
				grace.NextLink()
				grace.RequestLink()
			}
			link := grace.NextLink()
			landing := grace.OpenLink(link)
			before := here.Count("SELECT COUNT(*) FROM sessions")
			if got := pressAndLoseResponse(grace, landing); got.Status != http.StatusSeeOther {
				t.Fatalf("the first press: %v", got)
			}
			thief := grace.InNewBrowser()
			harness.WantPage(t, thief.PressContinue(thief.OpenLink(link)), 410, "This link no longer works")
			harness.WantPage(t, grace.At(there).PressContinue(landing), 200, "My apps", grace.Email)
			harness.WantPage(t, grace.Get("/profile"), 200, grace.Email)
			if n := here.Count("SELECT COUNT(*) FROM sessions") - before; n != 1 {
				t.Errorf("%d sessions were made", n)
			}
			grace.Post("/signout")
			harness.WantPage(t, grace.PressContinue(landing), 410, "This link no longer works")
		}
	})
}

// The browser closes the connection during the call to Stytch. The sign-in is completed,
// and pressing again at another instance finds it.
func TestSignIn_ClosedConnectionDoesNotUseUpTheLink(t *testing.T) {
	t.Parallel()
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c)
	here := harness.Start(t, testdb.SQLite(t), c, stytch.Flags()...)
	there := here.StartAnother(stytch.Flags()...)
	ada := stytch.NewPerson(here, "ada@example.com")
	ada.RequestLink()
	landing := ada.OpenNextLink()
	asked := make(chan struct{}, 8)
	stytch.SetFault(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		asked <- struct{}{}
		time.Sleep(700 * time.Millisecond) // longer than the browser waits
		pass.ServeHTTP(w, r)
	})
	form, _ := landing.Form("Continue")
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	r := ada.FormRequest(app.CallbackPath, form.Values.Encode()).WithContext(ctx)
	go func() {
		res, err := (&http.Client{Jar: ada.Jar}).Do(r)
		if err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		gone <- err
	}()
	<-asked
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("the first press was answered: %v", err)
	}
	harness.WantPage(t, ada.At(there).PressContinue(landing), 200, "My apps", "People") // while the first request is in progress
	if n := here.Count("SELECT COUNT(*) FROM sessions"); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

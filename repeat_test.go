package main

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
)

// pressesInVain sends the form of a landing page in the person's browser, and forgets what
// the answer sets, as a browser does that has given up on it.
func (p *person) pressesInVain(page view) outcome {
	p.t.Helper()
	form, ok := page.Form("Continue")
	if !ok {
		p.t.Fatalf("%s has no button: %s", page.path, page.Text())
	}
	inVain := *p
	inVain.jar, _ = cookiejar.New(nil)
	inVain.jar.SetCookies(p.site.cfg.BaseURL, p.jar.Cookies(p.site.cfg.BaseURL))
	return inVain.tries(inVain.form(app.CallbackPath, form.Values.Encode()))
}

func TestAnswerOfASignInThatWasLost_IsMadeGoodForTheSameBrowserAlone(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := start(t, databaseURL, newClock(noon), "--guestlist-local-stytch-limits=off")
		there := here.another("--guestlist-local-stytch-limits=off")
		ada := here.person("ada@example.com")
		ada.signsIn()
		for _, asked := range []bool{true, false} { // a link, and an invitation in a browser without a flow
			grace := here.person("grace@example.com")
			if asked {
				grace.email = "joan@example.com"
			}
			ada.invites(grace.email)
			if asked {
				grace.newMail()
				grace.asks()
			}
			link := grace.newMail()
			landing := grace.opens(link)
			before := here.count("SELECT COUNT(*) FROM sessions")
			if got := grace.pressesInVain(landing); got.status != http.StatusSeeOther {
				t.Fatalf("the first press: %v", got)
			}
			thief := grace.elsewhere()
			wants(t, thief.continues(thief.opens(link)), 410, "This link no longer works")
			wants(t, grace.at(there).continues(landing), 200, grace.email)
			wants(t, grace.get("/profile"), 200, grace.email)
			if n := here.count("SELECT COUNT(*) FROM sessions") - before; n != 1 {
				t.Errorf("%d sessions were made", n)
			}
			grace.posts("/signout")
			wants(t, grace.continues(landing), 410, "This link no longer works")
		}
	})
}

// The browser closes the connection while Stytch is being asked. The sign-in is
// carried through, and the next press finds it, at another instance.
func TestConnectionClosedDuringASignIn_DoesNotCostTheLink(t *testing.T) {
	t.Parallel()
	c := newClock(noon)
	stytch := newRemote(t, c)
	here := start(t, testdb.SQLite(t), c, stytch.flags()...)
	there := here.another(stytch.flags()...)
	ada := stytch.person(here, "ada@example.com")
	ada.asks()
	landing := ada.opensMail()
	asked := make(chan struct{}, 8)
	stytch.fails(func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		asked <- struct{}{}
		time.Sleep(700 * time.Millisecond) // longer than the browser waits
		pass.ServeHTTP(w, r)
	})
	form, _ := landing.Form("Continue")
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	r := ada.form(app.CallbackPath, form.Values.Encode()).WithContext(ctx)
	go func() {
		res, err := (&http.Client{Jar: ada.jar}).Do(r)
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
	wants(t, ada.at(there).continues(landing), 200, "People") // while the first is under way
	if n := here.count("SELECT COUNT(*) FROM sessions"); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

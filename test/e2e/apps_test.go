package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// An administrator adds an app to the built-in proxy and presses "Test it".
func TestApps_TestItReachesTheBuiltInProxy(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		tool := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("the tool")) }))
		defer tool.Close()
		ada := s.NewPerson("ada@example.com")
		ada.SignIn()
		address, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		page := ada.Post("/apps/new", "name", "Tool", "url", "http://tool.localhost:"+address.Port(), "audience", "everyone", "upstream", tool.URL)
		harness.WantPage(t, page, http.StatusOK, "Tool", "Tool was added. Next, connect it.", "Nothing to set up")
		path := page.Path
		harness.WantPage(t, ada.Post(path+"/test"), http.StatusOK, "Tool", "Requests reach Guestlist.", "Connected", "Last request just now.")

		// The same tool, reached without Guestlist.
		page = ada.Post("/apps/new", "name", "Open", "url", strings.Replace(tool.URL, "127.0.0.1", "open.localhost", 1), "audience", "everyone")
		harness.WantPage(t, ada.Post(page.Path+"/test"), http.StatusOK, "Open", "without asking Guestlist, so the app may be open to anyone")
	})
}

// Administrators press the same button at once.
func TestGroups_ConcurrentFormsCountOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		ada.SignIn()
		u, err := s.App.Directory.Add(t.Context(), directory.Actor{}, directory.UserInput{Email: "hedy@example.com"})
		harness.Must(t, err)
		g, err := s.App.Groups.Create(t.Context(), event.Origin{}, "Guests")
		harness.Must(t, err)
		end := time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC)
		harness.Must(t, s.App.Groups.Join(t.Context(), event.Origin{}, g.ID, u.ID, end))

		const several = 8
		answers := make([]harness.Outcome, several)
		form := url.Values{"days": {"30"}, "seen": {end.Format(time.RFC3339Nano)}}.Encode()
		requests := make([]*http.Request, several)
		for i := range requests {
			requests[i] = ada.FormRequest("/groups/"+g.ID+"/members/"+u.ID, form)
		}
		harness.Concurrently(several, func(i int) { answers[i] = ada.TryOutcome(requests[i]) })
		for _, a := range answers {
			if a != (harness.Outcome{Status: http.StatusSeeOther, Location: "/groups/" + g.ID}) {
				t.Errorf("renewing: %v", a)
			}
		}
		m, err := s.App.Groups.Membership(t.Context(), g.ID, u.ID)
		if want := end.AddDate(0, 0, 30); err != nil || !m.Until.Equal(want) {
			t.Errorf("it ends at %v, %v; want %v", m.Until, err, want)
		}

		for i := range requests {
			requests[i] = ada.FormRequest("/apps/new", "name=Wiki&url=https://wiki.example.com&audience=groups&groups="+g.ID)
		}
		harness.Concurrently(several, func(i int) { answers[i] = ada.TryOutcome(requests[i]) })
		added, refused := 0, 0
		for _, a := range answers {
			switch a.Status {
			case http.StatusSeeOther:
				added++
			case http.StatusConflict:
				refused++
			}
		}
		if added != 1 || refused != several-1 || s.Count("SELECT COUNT(*) FROM apps") != 1 || s.Count("SELECT COUNT(*) FROM app_groups") != 1 {
			t.Errorf("%d added, %d refused: %v", added, refused, answers)
		}
	})
}

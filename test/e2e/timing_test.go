package e2e

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// auc measures how well two sets of durations can be distinguished: the share of pairs in
// which one is longer (the Mann-Whitney statistic). It is 0.5 if they can't be
// distinguished and 1 if they don't overlap.
func auc(a, b []time.Duration) float64 {
	b = slices.Sorted(slices.Values(b))
	wins := 0.0
	for _, x := range a {
		below, _ := slices.BinarySearch(b, x)
		upTo, _ := slices.BinarySearch(b, x+1)
		wins += float64(below+upTo) / 2
	}
	share := wins / float64(len(a)*len(b))
	return math.Max(share, 1-share)
}

func TestAUC(t *testing.T) {
	t.Parallel()
	ms := func(n ...int) (d []time.Duration) {
		for _, n := range n {
			d = append(d, time.Duration(n)*time.Millisecond)
		}
		return d
	}
	for _, row := range []struct {
		a, b []time.Duration
		want float64
	}{
		{ms(1, 2, 3), ms(1, 2, 3), 0.5}, {ms(1, 2), ms(3, 4), 1}, {ms(3, 4), ms(1, 2), 1}, {ms(1, 3), ms(2, 2), 0.5}, {ms(1, 4), ms(2, 3, 0, 0), 0.75},
	} {
		if got := auc(row.a, row.b); got != row.want {
			t.Errorf("%v and %v: %v, want %v", row.a, row.b, got, row.want)
		}
	}
}

// An attacker requests links for users, suspended users and unknown addresses in turn, and
// measures the time of each response and that of a request right after it.
//
// If the first two hundred samples of each kind differ by chance, more are taken.
func TestStandalone_TimingRevealsNothing(t *testing.T) {
	t.Parallel()
	const people, rounds = 100, 10
	s, post := startStandalone(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	harness.WantPage(t, ada.PressContinue(ada.OpenLink(post.nextLink(t, ada.Email, 0))), 200, "My apps", "People")
	for i := range people {
		ada.Invite(fmt.Sprintf("listed%d@example.com", i))
		suspended := fmt.Sprintf("suspended%d@example.com", i)
		ada.Invite(suspended)
		u, err := s.App.Store.GetUserByEmail(t.Context(), directory.Email{Normalized: suspended})
		if err != nil {
			t.Fatal(err)
		}
		ada.Post("/users/" + u.ID + "/suspend")
	}

	s.Clock.Advance(5 * time.Minute)
	asked, before := 0, 0 // the number of requests, and that at the last move of the clock
	timed := func(address string) time.Duration {
		t.Helper()
		asked++
		r := ada.NewRequest("POST", "http://"+s.Config.Addr+"/signin", strings.NewReader("email="+address))
		r.Host = "guestlist.example"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("2001:%x:%x::1", 0x1000+asked/65536, asked%65536))
		began := time.Now()
		answer, err := http.DefaultTransport.RoundTrip(r)
		took := time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusSeeOther {
			t.Fatalf("asking for %s: %d, %v", address, answer.StatusCode, err)
		}
		return took
	}

	kinds := []string{"listed", "suspended", "unlisted"}
	answers, probes := map[string][]time.Duration{}, map[string][]time.Duration{}
	for round := range rounds {
		type sample struct {
			kind string
			n    int
		}
		var order []sample
		for _, kind := range kinds {
			for n := range people {
				order = append(order, sample{kind, n})
			}
		}
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for i, o := range order {
			if i%50 == 0 { // requests in progress end, and no limit is reached
				harness.Eventually(t, "each request's link or decoy", func() bool {
					return s.Count("SELECT COUNT(*) FROM stytch_links WHERE created_at >= ?", s.Clock.Now().UnixMicro()) == asked-before
				})
				before = asked
				s.Clock.Advance(5 * time.Minute)
			}
			answers[o.kind] = append(answers[o.kind], timed(fmt.Sprintf("%s%d@example.com", o.kind, o.n)))
			probes[o.kind] = append(probes[o.kind], timed(fmt.Sprintf("probe%d.%d@example.com", round, i)))
		}
		if round == 0 {
			continue
		}
		measured := ""
		for what, times := range map[string]map[string][]time.Duration{"the answer": answers, "a request right after": probes} {
			for i, a := range kinds {
				for _, b := range kinds[i+1:] {
					if got := auc(times[a], times[b]); got >= 0.55 {
						measured += fmt.Sprintf("by the time of %s, %s and %s are told apart: AUC %.3f of %d samples each\n", what, a, b, got, len(times[a]))
					}
				}
			}
		}
		if measured == "" {
			return
		}
		if round == rounds-1 {
			t.Error(measured)
		}
	}
}

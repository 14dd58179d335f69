package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

var addedSoFar = regexp.MustCompile(`([\d,]+) added`)

// added returns the number of added people that a page shows.
func added(t *testing.T, v harness.View) int {
	t.Helper()
	found := addedSoFar.FindStringSubmatch(v.Text())
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(strings.ReplaceAll(found[1], ",", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// awaitAdded waits until an import has added more than enough people or is done. It fails
// only if the import comes to a standstill: how fast it is depends on the machine.
func awaitAdded(t *testing.T, enough int, progress func() (n int, done bool)) {
	t.Helper()
	n, done := progress()
	for n <= enough && !done {
		was := n
		harness.Eventually(t, fmt.Sprintf("more than %d people added", was), func() bool {
			n, done = progress()
			return n > was || done
		})
	}
}

// TestProgram_KilledDuringAnImportResumes kills the program during an import of a hundred
// thousand people.
func TestProgram_KilledDuringAnImportResumes(t *testing.T) {
	t.Parallel()
	path := harness.BuildProgram(t)
	const people = 100_000
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		p := harness.Launch(t, path, "--database-url="+databaseURL)
		ada := p.NewPerson("ada@example.com")
		ada.SignIn()
		begin := time.Now()
		preview := ada.UploadFile("people.csv", harness.PeopleFile(people))
		harness.WantPage(t, preview, 200, "people.csv", "Import 100,000 people")
		uploaded := time.Since(begin)
		running := ada.Submit(preview, "Import 100,000 people")
		harness.WantPage(t, running, 200, "people.csv", "Importing…")
		awaitAdded(t, people/4, func() (int, bool) { return added(t, ada.Get(running.Path)), false })
		p.Cmd.Process.Kill()
		p.Cmd.Wait() // returns an error, because it was killed

		// The lease of the killed program expires in half a minute.
		s := harness.Start(t, databaseURL, harness.NewClock(time.Now().Add(time.Minute)), "--guestlist-addr="+p.Config.Addr, "--guestlist-base-url="+p.URL)
		ada = ada.At(s)
		begun := added(t, ada.Get(running.Path))
		if begun == 0 || begun >= people {
			t.Fatalf("it was killed when %d were added", begun)
		}
		begin = time.Now()
		awaitAdded(t, people, func() (int, bool) {
			v := ada.Get(running.Path)
			return added(t, v), strings.Contains(v.Text(), "100,000 people were added")
		})
		took := time.Since(begin)
		t.Logf("uploaded in %v; killed at %d; the other %d in %v: %.0f a second", uploaded, begun, people-begun, took, float64(people-begun)/took.Seconds())
		for query, want := range map[string]int{
			"SELECT COUNT(*) FROM users WHERE email_key LIKE 'person.%'":               people,
			"SELECT COUNT(DISTINCT email_key) FROM users":                              people + 1,
			"SELECT COUNT(DISTINCT subject_id) FROM events WHERE kind='user_added'":    people,
			"SELECT COUNT(*) FROM events WHERE kind='user_added'":                      people,
			"SELECT COUNT(*) FROM events WHERE kind='import_done'":                     1,
			"SELECT COUNT(DISTINCT user_id) FROM user_words WHERE word LIKE 'person%'": people,
			"SELECT COUNT(*) FROM users WHERE invited_by = '' AND name LIKE 'Pers%'":   0,
		} {
			if n := s.Count(query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
	})
}

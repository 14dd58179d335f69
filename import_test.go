package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

// sendsFile chooses a file on the page for it and sends it.
func (p *person) sendsFile(name, content string) view {
	p.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	r := p.request("POST", p.site.url+"/users/import", &b)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return p.follow(r)
}

// fileOf is a file of n people.
func fileOf(n int) string {
	var b strings.Builder
	b.WriteString("email,name\n")
	for i := range n {
		fmt.Fprintf(&b, "person.%d@example.com,Person Number %d\n", i, i)
	}
	return b.String()
}

var addedSoFar = regexp.MustCompile(`([\d,]+) added`)

// added is how many people a page says have come onto the list.
func added(t *testing.T, v view) int {
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

// killedInAnImport kills the program, with no time to tidy up, in the middle of a
// hundred thousand people.
func killedInAnImport(t *testing.T, path string) {
	const people = 100_000
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		p := launch(t, path, "--database-url="+databaseURL)
		ada := p.person("ada@example.com")
		ada.signsIn()
		begin := time.Now()
		preview := ada.sendsFile("people.csv", fileOf(people))
		wants(t, preview, 200, "people.csv", "Import 100,000 people")
		uploaded := time.Since(begin)
		running := ada.submits(preview, "Import 100,000 people")
		wants(t, running, 200, "people.csv", "Importing…")
		eventually(t, "an import under way", func() bool { return added(t, ada.get(running.path)) > people/4 })
		p.cmd.Process.Kill()
		p.cmd.Wait() // its error is that it was killed

		// The lease of who is dead is over in half a minute.
		s := start(t, databaseURL, newClock(time.Now().Add(time.Minute)), "--guestlist-addr="+p.cfg.Addr, "--guestlist-base-url="+p.url)
		ada = ada.at(s)
		begun := added(t, ada.get(running.path))
		if begun == 0 || begun >= people {
			t.Fatalf("it was killed when %d were added", begun)
		}
		begin = time.Now()
		for done, was := false, begun; !done; {
			eventually(t, fmt.Sprintf("more than %d people", was), func() bool {
				v := ada.get(running.path)
				done = strings.Contains(v.Text(), "100,000 people were added")
				now := added(t, v)
				more := now > was
				was = now
				return more || done
			})
		}
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
			if n := s.count(query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
	})
}

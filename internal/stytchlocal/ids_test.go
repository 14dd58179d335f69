package stytchlocal

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/mail"
)

func TestNewToken_LettersAndDigits(t *testing.T) {
	t.Parallel()
	seen, used := map[string]bool{}, map[rune]int{}
	for range 5000 {
		token := newToken()
		if !tokenPattern.MatchString(token) || strings.Trim(token, alphanumeric) != "" || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
		for _, c := range token {
			used[c]++
		}
	}
	for _, c := range alphanumeric { // 3,548 are expected of each
		if n := used[c]; n < 3000 || n > 4100 {
			t.Errorf("%q was drawn %d times in 220,000", c, n)
		}
	}
}

func TestLinkURL_AloneOnItsLine(t *testing.T) {
	t.Parallel()
	s := &Server{opts: Options{BaseURL: "https://guestlist.example/people"}, project: project{Credentials: Credentials{PublicToken: "public-token-test-6d5f8a3c-0000-4000-8000-000000000000"}}}
	for _, isInvitation := range []bool{false, true} {
		link := s.linkURL(newToken())
		u, err := url.Parse(link)
		if err != nil || strings.Trim(link[len(link)-1:], alphanumeric) != "" || u.Query().Get("token") == "" {
			t.Fatalf("link %q, %v", link, err)
		}
		m, err := mail.Link{Invitation: isInvitation, To: "ada@example.com", URL: link, Home: s.opts.BaseURL}.Message("Guestlist", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		alone := false
		for line := range strings.Lines(m.Text) {
			alone = alone || strings.TrimRight(line, "\r\n") == link
			if len(line) > 998 {
				t.Errorf("a line of %d bytes: mail servers break it", len(line))
			}
		}
		if !alone {
			t.Errorf("the link does not stand alone on a line:\n%s", m.Text)
		}
	}
}

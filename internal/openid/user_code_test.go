package openid

import (
	"errors"
	"strings"
	"testing"
)

func TestNewUserCode(t *testing.T) {
	t.Parallel()
	count := map[rune]int{}
	const codes = 2000
	for range codes {
		code := newUserCode()
		for _, c := range code {
			count[c]++
		}
		if got, err := parseUserCode(formatUserCode(code)); err != nil || got != code {
			t.Fatalf("%q is read as %q: %v", formatUserCode(code), got, err)
		}
	}
	for _, c := range userCodeLetters {
		if n, mean := count[c], codes*userCodeLength/len(userCodeLetters); n < mean*3/4 || n > mean*5/4 {
			t.Errorf("%c occurs %d times, on average they do %d times", c, n, mean)
		}
	}
	if len(count) != len(userCodeLetters) {
		t.Errorf("the letters are %v", count)
	}
}

func TestParseUserCode(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"WDJB-MJHT", "wdjbmjht", "wdjb mjht", " WdJb – mJhT\t", "W.D.J.B.M.J.H.T", "WDJB\u00a0MJHT", "WDJB_MJHT\r\n"} {
		if got, err := parseUserCode(text); got != "WDJBMJHT" || err != nil {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "-", "WDJB-MJH", "WDJB-MJHTB", "WDJB-MJHA", "WDJB-MJH1", "WDJB/MJHT", "WDJB-MJHＴ", "ŴDJB-MJHT", "<WDJB-MJHT>", "WDJB-MJHT\x00", "%20WDJB-MJHT", strings.Repeat("B", 1000),
	} {
		if got, err := parseUserCode(text); !errors.Is(err, ErrUserCodeFormat) {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

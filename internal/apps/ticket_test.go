package apps

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newTickets(t *testing.T, now *time.Time, keys ...string) *Tickets {
	t.Helper()
	tickets, err := NewTickets(keys, func() time.Time { return *now })
	if err != nil {
		t.Fatal(err)
	}
	return tickets
}

func TestTickets_OpenWhatTheySealed(t *testing.T) {
	t.Parallel()
	now := noon
	tickets := newTickets(t, &now, "key")
	for name, path := range map[string]string{
		"a root": "/", "a query": "/a?b=c&d=%20#e", "bytes": "/\xff\x00\u202e", "the longest": "/" + strings.Repeat("x", MaxReturnPath-1),
	} {
		k := tickets.New(App{ID: "0193-app"}, path, HashCredential("cookie"))
		k.Problem, k.Round = ProblemCode, 2
		sealed := tickets.Seal(k)
		got, err := tickets.Open(sealed)
		if diff := cmp.Diff(k, got); diff != "" || err != nil {
			t.Errorf("%s: %v, %s", name, err, diff)
		}
		if strings.Trim(sealed, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Errorf("%s: %q must be escaped in an address", name, sealed)
		}
		if got := tickets.Seal(k); got == sealed {
			t.Errorf("%s: sealed twice alike", name)
		}
	}
}

// TestTickets_FitIntoAPageOfNginx keeps the longest Location header below what nginx accepts from
// an upstream by default, with room for the rest of the answer.
func TestTickets_FitIntoAPageOfNginx(t *testing.T) {
	t.Parallel()
	now := noon
	tickets := newTickets(t, &now, "key")
	k := tickets.New(App{ID: "0193e1f2-7c5a-7d4e-8f3a-1b2c3d4e5f60"}, "/"+strings.Repeat("x", MaxReturnPath-1), HashCredential("cookie"))
	if n := len(tickets.Seal(k)); n > 3000 {
		t.Errorf("a ticket has %d bytes", n)
	}
}

func TestTickets_RefuseOthers(t *testing.T) {
	t.Parallel()
	now := noon
	tickets := newTickets(t, &now, "key")
	k := tickets.New(App{ID: "0193-app"}, "/page", HashCredential("cookie"))
	sealed := tickets.Seal(k)
	refused := map[string]string{
		"nothing": "", "text": "x", "cut": sealed[:len(sealed)-1], "longer": sealed + "A", "padded": sealed + "=", "with a line break": sealed + "\n",
		"of another key": newTickets(t, &now, "another").Seal(k), "a report": tickets.SealReport("a\nb\nc\n1\n9999999999\n/"),
		"not base64": sealed[:10] + "*" + sealed[11:], "zeros": base64.RawURLEncoding.EncodeToString(make([]byte, 100)),
	}
	for i := range sealed {
		other := byte('A')
		if sealed[i] == other {
			other = 'B'
		}
		refused["changed at "+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10))] = sealed[:i] + string(other) + sealed[i+1:]
	}
	for name, text := range refused {
		if got, err := tickets.Open(text); !errors.Is(err, ErrTicket) || got != (Ticket{}) {
			t.Errorf("%s: opened as %+v, %v", name, got, err)
		}
	}
	if _, err := tickets.OpenReport(sealed); !errors.Is(err, ErrTicket) {
		t.Errorf("a ticket is a report: %v", err)
	}
}

func TestTickets_Expiry(t *testing.T) {
	t.Parallel()
	now := noon
	tickets := newTickets(t, &now, "key")
	k := tickets.New(App{ID: "0193-app"}, "/page", "")
	ticket, report := tickets.Seal(k), tickets.SealReport("content")
	now = noon.Add(TicketLifetime - time.Second)
	if _, err := tickets.Open(ticket); err != nil {
		t.Error(err)
	}
	now = noon.Add(TicketLifetime)
	if got, err := tickets.Open(ticket); !errors.Is(err, ErrTicketExpired) || got.Path != "/page" {
		t.Errorf("%+v, %v", got, err)
	}
	now = noon.Add(reportLifetime - time.Second)
	if got, err := tickets.OpenReport(report); got != "content" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	now = noon.Add(reportLifetime)
	if got, err := tickets.OpenReport(report); !errors.Is(err, ErrTicketExpired) || got != "" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTickets_KeyRotation(t *testing.T) {
	t.Parallel()
	now := noon
	old, next := newTickets(t, &now, "old"), newTickets(t, &now, "new", "old")
	k := old.New(App{ID: "0193-app"}, "/", "")
	if got, err := next.Open(old.Seal(k)); got != k || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := old.Open(next.Seal(k)); !errors.Is(err, ErrTicket) {
		t.Error("sealed with the old key")
	}
	if _, err := NewTickets(nil, nil); err == nil {
		t.Error("tickets without a key")
	}
}

func TestReturnPath(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/": "/", "/a/b?c=d": "/a/b?c=d", "//evil.example": "//evil.example", // the app's address is put before it
		"": "/", "a": "/", "https://evil.example/": "/", "*": "/", "\\evil": "/", "/a\r\nSet-Cookie: x": "/",
		"/.guestlist/callback?code=x": "/", "/.guestlist/signout": "/", "/.guestlistx": "/.guestlistx",
		"/" + strings.Repeat("x", MaxReturnPath-1): "/" + strings.Repeat("x", MaxReturnPath-1), "/" + strings.Repeat("x", MaxReturnPath): "/",
	} {
		if got := ReturnPath(target); got != want {
			t.Errorf("%.40q: %.40q, want %.40q", target, got, want)
		}
	}
}

func FuzzTicketsOpen(f *testing.F) {
	now := noon
	tickets, err := NewTickets([]string{"key"}, func() time.Time { return now })
	if err != nil {
		f.Fatal(err)
	}
	f.Add("x")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := tickets.Open(text); err == nil {
			t.Errorf("%q opens as %+v", text, got)
		}
	})
}

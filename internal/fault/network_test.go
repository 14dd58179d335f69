package fault

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestNetwork(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	secret := httptest.NewUnstartedServer(http.NotFoundHandler())
	secret.Config.ErrorLog = log.New(io.Discard, "", 0)
	secret.StartTLS()
	t.Cleanup(secret.Close)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	quiet := "http://" + silent.Addr().String()
	for _, row := range []struct {
		name, url, want string
		unreachable     bool
	}{
		{"nothing listening", "http://127.0.0.1:1", "nothing is listening at 127.0.0.1:1", true},
		{"no such name", "http://door.guestlist.invalid", "door.guestlist.invalid", false},
		{"a certificate of an unknown authority", secret.URL, "the server's certificate can't be trusted: it is signed by an authority that this machine doesn't know", false},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1), "the server doesn't use TLS on this port", false},
		{"no answer", quiet, "there was no response in time", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			within := time.Minute
			if row.url == quiet {
				within = 50 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, row.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = http.DefaultTransport.RoundTrip(r)
			if text, _ := Explain(err); !strings.Contains(text, row.want) || IsUnreachable(err) != row.unreachable {
				t.Errorf("got %q, %v, of %v", text, IsUnreachable(err), err)
			}
		})
	}
}

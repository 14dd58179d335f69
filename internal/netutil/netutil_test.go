package netutil_test

import (
	"testing"

	"github.com/guestlist/guestlist/internal/netutil"
)

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "localhost:8080": true,
		"127.0.0.1": true, "127.0.0.2:80": true, "::1": true, "[::1]": true, "[::1]:80": true, "::ffff:127.0.0.1": true,

		"": false, ":8080": false, "0.0.0.0": false, "10.0.0.1:80": false, "[::]:80": false,
		"localhost.": false, "login.localhost": false, "localhost.example.com": false, "127.0.0.1.example.com": false,
	} {
		if got := netutil.IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %v", host, got)
		}
	}
}

package netutil_test

import (
	"net/netip"
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

func TestIsMetadata(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"169.254.169.254": true, "169.254.0.1": true, "169.254.170.2": true, "::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true,
		"fe80::1": true, "fe80::1%eth0": true, "febf::1": true, "fd00:ec2::254": true, "fd20:ce::254": true,
		"100.100.100.200": true, "168.63.129.16": true, "192.0.0.192": true,

		"127.0.0.1": false, "10.0.0.1": false, "169.253.255.255": false, "169.255.0.0": false, "::1": false, "fd00:ec3::254": false, "fdaa::3": false,
		"fec0::1": false, "64:ff9b::a00:1": false, "100.100.100.201": false,
	} {
		if got := netutil.IsMetadata(netip.MustParseAddr(text)); got != want {
			t.Errorf("IsMetadata(%s) = %v", text, got)
		}
	}
}

func TestListensOn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		listener, addr string
		want           bool
	}{
		{"127.0.0.1:8080", "127.0.0.1:8080", true},
		{"127.0.0.1:8080", "[::ffff:127.0.0.1]:8080", true},
		{"127.0.0.1:8080", "0.0.0.0:8080", true}, // connecting to it reaches this machine
		{"localhost:8080", "[::1]:8080", true},
		{":8080", "127.0.0.1:8080", true},
		{":8080", "[::1]:8080", true},
		{"0.0.0.0:8080", "127.0.0.9:8080", true},
		{"[::]:8080", "127.0.0.1:8080", true},
		{"10.1.2.3:8080", "10.1.2.3:8080", true},
		{"127.0.0.1:8080", "127.0.0.1:8081", false},
		{"127.0.0.1:8080", "127.0.0.2:8080", false},
		{":8080", "192.0.2.1:8080", false}, // reserved for documentation
		{"10.1.2.3:8080", "127.0.0.1:8080", false},
		{"", "127.0.0.1:8080", false},
	} {
		if got := netutil.ListensOn([]string{"", row.listener}, netip.MustParseAddrPort(row.addr)); got != row.want {
			t.Errorf("ListensOn(%q, %s) = %v", row.listener, row.addr, got)
		}
	}
}

package session

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNetworks(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][]string{
		"192.0.2.7":                            {"192.0.2.7", "192.0.2.0/24"},
		"::ffff:192.0.2.7":                     {"192.0.2.7", "192.0.2.0/24"},
		"64:ff9b::c000:207":                    {"192.0.2.7", "192.0.2.0/24"},
		"2001:db8:1:2345::7":                   {"2001:db8:1:2345::/64", "2001:db8:1:2300::/56", "2001:db8:1::/48"},
		"2001:0DB8:0001:2345:0:0:0:8":          {"2001:db8:1:2345::/64", "2001:db8:1:2300::/56", "2001:db8:1::/48"},
		"fe80::1%eth0":                         {"fe80::/64", "fe80::/56", "fe80::/48"},
		"2002:c000:207::1":                     {"2002:c000:207::/64", "2002:c000:207::/56", "2002:c000:207::/48"},
		"":                                     {"unknown"},
		"192.0.2.7:51234":                      {"unknown"},
		"whatever a proxy without a clue says": {"unknown"},
	} {
		if diff := cmp.Diff(want, (Browser{Address: address}).networks()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", address, diff)
		}
	}
}

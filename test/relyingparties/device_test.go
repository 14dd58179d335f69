package relyingparties

import (
	"net/http"
	"testing"
)

// A person without a browser on the machine signs in with another one, and is refused once removed.
func TestDevice_SignInRefreshAndRemoval(t *testing.T) {
	t.Parallel()
	for _, tool := range deviceTools {
		t.Run(tool.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, party{name: tool.name, public: tool.public, callback: "/callback", start: func(*testing.T, registration) {}})
			device := tool.start(t, w.registration)
			p := w.invite("Writers")
			address, code, wait := device.begin(t)
			p.approveDevice(address, code)
			if err := wait(); err != nil {
				t.Fatal(err)
			}
			first, err := device.accessToken(false)
			if err != nil {
				t.Fatal(err)
			}
			p.keepSecrets(account{AccessToken: first})
			status, info := w.registration.userInfo(t, first)
			if status != http.StatusOK || info.Email != p.Email || !sameGroups(info.Groups, []string{"Writers"}) {
				t.Fatalf("user info: %d %+v", status, info)
			}
			second, err := device.accessToken(true)
			if err != nil || second == first {
				t.Fatalf("refresh: the same token, or %v", err)
			}
			p.keepSecrets(account{AccessToken: second})
			p.administer("/remove")
			if status, _ := w.registration.userInfo(t, second); status != http.StatusUnauthorized {
				t.Errorf("user info of a removed person: %d", status)
			}
			if _, err := device.accessToken(true); err == nil {
				t.Error("a removed person could refresh")
			}
		})
	}
}

package app

import (
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

func TestFactorNotices_SayWhatHappened(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		kind   event.Kind
		method string
		want   []string
	}{
		"passkey added":      {event.FactorAdded, "passkey iCloud Keychain", []string{"A passkey was added to your account", "Passkey: iCloud Keychain", "sign out everywhere"}},
		"passkey removed":    {event.FactorRemoved, "passkey iCloud Keychain", []string{"A passkey was removed from your account", "Passkey: iCloud Keychain"}},
		"app set up":         {event.FactorAdded, "authenticator app", []string{"An authenticator app was set up"}},
		"app removed":        {event.FactorRemoved, "authenticator app", []string{"The authenticator app of your account was removed"}},
		"all removed":        {event.FactorsReset, "2 passkeys and an authenticator app", []string{"were removed", "Removed: 2 passkeys and an authenticator app", "tell an administrator"}},
		"recovery code used": {event.Confirmed, "by recovery code", []string{"One of your recovery codes was used"}},
		"link made":          {event.HostLinkMade, "", []string{"made on the server", "tell an administrator"}},
	} {
		n := outbox.Notice{
			Topic: outbox.SignInMethods, Email: "ada@example.com", Event: string(row.kind), Method: row.method,
			By: "root on the command line", At: noon, Address: "192.0.2.1", UserAgent: "Firefox",
		}
		m, err := (noticeMailer{baseURL: "https://people.example.com"}).compose(n).Message("Guestlist", noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range append(row.want, "1 March 2026, 12:00 UTC", "By: root on the command line", "IP address: 192.0.2.1", "Firefox", "https://people.example.com/profile") {
			if !strings.Contains(m.Text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, m.Text)
			}
		}
	}
	n := outbox.Notice{Topic: outbox.HostLink, Email: "boss@example.com", Admin: "ada@example.com", UserID: "42", By: "root on the command line", At: noon}
	m, err := (noticeMailer{baseURL: "https://people.example.com"}).compose(n).Message("Guestlist", noon)
	if err != nil || !strings.Contains(m.Text, "Person: ada@example.com") || !strings.Contains(m.Text, "https://people.example.com/users/42") {
		t.Errorf("to administrators: %v\n%s", err, m.Text)
	}
}

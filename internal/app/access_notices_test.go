package app

import (
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/outbox"
)

func TestAccessNotices_NameTheLastDay(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC)
	noon := midnight.Add(12 * time.Hour)
	people := func(at time.Time, n int) (list []outbox.NoticeItem) {
		for range n {
			list = append(list, outbox.NoticeItem{Name: "Grace", Email: "grace@example.com", About: "Staff", At: at})
		}
		return list
	}
	for name, row := range map[string]struct {
		notice outbox.Notice
		want   string
	}{
		"approved":              {outbox.Notice{Topic: outbox.AccessApproved, Until: midnight}, "Until: 5 March 2026"},
		"approved until noon":   {outbox.Notice{Topic: outbox.AccessApproved, Until: noon}, "Until: 6 March 2026, 12:00 UTC"},
		"approved for good":     {outbox.Notice{Topic: outbox.AccessApproved}, "Until: no end date"},
		"approved, with a link": {outbox.Notice{Topic: outbox.AccessApproved, AppURL: "https://wiki.example.com"}, "Open it here:\n\nhttps://wiki.example.com"},
		"approved, without one": {outbox.Notice{Topic: outbox.AccessApproved, AppID: "1"}, "Your apps:\n\nhttps://people.example.com/apps"},
		"ends":                  {outbox.Notice{Topic: outbox.AccessEnds, Until: midnight}, "Ends: 5 March 2026"},
		"one person's ends":     {outbox.Notice{Topic: outbox.AccessEndings, People: people(midnight, 1)}, "Ends: 5 March 2026"},
		"two people's ends":     {outbox.Notice{Topic: outbox.AccessEndings, People: people(midnight, 2)}, "5 March 2026: Grace"},
		"two people have asked": {outbox.Notice{Topic: outbox.AccessRequests, People: people(midnight, 2)}, "6 March 2026, 00:00 UTC: Grace"},
	} {
		m, err := (noticeMailer{baseURL: "https://people.example.com"}).compose(row.notice).Message("Guestlist", noon)
		if err != nil || !strings.Contains(m.Text, row.want+"\n") && !strings.Contains(m.Text, row.want+" (") {
			t.Errorf("%s: %v: %s", name, err, m.Text)
		}
	}
}

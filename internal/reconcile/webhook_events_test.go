package reconcile

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// FuzzParseNews holds that a body which is taken says what is to be done, to
// whom, and is read as anybody reads it.
func FuzzParseNews(f *testing.F) {
	for _, body := range []string{
		`{"action":"DELETE","object_type":"user","id":"user-test-1","user":null}`,
		`{"action":"UPDATE","object_type":"user","id":"user-test-1","user":{"emails":[{"email":"ada@example.com"},{}]},"more":[{}]}`,
		`{"ACTION":"CREATE","id":"x","ID":""}`, `{"action":"DELETE","id":null}`, `{"action":1,"id":"x"}`, `{"action":"DELETE","id":"x","user":{"emails":{}}}`,
		`null`, `[]`, ``, `{"action":"DELETE","id":"x"} {}`, "{\"action\":\"\xff\",\"id\":\"\\ud800\"}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := parseWebhook(body)
		if err != nil {
			if !errors.Is(err, ErrInvalidWebhook) || n.ID != "" || n.Action != "" {
				t.Errorf("%q: %+v, %v", body, n, err)
			}
			return
		}
		var all map[string]any
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatalf("%q is taken: %v", body, err)
		}
		var under []any // in whatever case its name is written
		for name, value := range all {
			if strings.EqualFold(name, "id") {
				under = append(under, value)
			}
		}
		if n.Action == "" || n.ID == "" || !slices.Contains(under, any(n.ID)) {
			t.Errorf("%q is read as %+v", body, n)
		}
		if account := n.account(); account.ID != n.ID || len(account.Emails) != len(n.User.Emails) {
			t.Errorf("%q is read as %+v", body, account)
		}
	})
}

package reconcile

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// FuzzParseWebhook checks that an accepted body is valid JSON with an action and an id,
// and that its id and addresses are read as encoding/json reads them.
func FuzzParseWebhook(f *testing.F) {
	for _, body := range []string{
		`{"action":"DELETE","object_type":"user","id":"user-test-1","user":null}`,
		`{"action":"UPDATE","object_type":"user","id":"user-test-1","user":{"emails":[{"email":"ada@example.com"},{}]},"more":[{}]}`,
		`{"ACTION":"CREATE","id":"x","ID":""}`, `{"action":"DELETE","id":null}`, `{"action":1,"id":"x"}`, `{"action":"DELETE","id":"x","user":{"emails":{}}}`,
		`null`, `[]`, ``, `{"action":"DELETE","id":"x"} {}`, "{\"action\":\"\xff\",\"id\":\"\\ud800\"}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := parseWebhook(body)
		if err != nil {
			if !errors.Is(err, ErrInvalidWebhook) || e.ID != "" || e.Action != "" {
				t.Errorf("%q: %+v, %v", body, e, err)
			}
			return
		}
		var all map[string]any
		if err := json.Unmarshal(body, &all); err != nil {
			t.Fatalf("%q is accepted: %v", body, err)
		}
		var ids []any // encoding/json ignores case in names
		for name, value := range all {
			if strings.EqualFold(name, "id") {
				ids = append(ids, value)
			}
		}
		if e.Action == "" || e.ID == "" || !slices.Contains(ids, any(e.ID)) {
			t.Errorf("%q is read as %+v", body, e)
		}
		if account := e.account(); account.ID != e.ID || len(account.Emails) != len(e.User.Emails) {
			t.Errorf("%q is read as %+v", body, account)
		}
	})
}

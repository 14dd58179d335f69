package web

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/idempotency"
)

// sendWithKey posts a JSON body with a key.
func (c *caller) sendWithKey(path, key, body string) answer {
	c.f.t.Helper()
	return c.send("POST", path, body, "Content-Type", "application/json", "Idempotency-Key", key)
}

// wantSame checks that two responses are the same.
func wantSame(t *testing.T, got, want answer) {
	t.Helper()
	if got.status != want.status || got.body != want.body || got.header.Get("Location") != want.header.Get("Location") {
		t.Errorf("got %d %q %s, want %d %q %s", got.status, got.header.Get("Location"), got.body, want.status, want.header.Get("Location"), want.body)
	}
}

// count counts rows.
func (f *fixture) count(query string, args ...any) int {
	f.t.Helper()
	var n int
	if err := f.store.Reader().QueryRowContext(f.t.Context(), query, args...).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// exec changes the database directly.
func (f *fixture) exec(statement string, args ...any) {
	f.t.Helper()
	if err := f.store.Transact(f.t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(f.t.Context(), statement, args...)
		return err
	}); err != nil {
		f.t.Fatal(err)
	}
}

const mailsTo = "SELECT COUNT(*) FROM stytch_mails WHERE recipient = ?"

func TestIdempotency_RepeatsTheResponse(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, path, body string
		status           int
	}{
		{"somebody new", "/api/users", `{"email":"joan@example.com","name":"Joan"}`, 201},
		{"somebody on the list", "/api/users", `{"email":"grace@example.com"}`, 409},
		{"what can't be right, in many fields", "/api/users", `{"email":"x","name":"a\tb","role":"owner"}`, 422},
		{"what is no JSON", "/api/users", `{"email":`, 400},
		{"an invitation", "/api/invite_user", `{"email":"joan@example.com"}`, 200},
		{"another invitation", "/api/invite_user", `{"email":"grace@example.com"}`, 200},
		{"an invitation of somebody suspended", "/api/invite_user", `{"email":"eve@example.com"}`, 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			ada := f.signedIn(directory.Admin, "ada@example.com")
			f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
			f.add(directory.User{Email: directory.Email{Display: "eve@example.com"}, Status: directory.Suspended})
			first := ada.sendWithKey(row.path, "8e03978e", row.body)
			if first.status != row.status {
				t.Fatalf("%d %s", first.status, first.body)
			}
			for _, later := range []time.Duration{0, time.Minute, 23 * time.Hour} {
				f.clock.advance(later)
				ada = f.signedIn(directory.Admin, "ada@example.com")
				before, events := f.rows(), f.count("SELECT COUNT(*) FROM events")
				wantSame(t, ada.sendWithKey(row.path, "8e03978e", row.body), first)
				wantJSON(t, ada.sendWithKey(row.path, "8e03978e", row.body+" "), 422, object{"error": idempotency.ErrReused.Error()})
				if diff := cmp.Diff(before, f.rows()); diff != "" || f.count("SELECT COUNT(*) FROM events") != events {
					t.Errorf("something was done again: %s", diff)
				}
			}
			// Another's key of the same name is another, and so is one whose day is over.
			bob := f.signedIn(directory.Admin, "bob@example.com")
			if a := bob.sendWithKey(row.path, "8e03978e", `{"email":"new@example.com"}`); a.status >= 300 {
				t.Errorf("bob: %d %s", a.status, a.body)
			}
			f.clock.advance(time.Hour)
			ada = f.signedIn(directory.Admin, "ada@example.com")
			if a := ada.sendWithKey(row.path, "8e03978e", `{"email":"newer@example.com"}`); a.status >= 300 {
				t.Errorf("a day later: %d %s", a.status, a.body)
			}
		})
	}
}

func TestIdempotency_RefusesInvalidKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	body := func(i int) string { return fmt.Sprintf(`{"email":"joan%d@example.com"}`, i) }
	before := f.rows()
	for i, key := range []string{"", "a\tb", "é", "a\x7f", strings.Repeat("x", 256)} {
		wantJSON(t, ada.sendWithKey("/api/users", key, body(i)), 400, object{"error": idempotency.ErrKey.Error()})
	}
	// Two keys are invalid as well: which one counts is undefined.
	r := ada.request("POST", "/api/users", body(0), "Content-Type", "application/json")
	r.Header["Idempotency-Key"] = []string{"a", "b"}
	wantJSON(t, ada.do(r), 400, object{"error": idempotency.ErrKey.Error()})
	// What does not get as far as its key leaves it unused.
	if a := ada.send("POST", "/api/users", body(0), "Content-Type", "text/plain", "Idempotency-Key", "key"); a.status != 415 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("something was done: %s", diff)
	}
	for i, key := range []string{"key", `"8e03978e-40d5-43dd-bc93-6894a57f9324"`, "a b", strings.Repeat("~", 255)} {
		if a := ada.sendWithKey("/api/users", key, body(i)); a.status != 201 {
			t.Errorf("%q: %d %s", key, a.status, a.body)
		}
	}
}

func TestIdempotency_AnswersAfterACrash(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ path, body string }{
		{"/api/users", `{"email":"joan@example.com"}`},
		{"/api/invite_user", `{"email":"joan@example.com"}`},
		{"/api/invite_user", `{"email":"grace@example.com"}`},
	} {
		t.Run(row.path+" "+row.body, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			ada := f.signedIn(directory.Admin, "ada@example.com")
			f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}})
			// As after a kill: the work is committed, and nothing is written of the answer.
			f.exec("CREATE TRIGGER killed BEFORE UPDATE OF status ON idempotency_keys BEGIN SELECT RAISE(FAIL, 'killed'); END")
			first := ada.sendWithKey(row.path, "key", row.body)
			f.exec("DROP TRIGGER killed")
			before := f.rows()

			a := ada.sendWithKey(row.path, "key", row.body)
			if a.status != http.StatusConflict || a.header.Get("Retry-After") != "1" || a.object(t)["error"] != idempotency.ErrInProgress.Error() {
				t.Errorf("while nobody knows what became of it: %d %q %s", a.status, a.header.Get("Retry-After"), a.body)
			}
			f.clock.advance(idempotency.Lease)
			for range 2 {
				wantSame(t, ada.sendWithKey(row.path, "key", row.body), first)
			}
			if diff := cmp.Diff(before, f.rows()); diff != "" {
				t.Errorf("it was done again: %s", diff)
			}
		})
	}
}

func TestIdempotency_DoesNotSaveTemporaryErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	invite := func(email string) answer { return ada.sendWithKey("/api/invite_user", email, `{"email":"`+email+`"}`) }

	// The work fails: sent again, it is done.
	f.exec("CREATE TRIGGER full BEFORE INSERT ON users BEGIN SELECT RAISE(FAIL, 'full'); END")
	wantJSON(t, invite("joan@example.com"), 503, object{"error": "database out of reach"})
	f.exec("DROP TRIGGER full")
	wantJSON(t, invite("joan@example.com"), 200, object{"message": "magic link sent"})
	if n := f.count(mailsTo, "joan@example.com"); n != 1 {
		t.Errorf("%d mails", n)
	}

	// It failed, so the repeated request is a new attempt.
	f.exec("CREATE TRIGGER refused AFTER INSERT ON outbox BEGIN UPDATE outbox SET parked_at = 1, last_error = 'No.' WHERE id = NEW.id; END")
	for range 2 {
		wantJSON(t, invite("eve@example.com"), 502, object{"error": "magic link refused: No."})
	}
	f.exec("DROP TRIGGER refused")
	wantJSON(t, invite("eve@example.com"), 200, object{"message": "magic link sent"})

	// The mail leaves later: that is an answer.
	f.exec("CREATE TRIGGER later AFTER INSERT ON outbox BEGIN UPDATE outbox SET leased_until = 9000000000000000, last_error = 'Later.' WHERE id = NEW.id; END")
	wantJSON(t, invite("zoe@example.com"), 202, object{"message": "magic link not sent yet: Later."})
	f.exec("DROP TRIGGER later")
	wantJSON(t, invite("zoe@example.com"), 202, object{"message": "magic link not sent yet: Later."})
}

func TestIdempotency_StoresNoPlainKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	ada.sendWithKey("/api/invite_user", "a secret of mine", `{"email":"joan@example.com"}`)
	rows, err := f.store.Reader().QueryContext(t.Context(), "SELECT * FROM idempotency_keys")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(values)
		for _, secret := range []string{"a secret of mine", "joan@example.com"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s stands in %s", secret, text)
			}
		}
	}
	if err := rows.Err(); err != nil || n != 1 {
		t.Errorf("%d rows, %v", n, err)
	}
}

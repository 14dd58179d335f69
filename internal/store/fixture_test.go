package store

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/storetest"
)

// seed inserts realistic users: few administrators, most members active, some never seen, and names and domains that
// many share.
func seed(t testing.TB, s *Store, n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	given := []string{"Ada", "Bob", "Chloé", "Dan", "Eve", "Frank", "Grace", "Hal", "Ivy", "Jo", "Kim", "Lea", "Max", "Noor", "Olga", "Zoë"}
	domains := []string{"example.com", "example.com", "example.com", "example.org", "mail.example.net"}
	now := storetest.Now().UnixMicro()
	for first := 0; first < n; first += 1000 {
		var people, words []string
		for i := first; i < min(first+1000, n); i++ {
			role, status, seen := "member", "active", now-random.Int64N(90*24*3600*1_000_000)
			switch r := random.IntN(1000); {
			case r < 300:
				status, seen = "invited", 0
			case r < 310:
				status = "suspended"
			case r < 315:
				role = "admin"
			}
			family := fmt.Sprintf("F%x", random.IntN(20_000))
			u := directory.User{ID: fmt.Sprintf("0193%032x", random.Uint64()), Name: given[random.IntN(len(given))] + " " + family}
			u.Email = directory.Email{Display: fmt.Sprintf("%s.%d@%s", strings.ToLower(family), i, domains[random.IntN(len(domains))])}
			u.Email.Normalized = u.Email.Display
			people = append(people, fmt.Sprintf("('%s','%s','%s','%s','%[4]s','%s','%s','','',0,%d,0,%d)",
				u.ID, u.Name, u.SortKey(), u.Email.Normalized, role, status, now-int64(i/100)*1_000_000, seen))
			for _, word := range u.SearchTerms() {
				words = append(words, fmt.Sprintf("('%s','%s')", word, u.ID))
			}
		}
		if err := s.Transact(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec("INSERT INTO users (id, name, name_key, email, email_key, role, status, stytch_user_id, invited_by, " +
				"invite_sent_at, created_at, updated_at, last_seen_at) VALUES " + strings.Join(people, ","))
			if err == nil {
				_, err = tx.Exec("INSERT INTO user_words (word, user_id) VALUES " + strings.Join(words, ","))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	analyze := []string{"ANALYZE"}
	if !s.sqlite {
		analyze = []string{"ANALYZE TABLE users", "ANALYZE TABLE user_words"}
	}
	for _, statement := range analyze {
		if _, err := s.write.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

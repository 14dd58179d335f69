package store

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// PlanetScale ends a transaction that takes too long, and takes what is sent on its
// connection afterwards as if each statement were one by itself.
func TestTransact_AbortedByTheServer(t *testing.T) {
	t.Parallel()
	for _, r := range storetest.Transactions {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			v := testdb.NewVitess(t)
			s := fresh(t, v.DSN)
			migrateUp(t, s)
			change := r.Prepare(t, s)
			before := allRows(t, s)
			for n := 0; ; n++ {
				v.EndTransaction(n)
				err := change(t.Context())
				if !v.Ended() { // it was through before
					if err != nil {
						t.Fatal(err)
					}
					if n < 2 {
						t.Errorf("it was ended %d times only", n)
					}
					break
				}
				if err == nil {
					t.Errorf("ended after %d statements, it says that all is well", n)
				}
				if strings.Contains(err.Error(), "@example.com") {
					t.Errorf("the error tells an address: %v", err)
				}
				if diff := cmp.Diff(before, allRows(t, s)); diff != "" {
					t.Fatalf("ended after %d statements, it leaves: -want +got\n%s", n, diff)
				}
			}
			if cmp.Equal(before, allRows(t, s)) {
				t.Error("the change changes nothing")
			}
		})
	}
}

// allRows returns all rows of all tables, each as text.
func allRows(t *testing.T, s *Store) []string {
	t.Helper()
	var all []string
	for _, table := range tables(t, s) {
		rows, err := s.read.Query("SELECT * FROM " + table + " ORDER BY 1, 2")
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint(table, values))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/testdb"
)

// recorder keeps what is asked.
type recorder struct {
	dbsqlc.DBTX
	asked []question
}

type question struct {
	text string
	args []any
}

func (r *recorder) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	r.asked = append(r.asked, question{text, args})
	return r.DBTX.QueryContext(ctx, text, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	r.asked = append(r.asked, question{text, args})
	return r.DBTX.QueryRowContext(ctx, text, args...)
}

// everyQuery is each kind of page there is, searches in one order because theirs
// is not the database's. A reach of 200 finds one family and sorts it, and is too
// short for a given name.
func everyQuery() []directory.Query {
	var all []directory.Query
	for _, q := range []directory.Query{
		{}, {Role: directory.Admin}, {Role: directory.Member}, {Status: directory.Invited}, {Status: directory.Active},
		{Status: directory.Suspended}, {Role: directory.Member, Status: directory.Active}, {Role: directory.Admin, Status: directory.Active},
	} {
		q.Limit = 20
		for _, q.Backward = range []bool{false, true} {
			for _, column := range []directory.Sort{directory.ByName, directory.ByEmail, directory.ByCreated, directory.ByLastSeen} {
				for _, q.Sort = range []directory.Sort{column, column.Reverse()} {
					all = append(all, q)
				}
			}
			for _, q.Terms = range [][]string{{"f1a"}, {"f1a", "ada"}, {"ada"}, {"example.com", "ada"}, {"nobody"}} {
				all = append(all, q)
			}
		}
	}
	return all
}

func TestEveryPageOfTheListIsReadFromAnIndex(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		s.reach, s.glance = 200, 100
		seed(t, s, 4000)
		plans := map[string]bool{} // those that were looked at
		for _, query := range everyQuery() {
			r := &recorder{DBTX: s.Reader()}
			for _, turn := range []bool{false, true, false} { // the first page, one that follows, and back
				s.totals.invalidate()
				page, err := s.listUsers(t.Context(), dbsqlc.New(r), query)
				if err != nil {
					t.Fatal(err)
				}
				if turn {
					query.Backward = !query.Backward
				}
				query.After = page.Next
				if query.Backward {
					query.After = page.Prev
				}
				if query.After == nil {
					break
				}
			}
			for _, asked := range r.asked {
				if !plans[fmt.Sprint(asked)] {
					plans[fmt.Sprint(asked)] = true
					explainQuery(t, s, asked)
				}
			}
		}
		var looked []string
		for text := range plans {
			looked = append(looked, queryName.FindStringSubmatch(text)[1])
		}
		slices.Sort(looked)
		if diff := cmp.Diff(listQueries(t), slices.Compact(looked)); diff != "" {
			t.Errorf("not every query of the list was looked at: -there +looked at\n%s", diff)
		}
	})
}

var queryName = regexp.MustCompile(`-- name: (\w+)`)

// listQueries are the names of all queries that the list has.
func listQueries(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, file := range []string{"user_list.sql", "user_search.sql"} {
		text, err := os.ReadFile("../../queries/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range queryName.FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
		}
	}
	slices.Sort(names)
	return names
}

// explainQuery fails the test where the engine would read all of a table, or of an
// index, or sort.
func explainQuery(t *testing.T, s *Store, asked question) {
	t.Helper()
	command := "EXPLAIN "
	if s.sqlite {
		command = "EXPLAIN QUERY PLAN "
	}
	rows, err := s.read.QueryContext(t.Context(), command+asked.text, asked.args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	tables := 0
	for rows.Next() {
		values, into, step := make([]sql.NullString, len(columns)), make([]any, len(columns)), map[string]string{}
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, value := range values {
			step[columns[i]] = value.String
		}
		// MySQL may have looked a person up while it planned, and seen that the role is another.
		if strings.HasPrefix(step["table"], "user") || strings.Contains(step["detail"], "user") || strings.HasSuffix(step["Extra"], "const tables") {
			tables++
		}
		if isCostly(step, strings.Contains(asked.text, "COUNT(*)")) {
			t.Errorf("%s\n%v", asked.text, step)
		}
	}
	if err := rows.Err(); err != nil || tables != 1 {
		t.Errorf("%s\n%d steps read a table, %v", asked.text, tables, err)
	}
}

// isCostly judges one step of a plan, by the columns that EXPLAIN has on either
// engine. A page that is not read as a range is read from the start of the list:
// "ref" finds the role and the status, and looks at all who have them.
func isCostly(step map[string]string, counts bool) bool {
	if detail, ok := step["detail"]; ok {
		return strings.HasPrefix(detail, "SCAN user") || strings.Contains(detail, "TEMP B-TREE")
	}
	switch step["type"] {
	case "range", "const":
	case "ref":
		if !counts {
			return true
		}
	default:
		if strings.HasPrefix(step["table"], "user") {
			return true
		}
	}
	return strings.Contains(step["Extra"], "filesort") || strings.Contains(step["Extra"], "temporary")
}

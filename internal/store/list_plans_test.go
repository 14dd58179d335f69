package store

import (
	"context"
	"database/sql"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/testdb"
)

// recorder records the statements that run on a database.
type recorder struct {
	dbconn.DB
	statements []statement
}

type statement struct {
	text string
	args []any
}

func (r *recorder) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	r.statements = append(r.statements, statement{text, args})
	return r.DB.QueryContext(ctx, text, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	r.statements = append(r.statements, statement{text, args})
	return r.DB.QueryRowContext(ctx, text, args...)
}

// planQueries returns every kind of page: each sort column in both directions with each kind of filter, and searches, whose
// order isn't the database's. With 200 sorted matches, a family name is sorted and a given name is not.
func planQueries() []directory.Query {
	var all []directory.Query
	for _, q := range []directory.Query{
		{}, {Role: directory.Admin}, {Role: directory.Member}, {Status: directory.Invited}, {Status: directory.Active},
		{Status: directory.Suspended}, {Role: directory.Member, Status: directory.Active}, {Role: directory.Admin, Status: directory.Active},
	} {
		q.Limit = 20
		for _, q.Backward = range []bool{false, true} {
			for column := range sortColumns {
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

func TestListUsers_EveryStatementReadsAnIndexRange(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		s.maxSorted, s.maxScanned = 200, 100
		seed(t, s, 4000)
		explained := map[string]bool{}
		texts := map[string]map[string]bool{} // by the query's name
		for _, query := range planQueries() {
			r := &recorder{DB: s.Reader()}
			for _, turn := range []bool{false, true, false} { // the first page, the next one, and back
				s.totals.invalidate()
				page, err := s.listUsers(t.Context(), queries{dbsqlc.New(r), r}, query)
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
			for _, asked := range r.statements {
				if !explained[fmt.Sprint(asked)] {
					explained[fmt.Sprint(asked)] = true
					explainQuery(t, s, asked)
				}
				name := queryName.FindStringSubmatch(asked.text)[1]
				if texts[name] == nil {
					texts[name] = map[string]bool{}
				}
				texts[name][asked.text] = true
			}
		}
		if diff := cmp.Diff(listQueries(t), slices.Sorted(maps.Keys(texts))); diff != "" {
			t.Errorf("queries of the list that were not explained: -want +got\n%s", diff)
		}
		want := 0
		for _, c := range sortColumns {
			want += 4 // two directions, with and without a filter
			if c.commonZero {
				want += 4
			}
		}
		if got := len(texts["ListUsers"]); got != want {
			t.Errorf("ListUsers was explained as %d statements, want %d", got, want)
		}
		if got := len(texts["ListWords"]); got != 4 {
			t.Errorf("ListWords was explained as %d statements, want 4", got)
		}
	})
}

// TestTemplate_OnlyConstants checks that nothing but constants of the source becomes text of a statement: no string is
// converted to dbconn.SQL, and the list query runs only with the parts made of sortColumns.
func TestTemplate_OnlyConstants(t *testing.T) {
	t.Parallel()
	var callers []string
	for _, pattern := range []string{"*.go", "internal/dbconn/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			parsed, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				var name string
				switch fun := call.Fun.(type) {
				case *ast.Ident:
					name = fun.Name
				case *ast.SelectorExpr:
					name = fun.Sel.Name
				}
				if name == "ListUsers" {
					callers = append(callers, file)
				}
				if name == "SQL" {
					if _, ok := call.Args[0].(*ast.BasicLit); !ok {
						t.Errorf("%s: converts a string to SQL", fset.Position(call.Pos()))
					}
				}
				return true
			})
		}
	}
	if diff := cmp.Diff([]string{"sort_columns.go"}, callers); diff != "" {
		t.Errorf("callers of ListUsers: -want +got\n%s", diff)
	}
}

var queryName = regexp.MustCompile(`-- name: (\w+)`)

// listQueries returns the names of all queries of the list.
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

// explainQuery fails the test if the engine would sort, or read all of a table or an index.
func explainQuery(t *testing.T, s *Store, asked statement) {
	t.Helper()
	tables := 0
	for _, step := range queryPlan(t, s, asked) {
		// "const tables": MySQL may read a row while it plans, and find that the role differs.
		if strings.HasPrefix(step["table"], "user") || strings.Contains(step["detail"], "user") || strings.HasSuffix(step["Extra"], "const tables") {
			tables++
		}
		if isCostly(step, strings.Contains(asked.text, "COUNT(*)")) {
			t.Errorf("%s\n%v", asked.text, step)
		}
	}
	if tables != 1 {
		t.Errorf("%s\n%d steps read a table", asked.text, tables)
	}
}

// isCostly reports whether a step of a plan, as EXPLAIN's columns on either engine, reads more than a range. "ref" reads
// all users of a role and status, which only a count may.
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

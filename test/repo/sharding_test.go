package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestShardingPage_ClassifiesEveryQuery checks the text of each query against its class in
// docs/internals/sharding.md.
func TestShardingPage_ClassifiesEveryQuery(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/internals/sharding.md")
	if err != nil {
		t.Fatal(err)
	}
	classes := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.+) \\|$").FindAllStringSubmatch(string(page), -1) {
		if classes[row[1]] != "" {
			t.Errorf("%s is listed twice", row[1])
		}
		classes[row[1]] = row[2]
	}
	keyColumn := map[string]string{"users": "id", "user_words": "user_id", "sessions": "user_id", "tokens": "user_id", "events": "subject_id", "user_factors": "user_id", "passkey_offers": "user_id", "host_links": "user_id"}
	lookupColumn := map[string]string{"users": "email_key", "sessions": "token_hash", "tokens": "token_hash", "user_factors": "provider_id", "host_links": "token_hash"}
	for _, q := range queriesIn(t, "queries/*.sql") {
		class := classes[q.name]
		delete(classes, q.name)
		column, sharded := keyColumn[q.table]
		equals := func(column string) bool {
			return column != "" && regexp.MustCompile(`(^|[^<>_\w])`+column+` (= |IN \()`).MatchString(q.text)
		}
		inserts := strings.HasPrefix(q.text, "INSERT") && regexp.MustCompile(`[( \n]`+column+`[,\n )]`).MatchString(q.text)
		ok := false
		switch class {
		case "":
			t.Errorf("%s is not in docs/internals/sharding.md", q.name)
			continue
		case "key":
			ok = sharded && (equals(column) || inserts)
		case "lookup":
			ok = sharded && equals(lookupColumn[q.table])
		case "each, bounded":
			ok = sharded && strings.Contains(q.text, "LIMIT ")
		case "each, point":
			ok = sharded && (strings.HasSuffix(q.text, "WHERE id = ?") || strings.HasSuffix(q.text, "WHERE id = sqlc.arg(id)") || strings.Contains(q.text, "role = 'admin'"))
		case "unsharded":
			ok = !sharded
		}
		if !ok {
			t.Errorf("query %s on %s does not fit class %q:\n%s", q.name, q.table, class, q.text)
		}
	}
	for name := range classes {
		t.Errorf("docs/internals/sharding.md has %s, which is not a query", name)
	}
}

// namedQuery is a query in queries/: its name, its sqlc annotation (:one, :many …), its first table and its text.
type namedQuery struct{ name, kind, table, text string }

// queriesIn reads the queries in the files that match pattern.
func queriesIn(t *testing.T, pattern string) []namedQuery {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal(pattern, files, err)
	}
	table := regexp.MustCompile(`(?:FROM|INTO|UPDATE) (\w+)`)
	comment := regexp.MustCompile(`(?m)^--.*\n`)
	var all []namedQuery
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "-- name: ")[1:] {
			head, part, _ := strings.Cut(part, "\n")
			name, kind, _ := strings.Cut(head, " ")
			part, _, _ = strings.Cut(comment.ReplaceAllString(part, ""), ";")
			part = strings.TrimSpace(part)
			found := table.FindStringSubmatch(part)
			if found == nil {
				t.Fatalf("%s: no table in %s", name, part)
			}
			all = append(all, namedQuery{name, kind, found[1], part})
		}
	}
	return all
}

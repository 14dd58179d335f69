package openid

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// tablePath is the page with the table of outcomes: a row for each module, a column for each provider.
const tablePath = "docs/internals/openid-conformance.md"

// tableColumns are the providers in the order of the table.
var tableColumns = []string{"Guestlist", "zitadel/oidc", "luikyv/go-oidc"}

// tableMutex guards the page while tests write it.
var tableMutex sync.Mutex

// tableRow is the beginning of a module's row.
func tableRow(module string) string { return "| `" + module + "` |" }

// readTable returns the outcomes in a provider's column by module.
func readTable(t *testing.T, column int) map[string]Outcome {
	t.Helper()
	tableMutex.Lock()
	defer tableMutex.Unlock()
	text, err := os.ReadFile(harness.RepoPath(tablePath))
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]Outcome{}
	for _, m := range Modules {
		cells, ok := findRow(string(text), m.Name)
		if !ok || column >= len(cells) {
			t.Fatalf("%s has no row for %s", tablePath, m.Name)
		}
		outcomes[m.Name] = Outcome(cells[column])
	}
	return outcomes
}

// findRow returns the cells of a module's row after the first.
func findRow(text, module string) (cells []string, ok bool) {
	_, rest, ok := strings.Cut(text, "\n"+tableRow(module))
	if !ok {
		return nil, false
	}
	row, _, _ := strings.Cut(rest, "\n")
	for cell := range strings.SplitSeq(strings.TrimSuffix(row, "|"), "|") {
		cells = append(cells, strings.Trim(strings.TrimSpace(cell), "*"))
	}
	return cells, true
}

// writeTable writes the outcomes of a provider into its column.
func writeTable(t *testing.T, column int, outcomes map[string]Outcome) {
	t.Helper()
	tableMutex.Lock()
	defer tableMutex.Unlock()
	path := harness.RepoPath(tablePath)
	read, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(read), "\n| Module |")
	_, after, _ := strings.Cut(rest, "|\n\n")
	var table strings.Builder
	fmt.Fprintf(&table, "\n| Module | %s |\n|---|%s\n", strings.Join(tableColumns, " | "), strings.Repeat("---|", len(tableColumns)))
	for _, m := range Modules {
		cells, _ := findRow(string(read), m.Name)
		for len(cells) < len(tableColumns) {
			cells = append(cells, "")
		}
		cells[column] = string(outcomes[m.Name])
		for i, cell := range cells {
			if cell == string(Failed) {
				cells[i] = "**failed**"
			}
		}
		fmt.Fprintf(&table, "%s %s |\n", tableRow(m.Name), strings.Join(cells, " | "))
	}
	if err := os.WriteFile(path, []byte(before+table.String()+"\n"+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Test runs all modules against a provider as subtests, one after the other. Each fails unless its module
// has the outcome in the provider's column of the table, which GUESTLIST_TEST_OPENID=write rewrites.
func Test(t *testing.T, column int, p *Provider) {
	write := os.Getenv("GUESTLIST_TEST_OPENID") == "write"
	want := readTable(t, column)
	got := map[string]Outcome{}
	for _, m := range Modules {
		t.Run(m.Name, func(t *testing.T) {
			result := p.Run(t.Context(), m)
			result.report(t)
			got[m.Name] = result.Outcome
			if !write && result.Outcome != want[m.Name] {
				t.Errorf("%s, want %s as in %s", result.Outcome, want[m.Name], tablePath)
			}
		})
	}
	if write {
		writeTable(t, column, got)
	}
}

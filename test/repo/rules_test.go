package repo

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rootEntries is what the root of the repository may hold.
var rootEntries = []string{
	".ci", ".dockerignore", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile", "README.md", "SECURITY.md",
	"deploy", "docs", "fly.toml", "go.mod", "go.sum", "internal", "main.go", "queries", "schema", "sqlc.yaml", "static", "test", "tools",
}

func TestRoot_HasOnlyKnownEntries(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	ignored := strings.Fields(strings.ReplaceAll(readText(t, ".gitignore"), "/", "") + " .git")
	for _, entry := range entries {
		if !slices.Contains(rootEntries, entry.Name()) && !slices.Contains(ignored, entry.Name()) {
			t.Errorf("%s is at the root: move it to internal, test, tools, deploy or docs", entry.Name())
		}
	}
	if lines := strings.Count(readText(t, "main.go"), "\n"); lines > 20 {
		t.Errorf("main.go has %d lines, want 20 at most", lines)
	}
}

// importGraph holds the imports of each package, without those of its tests.
type importGraph map[string][]string

// listImports returns the imports of every package, with paths of ours relative to the
// module.
func listImports(t *testing.T) importGraph {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	graph := importGraph{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		for i, field := range fields {
			fields[i] = ours(field)
		}
		graph[fields[0]] = fields[1:]
	}
	return graph
}

// violations returns a sentence for each import that breaks a rule of the layout.
func (g importGraph) violations() []string {
	var found []string
	for pkg, imports := range g {
		shipped := !isDevelopment(pkg)
		if shipped && slices.Contains(imports, "internal/cli") && pkg != "." {
			found = append(found, pkg+" imports internal/cli, which is for main only")
		}
		if shipped && slices.Contains(imports, "internal/app") && pkg != "internal/cli" {
			found = append(found, pkg+" imports internal/app, which is for internal/cli only")
		}
		if shipped && pkg != "internal/app" && slices.Contains(imports, "internal/store") && slices.Contains(imports, "internal/stytch") {
			found = append(found, pkg+" imports internal/store and internal/stytch, which only internal/app may do")
		}
		for _, imported := range imports {
			if shipped && isDevelopment(imported) {
				found = append(found, pkg+" is shipped and imports "+imported)
			}
			_, isOurs := g[imported]
			emulator := strings.HasPrefix(pkg, "internal/stytchlocal")
			if emulator && isOurs && !strings.HasPrefix(imported, "internal/stytchlocal") && !g.isLeaf(imported) {
				found = append(found, pkg+" imports "+imported+", which imports others of ours")
			}
		}
	}
	slices.Sort(found)
	return found
}

// isLeaf reports whether a package imports none of ours.
func (g importGraph) isLeaf(pkg string) bool {
	return !slices.ContainsFunc(g[pkg], func(imported string) bool { _, isOurs := g[imported]; return isOurs })
}

// isDevelopment reports whether a package is for tests or for the Makefile.
func isDevelopment(pkg string) bool {
	return strings.HasPrefix(pkg, "test/") || strings.HasPrefix(pkg, "tools/") ||
		slices.Contains([]string{"internal/testdb", "internal/testpage", "internal/session/providertest", "internal/store/storetest"}, pkg)
}

func TestImports_KeepTheRules(t *testing.T) {
	t.Parallel()
	for _, violation := range listImports(t).violations() {
		t.Error(violation)
	}
}

func TestImports_ViolationsAreFound(t *testing.T) {
	t.Parallel()
	got := importGraph{
		".":                    {"internal/cli"},
		"internal/cli":         {"internal/app"},
		"internal/app":         {"internal/store", "internal/stytch"},
		"internal/store":       {"internal/testdb"},
		"internal/stytch":      nil,
		"internal/testdb":      nil,
		"internal/web":         {"internal/app", "internal/cli", "test/harness"},
		"internal/web/import":  {"internal/store", "internal/stytch"},
		"internal/stytchlocal": {"internal/stytchlocal/mail", "internal/stytch", "internal/store"},
		"test/harness":         {"internal/app", "internal/cli"},
	}.violations()
	want := []string{
		"internal/store is shipped and imports internal/testdb",
		"internal/stytchlocal imports internal/store and internal/stytch, which only internal/app may do",
		"internal/stytchlocal imports internal/store, which imports others of ours",
		"internal/web imports internal/app, which is for internal/cli only",
		"internal/web imports internal/cli, which is for main only",
		"internal/web is shipped and imports test/harness",
		"internal/web/import imports internal/store and internal/stytch, which only internal/app may do",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// testFunc is the head of a function that go test runs.
var testFunc = regexp.MustCompile(`(?m)^func (Test|Benchmark|Fuzz|Example)\w*\(`)

// fileViolations returns a sentence for each rule that a Go file breaks.
func fileViolations(name string, source []byte) ([]string, error) {
	base := path.Base(name)
	if strings.HasSuffix(base, "_test.go") {
		if base != "fixture_test.go" && base != "helpers_test.go" && !testFunc.Match(source) {
			return []string{name + " has no test: name it fixture_test.go or helpers_test.go, or move its helpers to test/harness"}, nil
		}
		return nil, nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || !spec.Name.IsExported() {
			return true
		}
		structure, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range structure.Fields.List {
			if len(field.Names) == 0 && (typeName(field.Type) == "Store" || typeName(field.Type) == "Options") {
				found = append(found, fmt.Sprintf("%s: %s embeds %s", name, spec.Name, typeName(field.Type)))
			}
		}
		return true
	})
	return found, nil
}

// typeName returns the name of a type without its package and pointer.
func typeName(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func TestGoFiles_KeepTheRules(t *testing.T) {
	t.Parallel()
	n := 0
	walkRepo(t, func(name string) {
		if filepath.Ext(name) != ".go" {
			return
		}
		n++
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(source, []byte("// Code generated")) {
			return
		}
		violations, err := fileViolations(name, source)
		if err != nil {
			t.Fatal(err)
		}
		for _, violation := range violations {
			t.Error(violation)
		}
	})
	if n < 100 {
		t.Errorf("only %d files were read", n)
	}
}

func TestGoFiles_ViolationsAreFound(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, source string
		want         []string
	}{
		{"a/helpers_test.go", "package a", nil},
		{"a/fixture_test.go", "package a", nil},
		{"a/a_test.go", "package a\n\nfunc FuzzA(f *testing.F) {}\n", nil},
		{"a/a_test.go", "package a\n\nfunc newA() {}\n", []string{"a/a_test.go has no test: name it fixture_test.go or helpers_test.go, or move its helpers to test/harness"}},
		{"a/a.go", "package a\n\ntype service struct{ Store }\n\ntype Service struct{ store Store }\n", nil},
		{"a/a.go", "package a\n\ntype Service struct {\n\tdirectory.Store\n\t*Options\n}\n", []string{"a/a.go: Service embeds Store", "a/a.go: Service embeds Options"}},
	} {
		got, err := fileViolations(row.name, []byte(row.source))
		if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
			t.Errorf("%s %q: %v\n%s", row.name, row.source, err, diff)
		}
	}
}

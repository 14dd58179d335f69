package repo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// vocabulary is the content of vocabulary.txt.
type vocabulary struct {
	identifiers []string
	comments    *regexp.Regexp
}

func readVocabulary(t *testing.T) vocabulary {
	t.Helper()
	text, err := os.ReadFile("test/repo/vocabulary.txt")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string][]string{}
	var section string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section = line
		default:
			sections[section] = append(sections[section], line)
		}
	}
	v := vocabulary{identifiers: sections["[identifiers]"]}
	if len(v.identifiers) == 0 || len(sections["[comments]"]) == 0 {
		t.Fatal("vocabulary.txt lacks words for identifiers or for comments")
	}
	v.comments = regexp.MustCompile("(?i)" + strings.Join(sections["[comments]"], "|"))
	return v
}

// camelWords splits an identifier: "parseURLOfUser" is parse, url, of and user.
func camelWords(name string) []string {
	var words []string
	start := 0
	runes := []rune(name)
	for i := 1; i <= len(runes); i++ {
		isEnd := i == len(runes) || runes[i] == '_' || unicode.IsUpper(runes[i]) &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if isEnd {
			words = append(words, strings.ToLower(strings.Trim(string(runes[start:i]), "_")))
			start = i
		}
	}
	return words
}

// bannedIn returns the banned words in a Go file, each with its position.
func (v vocabulary) bannedIn(fset *token.FileSet, file *ast.File) []string {
	var found []string
	report := func(pos token.Pos, kind, text string) {
		found = append(found, fset.Position(pos).String()+": "+kind+" "+text)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if _, ok := n.(*ast.SelectorExpr); ok {
			return true
		}
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		for _, word := range camelWords(id.Name) {
			if slices.Contains(v.identifiers, word) {
				report(id.Pos(), "identifier", id.Name)
			}
		}
		return true
	})
	for _, group := range file.Comments {
		for _, c := range group.List {
			if text := v.comments.FindString(c.Text); text != "" {
				report(c.Pos(), "comment", text)
			}
		}
	}
	return found
}

// lineComments finds the comments in SQL and JavaScript files and in templates.
var lineComments = regexp.MustCompile(`(?m)--.*$|//.*$|(?s)/\*.*?\*/`)

func TestVocabulary(t *testing.T) {
	t.Parallel()
	v := readVocabulary(t)
	parseGoFiles(t, func(fset *token.FileSet, file *ast.File) {
		for _, banned := range v.bannedIn(fset, file) {
			t.Error(banned)
		}
	})
	walkRepo(t, func(path string) {
		// Applied migrations are never edited, not even their comments.
		isSource := slices.Contains([]string{".sql", ".js", ".css", ".html"}, filepath.Ext(path)) && filepath.Dir(path) != "schema"
		if !isSource || isTestdata(path) {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, comment := range lineComments.FindAllString(string(text), -1) {
			if banned := v.comments.FindString(comment); banned != "" {
				t.Errorf("%s: comment %s", path, banned)
			}
		}
	})
}

// parseGoFiles calls check with each hand-written Go file of the repository.
func parseGoFiles(t *testing.T, check func(fset *token.FileSet, file *ast.File)) {
	t.Helper()
	files := 0
	walkRepo(t, func(path string) {
		if filepath.Ext(path) != ".go" || isTestdata(path) {
			return
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if ast.IsGenerated(file) {
			return
		}
		files++
		check(fset, file)
	})
	if files < 100 {
		t.Errorf("only %d Go files were read", files)
	}
}

// walkRepo calls visit with the path of each file in the repository, outside of hidden folders.
func walkRepo(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			visit(filepath.ToSlash(path))
			return nil
		}
		if strings.HasPrefix(d.Name(), ".") && path != "." {
			return filepath.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// isTestdata reports whether a file is input of a test.
func isTestdata(path string) bool { return strings.Contains(path, "/testdata/") }

func TestVocabulary_FindsBannedWords(t *testing.T) {
	t.Parallel()
	v := readVocabulary(t)
	for _, row := range []struct {
		name, source string
		want         int
	}{
		{"a plain file", "// F returns one.\nfunc F() int { return 1 }", 0},
		{"a function", "func hearsWebhooks() {}", 1},
		{"a word inside an acronym's name", "func URLOfNobody() {}", 1},
		{"a parameter", "func f(told int) {}", 1},
		{"a local variable", "func f() { news := 1; _ = news }", 2},
		{"a word that only contains one", "func newsletter() {}", 0},
		{"a comment", "// f lets nobody in.\nfunc f() {}", 1},
	} {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "f.go", "package p\n\n"+row.source, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if found := v.bannedIn(fset, file); len(found) != row.want {
			t.Errorf("%s: found %q, want %d", row.name, found, row.want)
		}
	}
}

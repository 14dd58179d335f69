package repo

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// A doc comment that begins with an identifier must begin with the name that it documents.
func TestDocComments_NameWhatTheyDocument(t *testing.T) {
	t.Parallel()
	parseGoFiles(t, func(fset *token.FileSet, file *ast.File) {
		for _, decl := range file.Decls {
			name, doc := documented(decl)
			if doc == nil || !wrongName(doc.List[0].Text, name) {
				continue
			}
			t.Errorf("%s: the comment of %s begins: %s", fset.Position(doc.Pos()), name, doc.List[0].Text)
		}
	})
}

func TestWrongName(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		comment, name string
		want          bool
	}{
		{"// parse returns the value.", "parse", false},
		{"// read returns the value.", "parse", true},
		{"// Parse returns the value.", "Parse", false},
		{"// Read returns the value.", "Parse", true},
		{"// A Parser reads values.", "Parser", false},
		{"// The parser's limits, in bytes.", "maxSize", false},
		{"// Limits of the parser.", "maxSize", false},
		{"//go:embed templates", "files", false},
	} {
		if got := wrongName(row.comment, row.name); got != row.want {
			t.Errorf("%s, of %s: %t, want %t", row.comment, row.name, got, row.want)
		}
	}
}

// documented returns the name and the doc comment of a declaration of one name. Functions of
// tests are left out: their comments describe what they check.
func documented(decl ast.Decl) (string, *ast.CommentGroup) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		for _, prefix := range []string{"Test", "Benchmark", "Fuzz"} {
			if strings.HasPrefix(d.Name.Name, prefix) {
				return "", nil
			}
		}
		return d.Name.Name, d.Doc
	case *ast.GenDecl:
		if len(d.Specs) != 1 {
			return "", nil
		}
		switch spec := d.Specs[0].(type) {
		case *ast.TypeSpec:
			return spec.Name.Name, d.Doc
		case *ast.ValueSpec:
			return spec.Names[0].Name, d.Doc
		}
	}
	return "", nil
}

// wrongName reports whether a comment begins with a name other than name.
func wrongName(comment, name string) bool {
	text, isText := strings.CutPrefix(comment, "// ")
	if !isText {
		return false
	}
	first := text
	if end := strings.IndexFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }); end >= 0 {
		first = text[:end]
	}
	switch first {
	case name, "", "A", "An", "The", "Each", "All", "These":
		return false
	}
	initial, _ := utf8.DecodeRuneInString(first)
	return !unicode.IsUpper(initial) || ast.IsExported(name) // a sentence about an unexported name may begin with any word
}

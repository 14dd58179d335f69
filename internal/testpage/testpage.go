// Package testpage reads a page of HTML the way a person does: by its heading,
// its text, the labels of its fields and the words on its links and buttons, so
// that a test says what somebody sees and does, and not how the page is built.
package testpage

import (
	"io"
	"strings"

	"golang.org/x/net/html"
)

// Page is a page that has been read.
type Page struct{ root *html.Node }

// Parse reads a page. HTML that is not well-formed is mended as browsers do it.
func Parse(r io.Reader) (*Page, error) {
	root, err := html.Parse(r)
	return &Page{root}, err
}

// Heading is the text of the page's first h1; empty if it has none.
func (p *Page) Heading() string {
	for n := range p.elements("h1") {
		return text(n)
	}
	return ""
}

// Title is what the browser's tab says.
func (p *Page) Title() string {
	for n := range p.elements("title") {
		return text(n)
	}
	return ""
}

// Text is everything there is to read, with single spaces.
func (p *Page) Text() string {
	for n := range p.elements("body") {
		return text(n)
	}
	return ""
}

// Link returns where the first link with these words leads; ok is false if there
// is none.
func (p *Page) Link(words string) (href string, ok bool) {
	for n := range p.elements("a") {
		if text(n) == words {
			return attr(n, "href"), true
		}
	}
	return "", false
}

// Rows are the rows of the page's tables, the headings too, cell by cell.
func (p *Page) Rows() [][]string {
	var rows [][]string
	for tr := range p.elements("tr") {
		var row []string
		for n := range tr.ChildNodes() {
			if n.Type == html.ElementNode {
				row = append(row, text(n))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// elements yields the elements of a name, in the order of the page.
func (p *Page) elements(name string) func(yield func(*html.Node) bool) {
	return below(p.root, name)
}

func below(root *html.Node, name string) func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && n.Data == name && !yield(n) {
				return
			}
		}
	}
}

// text is what can be read in an element.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && d.Parent.Data != "script" && d.Parent.Data != "style" {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attr(n *html.Node, name string) string {
	value, _ := lookup(n, name)
	return value
}

func lookup(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

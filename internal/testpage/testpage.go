// Package testpage reads HTML pages by what a user sees: headings, text, labels of
// fields, and the text of links and buttons. Tests that use it don't depend on how a
// page is built.
package testpage

import (
	"io"
	"strings"

	"golang.org/x/net/html"
)

// Page is a parsed page.
type Page struct{ root *html.Node }

// Parse parses a page. It corrects malformed HTML as browsers do.
func Parse(r io.Reader) (*Page, error) {
	root, err := html.Parse(r)
	return &Page{root}, err
}

// Heading returns the text of the first h1, or "" if there is none.
func (p *Page) Heading() string {
	for n := range p.elements("h1") {
		return text(n)
	}
	return ""
}

// Title returns the text of the title element, or "" if there is none.
func (p *Page) Title() string {
	for n := range p.elements("title") {
		return text(n)
	}
	return ""
}

// Text returns the text of the body, with single spaces.
func (p *Page) Text() string {
	for n := range p.elements("body") {
		return text(n)
	}
	return ""
}

// Link returns the URL of the first link with this text; ok is false if there is none.
func (p *Page) Link(label string) (href string, ok bool) {
	for n := range p.elements("a") {
		if text(n) == label {
			return attr(n, "href"), true
		}
	}
	return "", false
}

// Rows returns the cells of all table rows, including headings.
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

// elements yields the elements with a name, in document order.
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

// text returns the visible text of an element, with single spaces.
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

package testpage

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Form is a form, ready to be sent by one of its buttons.
type Form struct {
	Method string // as http.Method… has it
	Action string // as written; empty: the page's own address
	Values url.Values
	fields map[string]string // by label: the field's name
}

// Form returns the first form with a button of these words, filled in as the page
// has it; ok is false if there is none.
func (p *Page) Form(button string) (f Form, ok bool) {
	for n := range p.elements("form") {
		for b := range below(n, "button") {
			if words := attr(b, "aria-label"); words == button || text(b) == button {
				return p.read(n, b), true
			}
		}
	}
	return Form{}, false
}

func (p *Page) read(n, button *html.Node) Form {
	f := Form{Method: strings.ToUpper(attr(n, "method")), Action: attr(n, "action"), Values: url.Values{}, fields: map[string]string{}}
	if f.Method == "" {
		f.Method = "GET"
	}
	names := map[string]string{} // by id
	for input := range below(n, "input") {
		names[attr(input, "id")] = attr(input, "name")
		f.Values.Set(attr(input, "name"), attr(input, "value"))
	}
	for choice := range below(n, "select") {
		names[attr(choice, "id")] = attr(choice, "name")
		f.Values.Set(attr(choice, "name"), chosen(choice))
	}
	if name := attr(button, "name"); name != "" {
		f.Values.Set(name, attr(button, "value"))
	}
	for label := range below(n, "label") {
		f.fields[text(label)] = names[attr(label, "for")]
	}
	return f
}

// chosen is the value of the option that is selected, or of the first.
func chosen(choice *html.Node) string {
	first, any := "", false
	for option := range below(choice, "option") {
		if _, selected := lookup(option, "selected"); selected {
			return attr(option, "value")
		}
		if !any {
			first, any = attr(option, "value"), true
		}
	}
	return first
}

// Fill types a value into the field of that label.
func (f Form) Fill(label, value string) error {
	name, ok := f.fields[label]
	if !ok {
		return fmt.Errorf("no field %q among %q", label, slices.Sorted(maps.Keys(f.fields)))
	}
	f.Values.Set(name, value)
	return nil
}

// Value is what stands in the field of that label.
func (f Form) Value(label string) string { return f.Values.Get(f.fields[label]) }

// Problems are the sentences beside fields that are marked as invalid, by the
// name of the field.
func (p *Page) Problems() map[string]string {
	problems := map[string]string{}
	for _, kind := range []string{"input", "select"} {
		for n := range p.elements(kind) {
			if attr(n, "aria-invalid") == "true" {
				problems[attr(n, "name")] = p.textOf(attr(n, "aria-describedby"))
			}
		}
	}
	return problems
}

func (p *Page) textOf(id string) string {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && attr(n, "id") == id {
			return text(n)
		}
	}
	return ""
}

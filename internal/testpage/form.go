package testpage

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Form is a form to be submitted with one of its buttons.
type Form struct {
	Method string // as in http.MethodPost
	Action string // as in the page; empty for the page's own URL
	Values url.Values
	fields map[string]string // names of fields by label
}

// Form returns the first form that has a button with this text or aria-label, with its
// initial values; ok is false if there is none.
func (p *Page) Form(button string) (f Form, ok bool) {
	for n := range p.elements("form") {
		for b := range below(n, "button") {
			if attr(b, "aria-label") == button || text(b) == button {
				return p.readForm(n, b), true
			}
		}
	}
	return Form{}, false
}

func (p *Page) readForm(n, button *html.Node) Form {
	f := Form{Method: strings.ToUpper(attr(n, "method")), Action: attr(n, "action"), Values: url.Values{}, fields: map[string]string{}}
	if f.Method == "" {
		f.Method = "GET"
	}
	names := map[string]string{} // by id
	for input := range below(n, "input") {
		names[attr(input, "id")] = attr(input, "name")
		f.Values.Set(attr(input, "name"), attr(input, "value"))
	}
	for list := range below(n, "select") {
		names[attr(list, "id")] = attr(list, "name")
		f.Values.Set(attr(list, "name"), selectedValue(list))
	}
	for area := range below(n, "textarea") {
		names[attr(area, "id")] = attr(area, "name")
		f.Values.Set(attr(area, "name"), text(area))
	}
	if name := attr(button, "name"); name != "" {
		f.Values.Set(name, attr(button, "value"))
	}
	for label := range below(n, "label") {
		f.fields[text(label)] = names[attr(label, "for")]
	}
	return f
}

// selectedValue returns the value of the selected option, or of the first one.
func selectedValue(list *html.Node) string {
	first, any := "", false
	for option := range below(list, "option") {
		if _, selected := lookup(option, "selected"); selected {
			return attr(option, "value")
		}
		if !any {
			first, any = attr(option, "value"), true
		}
	}
	return first
}

// Fill sets the value of the field with a label.
func (f Form) Fill(label, value string) error {
	name, ok := f.fields[label]
	if !ok {
		return fmt.Errorf("no field %q among %q", label, slices.Sorted(maps.Keys(f.fields)))
	}
	f.Values.Set(name, value)
	return nil
}

// Value returns the value of the field with a label.
func (f Form) Value(label string) string { return f.Values.Get(f.fields[label]) }

// Problems returns the error messages of invalid fields by the fields' names.
func (p *Page) Problems() map[string]string {
	problems := map[string]string{}
	for _, kind := range []string{"input", "select", "textarea"} {
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

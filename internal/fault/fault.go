// Package fault describes failures outside the program to its operator: what happened and
// what to do. The packages that deal with the database, the mail server and Stytch return
// a [Fault]; serve, the commands and doctor show it with [Explain] or [Message], so that
// all of them describe the same failure alike.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Fault is an error that an operator can act on. It contains no secrets and no data, and
// wraps no other error.
type Fault struct {
	text, advice string
	class        Class
}

// Class is a short description of a failure in the health of an instance.
type Class string

// Classes. A fault without one is Unreachable.
const (
	Unreachable Class = "out of reach"
	ReadOnly    Class = "read-only"
	DiskFull    Class = "disk full"
)

// New returns a fault. text is a clause without a capital letter and a period; advice is
// one or more sentences.
func New(text, advice string) *Fault { return &Fault{text: text, advice: advice} }

// WithClass returns a copy of f with a class.
func (f *Fault) WithClass(class Class) *Fault {
	with := *f
	with.class = class
	return &with
}

// Error returns what happened.
func (f *Fault) Error() string { return f.text }

// Advice returns what to do.
func (f *Fault) Advice() string { return f.advice }

// ClassOf returns the class of the fault that err wraps.
func ClassOf(err error) Class {
	var f *Fault
	if errors.As(err, &f) && f.class != "" {
		return f.class
	}
	return Unreachable
}

// advised is a Fault, or an error of another package with advice of its own.
type advised interface {
	error
	Advice() string
}

// IsFault reports whether err wraps an error with advice.
func IsFault(err error) bool {
	var a advised
	return errors.As(err, &a)
}

// Explain returns what happened and what to do: from the error with advice that err
// wraps, or for a network error. Other errors keep their text and have no advice.
func Explain(err error) (text, advice string) {
	var a advised
	if errors.As(err, &a) {
		return a.Error(), a.Advice()
	}
	if f := Network(err); f != nil {
		return f.text, f.advice
	}
	return err.Error(), ""
}

// Message returns what happened, as a sentence, and what to do. It includes what was
// attempted, as err says it, except for the prefixes of package store. An error without
// advice keeps its text.
func Message(err error) string {
	text, advice := Explain(err)
	if advice == "" {
		return err.Error()
	}
	if before, _, ok := strings.Cut(err.Error(), text); ok {
		before, _, _ = strings.Cut(before, "store: ")
		text = before + text
	}
	return Sentence(text) + " " + advice
}

// Setting prefixes an error about a setting's value with the setting's name. It returns
// errors with advice unchanged.
func Setting(name string, err error) error {
	if err == nil || IsFault(err) {
		return err
	}
	return fmt.Errorf("%s %w", name, err)
}

// Sentence capitalises text and ends it with a period.
func Sentence(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

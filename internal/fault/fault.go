// Package fault puts what goes wrong outside of the program into words for the
// operator: a sentence that says what happened, and what to do about it. Whoever
// knows a part (the database, the mail server, Stytch) returns a [Fault]; serve, the
// commands and doctor show it by [Explain] or [Message], so that all of them say the
// same of the same fault.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Fault is an error that an operator can do something about. It holds no secret and
// no data, and no other error.
type Fault struct {
	text, advice string
	class        Class
}

// Class says in a word or two what is wrong, for programs that ask for the health of
// an instance.
type Class string

// The classes. A fault that has none is OutOfReach.
const (
	OutOfReach Class = "out of reach"
	ReadOnly   Class = "read-only"
	DiskFull   Class = "disk full"
)

// New returns a fault. The text is part of a sentence, without a capital letter and
// without a full stop; the advice is whole sentences.
func New(text, advice string) *Fault { return &Fault{text: text, advice: advice} }

// Of returns the fault with a class.
func (f *Fault) Of(class Class) *Fault {
	with := *f
	with.class = class
	return &with
}

// Error returns what happened.
func (f *Fault) Error() string { return f.text }

// Advice returns what to do.
func (f *Fault) Advice() string { return f.advice }

// ClassOf returns the class of the fault in an error.
func ClassOf(err error) Class {
	var f *Fault
	if errors.As(err, &f) && f.class != "" {
		return f.class
	}
	return OutOfReach
}

// advised is a Fault, or an error of another package that has an advice of its own.
type advised interface {
	error
	Advice() string
}

// IsFault reports whether an error has words and an advice of its own.
func IsFault(err error) bool {
	var a advised
	return errors.As(err, &a)
}

// Explain returns what happened and what to do: the words of the fault in an error, or
// those for trouble with a network; any other error keeps its text.
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

// Message returns an error for people in one line: what happened, as a sentence, and
// what to do. What was attempted stands in front, but for what package store says of it. An error without a fault keeps its text.
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

// Setting puts the name of a setting in front of an error that says what its value must
// be. A fault speaks for itself.
func Setting(name string, err error) error {
	if err == nil || IsFault(err) {
		return err
	}
	return fmt.Errorf("%s %w", name, err)
}

// Sentence gives a text the look of a sentence.
func Sentence(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

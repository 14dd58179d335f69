package userio

import (
	"bufio"
	"bytes"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/directory"
)

// readList reads addresses, one or several per line. Invalid ones are passed on and refused
// when the line is validated.
func readList(r *bufio.Reader, before int, each func(Line) error) error {
	lines := lineReader{r: r, number: before}
	for line, err := range lines.all() {
		if err == nil && line.long {
			err = each(Line{Number: line.number, Problem: lineTooLong})
			line.text = ""
		}
		if err != nil {
			return err
		}
		for _, item := range splitList(line.text) {
			var b lineBuilder
			b.set(column{field: fieldEmail}, item)
			if err := each(b.line(line.number)); err != nil {
				return err
			}
		}
	}
	return nil
}

// startsWithAddresses reports whether the first line, or the first one after titles, has
// nothing but addresses.
func startsWithAddresses(sample []byte, before int) (bool, error) {
	lines := lineReader{r: bufio.NewReaderSize(bytes.NewReader(sample), maxRecord), number: before}
	var titles []textLine
	for range maxTitles + 1 {
		line, ok, err := lines.next()
		if err != nil || !ok {
			return false, err
		}
		switch {
		case isList(line.text):
			return true, checkTitles(titles)
		case strings.ContainsAny(line.text, ",;\t|"):
			return false, nil
		case !strings.Contains(line.text, "@"):
			titles = append(titles, line)
		}
	}
	return false, nil
}

func isList(text string) bool {
	items := splitList(text)
	return len(items) > 0 && !slices.ContainsFunc(items, func(item string) bool { return !isAddress(item) })
}

func isAddress(text string) bool {
	address, _ := mailbox(text)
	_, err := directory.ParseEmail(address)
	return err == nil
}

// splitList splits a line at commas, semicolons and tabs outside quotation marks and angle
// brackets, and at spaces if there are only addresses.
func splitList(text string) []string {
	var items []string
	begin, quoted, bracketed := 0, false, false
	end := func(i int) {
		item := visible(text[begin:i])
		last := len(items) - 1
		switch {
		case item == "":
		case last >= 0 && text[begin-1] == ',' && !strings.Contains(items[last], "@") && strings.HasSuffix(item, ">"):
			items[last] += ", " + item // Hopper, Grace <grace@example.com>
		default:
			items = append(items, item)
		}
		begin = i + 1
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<', c == '>':
			bracketed = c == '<'
		case bracketed:
		case c == ',', c == ';', c == '\t':
			end(i)
		}
	}
	end(len(text))
	if len(items) == 1 && !strings.ContainsAny(items[0], `<"`) {
		if words := strings.Fields(items[0]); strings.Count(items[0], "@") == len(words) {
			return words
		}
	}
	return items
}

// mailbox returns the address in text as mail programs write it: with a name,
// Ada <ada@example.com>, or as a mailto: link.
func mailbox(text string) (address, name string) {
	address = strings.Trim(visible(text), `";, `)
	if strings.HasPrefix(address, "'") && strings.HasSuffix(address, "'") {
		address = strings.Trim(address, "'")
	}
	if begin := strings.LastIndex(address, "<"); begin >= 0 && strings.HasSuffix(address, ">") {
		name = strings.Trim(visible(address[:begin]), `"' `)
		address = visible(address[begin+1 : len(address)-1])
	}
	if scheme, rest, ok := strings.Cut(address, ":"); ok && strings.EqualFold(scheme, "mailto") {
		address, _, _ = strings.Cut(rest, "?")
	}
	return address, name
}

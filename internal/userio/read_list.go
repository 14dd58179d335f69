package userio

import (
	"bufio"
	"bytes"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/directory"
)

// readList reads addresses, one or several a line. What is none is handed on as if
// it were one, and refused with the line by those who check addresses.
func readList(r *bufio.Reader, before int, each func(Line) error) error {
	lines := lineReader{r: r, number: before}
	for {
		line, ok, err := lines.next()
		if err != nil || !ok {
			return err
		}
		if line.long {
			if err := each(Line{Number: line.number, Problem: truncated}); err != nil {
				return err
			}
			continue
		}
		for _, item := range splitList(line.text) {
			var p newLine
			p.set(column{field: fieldEmail}, item)
			if err := each(p.line(line.number)); err != nil {
				return err
			}
		}
	}
}

// startsWithAddresses says whether a text is a list of addresses: its first line, or
// the first below titles, holds nothing else.
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

// splitList splits a line at commas, semicolons and tabs that are neither in
// quotation marks nor in angle brackets, and at blanks if there are only addresses.
func splitList(text string) []string {
	var items []string
	begin, quoted, angled := 0, false, false
	end := func(i int) {
		item := visible(text[begin:i])
		before := len(items) - 1
		switch {
		case item == "":
		case before >= 0 && text[begin-1] == ',' && !strings.Contains(items[before], "@") && strings.HasSuffix(item, ">"):
			items[before] += ", " + item // Hopper, Grace <grace@example.com>
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
			angled = c == '<'
		case angled:
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

// mailbox takes an address out of what mail programs make of it: mailto: and
// Ada <ada@example.com>, of which it returns the name, too.
func mailbox(text string) (address, name string) {
	address = strings.Trim(visible(text), `";, `)
	if strings.HasPrefix(address, "'") && strings.HasSuffix(address, "'") {
		address = strings.Trim(address, "'")
	}
	if begin := strings.LastIndex(address, "<"); begin >= 0 && strings.HasSuffix(address, ">") {
		name = strings.Trim(visible(address[:begin]), `"' `)
		address = visible(address[begin+1 : len(address)-1])
	}
	if len(address) > len("mailto:") && strings.EqualFold(address[:len("mailto:")], "mailto:") {
		address, _, _ = strings.Cut(address[len("mailto:"):], "?")
	}
	return address, name
}

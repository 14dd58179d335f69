package userio

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// maxTitles is the maximum number of lines before the header or the first address.
const maxTitles = 10

var separators = []rune{',', ';', '\t', '|'}

// layout describes how to read a text.
type layout struct {
	separator rune
	header    int // line of the header; 0 if there is none
	columns   columns
	list      bool // a list of addresses instead of a table
}

// readText reads a table or a list of addresses that begins with sample.
func readText(r *bufio.Reader, sample []byte, each func(Line) error) ([]string, error) {
	separator, length, err := excelSeparator(sample)
	if err != nil {
		return nil, err
	}
	before := 0
	if length > 0 {
		if _, err := r.Discard(length); err != nil {
			return nil, err
		}
		before, sample = 1, sample[length:]
	}
	if len(bytes.TrimSpace(sample)) == 0 {
		return nil, errEmpty
	}
	l, err := findLayout(sample, separator, before)
	if err != nil {
		return nil, err
	}
	if l.list {
		return nil, readList(r, before, each)
	}
	for rec, err := range readRows(r, l.separator, before) {
		if err != nil {
			return nil, err
		}
		if rec.line <= l.header || rec.problem == "" && isBlank(rec.cells) {
			continue
		}
		line := Line{Number: rec.line, Problem: rec.problem}
		if rec.problem == "" {
			line = l.columns.line(rec.line, rec.cells)
		}
		if err := each(line); err != nil {
			return nil, err
		}
	}
	return l.columns.unused, nil
}

// excelSeparator parses a first line that names the separator, as Excel knows it: sep=; with
// or without quotation marks. It returns the length of the line, or 0.
func excelSeparator(sample []byte) (separator rune, length int, err error) {
	line, _, found := bytes.Cut(sample, []byte("\n"))
	prefix, word, ok := strings.Cut(strings.Trim(string(line), `" `), "=")
	if !ok || !strings.EqualFold(prefix, "sep") {
		return 0, 0, nil
	}
	if length = len(line); found {
		length++
	}
	if word == "" {
		word = "\t"
	}
	if !slices.Contains(separators, []rune(word)[0]) || len(word) > 1 {
		return 0, 0, &FileError{Line: 1, Text: "Separate columns with commas, semicolons, tabs or vertical bars."}
	}
	return rune(word[0]), length, nil
}

// findLayout looks for a header, with the separator that yields the most columns, and then
// for addresses. separator is 0 if the file doesn't name it.
func findLayout(sample []byte, separator rune, before int) (layout, error) {
	candidates := separators
	if separator != 0 {
		candidates = []rune{separator}
	}
	var best, none headerSearch
	for _, separator := range candidates {
		h := searchHeader(sample, separator, before)
		switch {
		case h.line > 0 && len(h.columns.all) > len(best.columns.all):
			best = h
		case h.line == 0 && (none.separator == 0 || len(h.columns.all) > max(1, len(none.columns.all))):
			none = h
		}
	}
	if best.line > 0 {
		return best.layout()
	}
	if l, ok, err := firebaseLayout(sample, before); ok || err != nil {
		return l, err
	}
	if ok, err := startsWithAddresses(sample, before); ok || err != nil {
		return layout{list: true}, err
	}
	if none.problem == nil {
		return layout{}, errEmpty
	}
	return layout{}, none.problem
}

var errEmpty = &FileError{Text: "The file is empty."}

// headerSearch is the result of looking for a header with one separator.
type headerSearch struct {
	separator rune
	line      int     // of the header; 0 if there is none
	columns   columns // of the header, or of the first line if there is none
	titles    []textLine
	problem   error // why there is no header
}

// searchHeader reads rows up to the first with a column for the address.
func searchHeader(sample []byte, separator rune, before int) headerSearch {
	h := headerSearch{separator: separator}
	for rec, err := range readRows(bufio.NewReaderSize(bytes.NewReader(sample), maxRecord), separator, before) {
		if err == nil && rec.problem != "" {
			err = &FileError{Line: rec.line, Text: rec.problem}
		}
		if err != nil {
			h.problem = err
			return h
		}
		if isBlank(rec.cells) {
			continue
		}
		cols := parseHeader(rec.cells)
		if cols.hasAddress() {
			h.line, h.columns = rec.line, cols
			return h
		}
		if h.problem == nil {
			h.columns = cols
			h.problem = &FileError{Line: rec.line, Text: noAddressColumn + cols.found()}
			if bytes.HasPrefix(bytes.TrimSpace(sample), []byte(`"`)) && len(rec.cells) == 1 && slices.ContainsFunc(strings.FieldsFunc(rec.cells[0], isSeparator), isAddressColumn) {
				h.problem = &FileError{Line: rec.line, Text: "The whole line is in quotation marks, so it is one column. Remove them, or save the table as CSV again."}
			}
		}
		title := textLine{number: rec.line, text: visible(strings.Join(rec.cells, " "))}
		if h.titles = append(h.titles, title); len(h.titles) > maxTitles || slices.ContainsFunc(rec.cells, isAddress) {
			break
		}
	}
	return h
}

// layout returns the layout with the header that was found.
func (h headerSearch) layout() (layout, error) {
	if err := checkTitles(h.titles); err != nil {
		return layout{}, err
	}
	if f := h.columns.twice; f != fieldNone {
		return layout{}, &FileError{Line: h.line, Text: fmt.Sprintf("There are two columns for the %s.", fieldLabels[f])}
	}
	return layout{separator: h.separator, header: h.line, columns: h.columns}, nil
}

// checkTitles refuses files whose title says that their users may not sign in.
func checkTitles(titles []textLine) error {
	for _, t := range titles {
		if containsAny(letters(t.text), deniedStems) {
			return &FileError{Line: t.number, Text: "The title is “" + excerpt(t.text, 40) + "”. If these people may sign in, delete this line."}
		}
	}
	return nil
}

// firebaseLayout recognizes the CSV of `firebase auth:export`, which has no header
// (https://github.com/firebase/firebase-tools, src/accountExporter.ts). Older versions don't
// export which users are disabled.
func firebaseLayout(sample []byte, before int) (l layout, ok bool, err error) {
	const disabled, all, older = 26, 28, 26
	for rec, err := range readCSV(bufio.NewReader(bytes.NewReader(sample)), ',', before) {
		if err != nil {
			break
		}
		if isBlank(rec.cells) {
			continue
		}
		cells := rec.cells
		if n := len(cells); cells[n-1] == "" {
			cells = cells[:n-1] // every line ends with a separator
		}
		isExport := len(cells) > 2 && (cells[2] == "true" || cells[2] == "false") && !strings.Contains(cells[0], "@") && (cells[1] == "" || strings.Contains(cells[1], "@"))
		switch {
		case isExport && len(cells) >= disabled && len(cells) <= all && len(rec.cells) > all:
			names := make([]string, all)
			names[0], names[1], names[2], names[5], names[26] = "localId", "email", "emailVerified", "displayName", "disabled"
			return layout{separator: ',', columns: parseHeader(names)}, true, nil
		case isExport && len(rec.cells) == older+1:
			return layout{}, false, &FileError{Line: rec.line, Text: "This Firebase export doesn't say who is disabled. Export again with a newer firebase-tools, or as JSON."}
		}
		break
	}
	return layout{}, false, nil
}

func isSeparator(r rune) bool { return slices.Contains(separators, r) }

func isAddressColumn(name string) bool { return newColumn(name).field == fieldEmail }

func isBlank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool { return visible(cell) != "" })
}

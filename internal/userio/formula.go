package userio

import "strings"

// formulaPrefixes begin formulas in spreadsheets, the full-width ones in some languages.
// https://owasp.org/www-community/attacks/CSV_Injection
const formulaPrefixes = "=+-@\t\r\n＝＋－＠"

// cellSeparators separate cells in spreadsheets, depending on the language. If that is a
// semicolon, text after one is a cell of its own even within quotation marks.
const cellSeparators = ",;\t|"

const quote = "'"

// escapeFormula puts a quotation mark before each possible formula, at the beginning and
// after separators, so that spreadsheets take it for text. A formula after quotation marks
// gets another one, so that unescapeFormula restores every cell.
func escapeFormula(cell string) string {
	return mapFormulas(cell, func(quotes string) string { return quote + quotes })
}

func unescapeFormula(cell string) string {
	return mapFormulas(cell, func(quotes string) string { return strings.TrimPrefix(quotes, quote) })
}

// mapFormulas changes the quotation marks before each possible formula.
func mapFormulas(cell string, change func(quotes string) string) string {
	if !strings.ContainsAny(cell, formulaPrefixes) {
		return cell
	}
	var b strings.Builder
	for rest := cell; ; {
		text := strings.TrimLeft(rest, " \"\u00a0")
		b.WriteString(rest[:len(rest)-len(text)])
		bare := strings.TrimLeft(text, quote)
		quotes := text[:len(text)-len(bare)]
		if isFormula(bare) {
			quotes = change(quotes)
		}
		b.WriteString(quotes)
		end := strings.IndexAny(bare, cellSeparators)
		if end < 0 {
			b.WriteString(bare)
			return b.String()
		}
		b.WriteString(bare[:end+1])
		rest = bare[end+1:]
	}
}

func isFormula(cell string) bool { return cell != "" && strings.IndexAny(cell, formulaPrefixes) == 0 }

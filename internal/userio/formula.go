package userio

import "strings"

// A spreadsheet takes a cell for a formula that begins with one of these
// (https://owasp.org/www-community/attacks/CSV_Injection), the wide ones in some
// languages.
const formulaPrefixes = "=+-@\t\r\n＝＋－＠"

// cellSeparators are what spreadsheets split lines at, depending on the language:
// where that is a semicolon, a=1 behind one is a cell of its own, also in a file
// with commas, whose quotation marks mean nothing then.
const cellSeparators = ",;\t|"

const quote = "'"

// escapeFormula puts a quotation mark before what would be a formula, at the beginning and
// behind separators, which spreadsheets take for text then; unguard takes it off.
// What begins with such marks already and a formula behind gets one more, so that
// nothing is lost on the way.
func escapeFormula(cell string) string {
	return mapFormulas(cell, func(quotes string) string { return quote + quotes })
}

func unescapeFormula(cell string) string {
	return mapFormulas(cell, func(quotes string) string { return strings.TrimPrefix(quotes, quote) })
}

// mapFormulas changes the quotation marks in front of formulas.
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

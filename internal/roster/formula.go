package roster

import "strings"

// A spreadsheet takes a cell for a formula that begins with one of these
// (https://owasp.org/www-community/attacks/CSV_Injection), the wide ones in some
// languages.
const formulaSigns = "=+-@\t\r\n＝＋－＠"

const quote = "'"

// guard puts a quotation mark before what would be a formula, which spreadsheets
// take for text then; unguard takes it off. What begins with such marks already
// and a formula behind gets one more, so that nothing is lost on the way.
func guard(cell string) string {
	if isFormula(strings.TrimLeft(cell, quote)) {
		return quote + cell
	}
	return cell
}

func unguard(cell string) string {
	if bare, ok := strings.CutPrefix(cell, quote); ok && isFormula(strings.TrimLeft(bare, quote)) {
		return bare
	}
	return cell
}

func isFormula(cell string) bool { return cell != "" && strings.IndexAny(cell, formulaSigns) == 0 }

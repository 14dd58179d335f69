package mail

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/guestlist/guestlist/internal/text"
)

// sanitizeName returns a name as a line of at most 100 characters without anything that
// mail programs would turn into a link. People type names for other people, and an
// email must have no links but the program's own. A name that is an email address
// stays as it is.
func sanitizeName(name string) string {
	name = strings.Join(strings.FieldsFunc(text.Clean(name), isSeparator), " ")
	if !isAddress(name) {
		name = breakLinks(name)
	}
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100]) + "…"
	}
	return name
}

// isSeparator reports whether a character counts as a space. Joiners do not:
// text.Clean keeps only those that belong to words and emoji.
func isSeparator(r rune) bool {
	return unicode.IsSpace(r) || !unicode.IsGraphic(r) && !unicode.Is(unicode.Join_Control, r)
}

// isAddress reports whether a name is an email address and nothing else. Mail programs
// take anything that begins with www. or ftp. for a host.
func isAddress(name string) bool {
	typed, _, ok := text.ParseAddress(name)
	return ok && typed == name && !hostPrefix.MatchString(name)
}

// breakLinks inserts spaces into text that programs recognize as a host, a URL or an
// address: after a dot before more than one letter ("J.R.R. Tolkien" has none), after a
// colon, and after the dots of an IP address. Of several backslashes, which begin the
// name of a Windows server, it keeps one.
func breakLinks(name string) string {
	name = ipAddress.ReplaceAllStringFunc(name, func(ip string) string { return strings.ReplaceAll(ip, ".", ". ") })
	name = hostMark.ReplaceAllString(name, "$1 $2")
	name = dotMark.ReplaceAllString(name, "$1 $2")
	name = colonMark.ReplaceAllString(name, "$1 $2")
	name = atHost.ReplaceAllStringFunc(name, func(word string) string {
		return strings.NewReplacer("@", "@ ", "＠", "＠ ", "﹫", "﹫ ").Replace(word)
	})
	return backslash.ReplaceAllString(name, `\`)
}

// The dots are those that browsers treat as a dot in a host name (UTS 46), the colons
// those that look like one.
var (
	hostPrefix = regexp.MustCompile(`(?i)^(www|ftp)\.`)
	hostMark   = regexp.MustCompile(`(?i)((?:www|ftp)[.。．｡․﹒])(\S)`)
	ipAddress  = regexp.MustCompile(`\d+(\.\d+){3}`)
	dotMark    = regexp.MustCompile(`([.。．｡․﹒])([\pL\pN\pM]{2})`)
	colonMark  = regexp.MustCompile(`([:：﹕∶꞉])(\S)`)
	backslash  = regexp.MustCompile(`\\{2,}`)
	atHost     = regexp.MustCompile(`[@＠﹫]\S+[.。．｡․﹒]\S`)
)

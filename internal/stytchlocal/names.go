package stytchlocal

import (
	"strings"
	"unicode"

	"github.com/guestlist/guestlist/internal/text"
)

// sanitizeName returns a name as a short line for a mail, without anything that mail
// programs would make a link of. Names are typed by people about other people, and
// no link but the program's own gets into its mails. An address that stands where a
// name is missing stays as it is.
func sanitizeName(name string) string {
	name = strings.Join(strings.FieldsFunc(text.Clean(name), separatesNames), " ")
	if !isAddress(name) {
		name = withoutLinks(name)
	}
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100]) + "…"
	}
	return name
}

// separatesNames reports whether a character counts as a space. Joiners don't:
// text.Clean has left only those that belong to words and emoji.
func separatesNames(r rune) bool {
	return unicode.IsSpace(r) || !unicode.IsGraphic(r) && !unicode.Is(unicode.Join_Control, r)
}

// isAddress reports whether a name is an address and nothing else. Programs take
// what begins with www. or ftp. for a host, whatever follows.
func isAddress(name string) bool {
	typed, _, ok := text.ParseAddress(name)
	return ok && typed == name && !hostPrefix().MatchString(name)
}

// withoutLinks puts spaces into what programs recognise as a host, a URL or an
// address: behind a dot before more than one letter, a colon, the dots of an IP
// address. "J.R.R. Tolkien" has none of them. Of several backslashes, which begin
// the name of a Windows server, one stays.
func withoutLinks(name string) string {
	name = ipAddress().ReplaceAllStringFunc(name, func(ip string) string { return strings.ReplaceAll(ip, ".", ". ") })
	name = hostMark().ReplaceAllString(name, "$1 $2")
	name = dotMark().ReplaceAllString(name, "$1 $2")
	name = colonMark().ReplaceAllString(name, "$1 $2")
	name = atHost().ReplaceAllStringFunc(name, func(word string) string {
		return strings.NewReplacer("@", "@ ", "＠", "＠ ", "﹫", "﹫ ").Replace(word)
	})
	return backslash().ReplaceAllString(name, `\`)
}

// The dots are those that browsers read as one in a host name (UTS 46), and the
// colons those that look like one.
var (
	hostPrefix = lazyRegexp(`(?i)^(www|ftp)\.`)
	hostMark   = lazyRegexp(`(?i)((?:www|ftp)[.。．｡․﹒])(\S)`)
	ipAddress  = lazyRegexp(`\d+(\.\d+){3}`)
	dotMark    = lazyRegexp(`([.。．｡․﹒])([\pL\pN\pM]{2})`)
	colonMark  = lazyRegexp(`([:：﹕∶꞉])(\S)`)
	backslash  = lazyRegexp(`\\{2,}`)
	atHost     = lazyRegexp(`[@＠﹫]\S+[.。．｡․﹒]\S`)
)

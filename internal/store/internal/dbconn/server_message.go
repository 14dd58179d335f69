package dbconn

import (
	"regexp"
	"strings"
	"sync"

	"github.com/guestlist/guestlist/internal/fault"
)

// knownMessages maps messages that Vitess sends with its generic number (1105), or after a shard's name, to faults.
// They match the text before the first value.
// https://vitess.io/docs/reference/errors/query-serving/
var knownMessages = sync.OnceValue(func() []knownWords {
	return []knownWords{
		{words(`no healthy tablet|not.serving|no primary|primary is not|no tablet`), fault.New("the database has no primary that responds right now",
			"After a failover, this takes seconds. If it lasts, check the database's page at PlanetScale, or vtgate and vttablet.")},
		{words(`direct ddl is disabled`), fault.New("the database refuses schema changes: safe migrations are on", "See docs/planetscale.md for how to apply them.")},
		{words(`read.only`), readOnly},
		{words(`access denied|unauthenticated`), wrongPassword},
		{words(`command denied|permissiondenied|not authorized|insufficient privileges`), noRight},
		{words(`unknown database|vt05003|keyspace .*not found|no keyspace`), noSuchDatabase},
		{words(`pool (is )?(timed out|full|closed)|resourceexhausted|too many connections|pool waiter`), noConnection},
		{words(`exceeded timeout|timed out|timeout exceeded|deadline ?exceeded|maximum statement execution time|held locks released|^transaction .*ended`), tookTooLong},
		{words(`row count exceeded`), fault.New("the server doesn't return results with so many rows", "Request fewer rows at a time.")},
		{words(`disk (is )?full|no space left`), serverFull},
		{words(`due to rule|query rule|denylist|denied tables`), fault.New("a rule on the server rejects a statement of this program", "Check the query rules there.")},
		{words(`syntax error|vt03\d\d\d|vt12001|unsupported`), badStatement},
		{words(`shutting down|shutdown in progress|server shutdown`), shuttingDown},
		{words(`connection refused|code = unavailable|connection reset|gone away|lost connection|error reading from server|broken pipe`), fault.New(
			"the database's storage server can't be reached", "After a failover, this takes seconds. If it lasts, check the database's page at PlanetScale, or vttablet.")},
	}
})

// knownWords are words in a server's message and the fault they mean.
type knownWords struct {
	in    *regexp.Regexp
	fault *fault.Fault
}

func words(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// knownMessage returns the fault for a server's message; nil for an unknown one.
func knownMessage(message string) *fault.Fault {
	head := strings.ToLower(beforeValues(message))
	for _, known := range knownMessages() {
		if known.in.MatchString(head) {
			return known.fault
		}
	}
	return nil
}

// beforeValues cuts a message before the first possible value or statement: the first quote, and what Vitess appends.
func beforeValues(message string) string {
	if i := strings.IndexAny(message, "'\"`‘“"); i >= 0 {
		message = message[:i]
	}
	for _, suffix := range []string{"Sql:", "BindVars", "(CallerID", "CallerID:", " near ", " value"} {
		message, _, _ = strings.Cut(message, suffix)
	}
	return message
}

// plainWords matches words of letters at the beginning of a text, without numbers, addresses or names with other
// characters. VT and five digits is a code of Vitess.
var plainWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:VT\d{5}: ?)?[A-Za-z]+(?:-[A-Za-z]+)*(?:[,;]? [A-Za-z]+(?:-[A-Za-z]+)*)*`)
})

// withoutValues returns the part of a server's message that can't hold a value or a statement, without Vitess's prefix
// about where the error comes from.
func withoutValues(message string) string {
	head := beforeValues(message)
	for _, before := range []string{"desc = ", "vttablet: ", "vtgate: "} {
		if i := strings.LastIndex(head, before); i >= 0 {
			head = head[i+len(before):]
		}
	}
	if rest, ok := strings.CutPrefix(head, "target: "); ok { // keyspace.shard.type
		_, head, _ = strings.Cut(rest, ": ")
	}
	found := plainWords().FindString(strings.TrimSpace(head))
	if end := strings.TrimSpace(head)[len(found):]; end != "" && strings.IndexByte(" .,;:(", end[0]) < 0 {
		// The last word continues with something other than a letter, like an address.
		found = found[:max(0, strings.LastIndexByte(found, ' '))]
	}
	return found
}

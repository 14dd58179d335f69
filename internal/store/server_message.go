package store

import (
	"regexp"
	"strings"
	"sync"

	"github.com/guestlist/guestlist/internal/fault"
)

// knownMessages are what Vitess says under its number for anything (1105), or behind
// the name of a shard: by what the text says before the first value in it.
// https://vitess.io/docs/reference/errors/query-serving/
var knownMessages = sync.OnceValue(func() []knownWords {
	return []knownWords{
		{words(`no healthy tablet|not.serving|no primary|primary is not|no tablet`), fault.New("the database has no primary that answers right now",
			"After a fail-over that is over in seconds. If it lasts, look at the database's page at PlanetScale, or at vtgate and vttablet.")},
		{words(`direct ddl is disabled`), fault.New("the database refuses changes to its tables: safe migrations are on", "docs/planetscale.md says how they are applied.")},
		{words(`read.only`), readOnly},
		{words(`access denied|unauthenticated`), wrongPassword},
		{words(`command denied|permissiondenied|not authorized|insufficient privileges`), noRight},
		{words(`unknown database|vt05003|keyspace .*not found|no keyspace`), noSuchDatabase},
		{words(`pool (is )?(timed out|full|closed)|resourceexhausted|too many connections|pool waiter`), noConnection},
		{words(`exceeded timeout|timed out|timeout exceeded|deadline ?exceeded|maximum statement execution time|held locks released|^transaction .*ended`), tookTooLong},
		{words(`row count exceeded`), fault.New("the server returns no result of so many rows", "Ask for less at a time.")},
		{words(`disk (is )?full|no space left`), serverFull},
		{words(`due to rule|query rule|denylist|denied tables`), fault.New("a rule of the server refuses a statement of this program", "Look at the rules for queries there.")},
		{words(`syntax error|vt03\d\d\d|vt12001|unsupported`), badStatement},
		{words(`shutting down|shutdown in progress|server shutdown`), shuttingDown},
		{words(`connection refused|code = unavailable|connection reset|gone away|lost connection|error reading from server|broken pipe`), fault.New(
			"the part of the database that keeps the data can't be reached", "After a fail-over that is over in seconds. If it lasts, look at the database's page at PlanetScale, or at vttablet.")},
	}
})

// knownWords are words in a message of a server, and the fault that they mean.
type knownWords struct {
	in    *regexp.Regexp
	fault *fault.Fault
}

func words(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// knownMessage returns the fault that a message of a server is about; nil for another.
func knownMessage(message string) *fault.Fault {
	head := strings.ToLower(beforeValues(message))
	for _, known := range knownMessages() {
		if known.in.MatchString(head) {
			return known.fault
		}
	}
	return nil
}

// beforeValues cuts a message before whatever may be a value or a statement: the first
// quote, and what Vitess puts behind a message.
func beforeValues(message string) string {
	if i := strings.IndexAny(message, "'\"`‘“"); i >= 0 {
		message = message[:i]
	}
	for _, behind := range []string{"Sql:", "BindVars", "(CallerID", "CallerID:", " near ", " value"} {
		message, _, _ = strings.Cut(message, behind)
	}
	return message
}

// plainWords are words of letters alone, at the beginning of a text: no numbers, names
// with signs in them, or addresses. VT and a number is a code of Vitess.
var plainWords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:VT\d{5}: ?)?[A-Za-z]+(?:-[A-Za-z]+)*(?:[,;]? [A-Za-z]+(?:-[A-Za-z]+)*)*`)
})

// withoutValues returns the part of a server's message that can hold no value and no
// statement. Vitess says in front of it where the error comes from, which is left out.
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
		// The last word goes on with something that is no letter, as an address does.
		found = found[:max(0, strings.LastIndexByte(found, ' '))]
	}
	return found
}

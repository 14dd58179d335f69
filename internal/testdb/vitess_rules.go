package testdb

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// PlanetScale's limits for the duration of a transaction and the rows that a statement
// returns or changes (https://planetscale.com/docs/vitess/troubleshooting/planetscale-system-limits).
const (
	maxTransaction = 20 * time.Second
	maxRows        = 100_000
)

// Commands of the MySQL protocol.
const (
	comQuit, comQuery, comPing, comPrepare, comExecute, comClose = 0x01, 0x03, 0x0e, 0x16, 0x17, 0x19
)

// quoted matches a quoted value or a comment.
var quoted = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|/\*[^!].*?\*/|--[^\n]*`)

// stripLiterals returns a statement on one line, without comments and with empty values.
func stripLiterals(statement string) string {
	statement = quoted.ReplaceAllStringFunc(statement, func(text string) string {
		if text[0] == '-' || text[0] == '/' {
			return " "
		}
		return "''"
	})
	return strings.TrimSuffix(strings.Join(strings.Fields(statement), " "), ";")
}

// begins matches the permitted beginnings of statements. Only tests use the last two.
var begins = regexp.MustCompile(`(?i)^(SELECT|INSERT (IGNORE )?INTO|SHOW (FULL TABLES|INDEX FROM)|UPDATE|DELETE FROM|START TRANSACTION$|COMMIT$|ROLLBACK$|SET (NAMES|autocommit|completion_type|sql_mode|time_zone)|CREATE (UNIQUE )?(TABLE|INDEX|VIEW)|ALTER TABLE|DROP (TABLE|INDEX)|ANALYZE TABLE|EXPLAIN)( |$)`)

// changesTables matches statements that safe migrations refuse.
var changesTables = regexp.MustCompile(`(?i)^(CREATE|ALTER|DROP|TRUNCATE|RENAME) `)

// changes matches statements that change rows or tables, reachesTablet those that vtgate
// can't answer without a tablet.
var (
	changes       = regexp.MustCompile(`(?i)^(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP) `)
	reachesTablet = regexp.MustCompile(`(?i)^(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|SHOW) |\bFROM\b`)
)

// refusedByVitess lists statements that Vitess refuses, ignores, or executes differently
// from MySQL.
var refusedByVitess = []struct {
	pattern *regexp.Regexp
	because string
}{
	{regexp.MustCompile(`(?i)\b(FOREIGN KEY|REFERENCES)\b`), "tables that are spread over shards can't watch each other"},
	{regexp.MustCompile(`(?i)\b(GET_LOCK|RELEASE_LOCK|IS_FREE_LOCK|IS_USED_LOCK)\b`), "it is lost after 20 seconds in which its connection is silent"},
	{regexp.MustCompile(`@`), "a variable is its connection's, which is shared"},
	{regexp.MustCompile(`(?i)\bINTO (OUTFILE|DUMPFILE)\b|\bLOAD_FILE\b`), "there is no disk to write to"},
	{regexp.MustCompile(`(?i)\b(RETURNING|SEQUENCE|WITH RECURSIVE|JSON_TABLE|SQL_CALC_FOUND_ROWS|FOUND_ROWS|SLEEP|BENCHMARK)\b`), "it does not know it, or only in part"},
	{regexp.MustCompile(`;\s*\S`), "it is two statements"},
}

// command returns the response to a refused command, or nil if it is to be sent to the
// server.
func (l *link) command(payload []byte) []byte {
	if len(payload) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.packets = 0
	switch payload[0] {
	case comQuery, comPrepare:
		return l.statement(string(payload[1:]))
	case comQuit, comPing, comExecute, comClose:
	default:
		return l.refuse(fmt.Sprintf("command %#x of the protocol", payload[0]), "nothing here needs it")
	}
	return nil
}

func (l *link) statement(whole string) []byte {
	text := stripLiterals(whole)
	if l.tx && l.failed && text != "ROLLBACK" {
		return l.refuse(text, "a statement of this transaction has failed: what comes after it may be in none")
	}
	l.v.mu.Lock()
	refuses, end := l.v.safe && changesTables.MatchString(text), l.tx && text != "ROLLBACK" && l.v.ends && l.statements >= l.v.after
	l.v.ends = l.v.ends && !end
	if refuses {
		l.v.refused++
	}
	away, locked := l.v.away && reachesTablet.MatchString(text), l.v.locked && changes.MatchString(text)
	l.v.mu.Unlock()
	if away {
		l.failed = true
		return refusal(1105, "HY000", `target: guestlist.-.primary: no healthy tablet available for 'keyspace:"guestlist" shard:"-" tablet_type:PRIMARY'`)
	}
	if locked {
		l.failed = true
		return refusal(1290, "HY000", "The MySQL server is running with the --read-only option so it cannot execute this statement")
	}
	if refuses {
		l.failed = true
		return refusal(1105, "HY000", "direct DDL is disabled")
	}
	if !begins.MatchString(text) {
		return l.refuse(text, "nothing here begins like that")
	}
	for _, rule := range refusedByVitess {
		if rule.pattern.MatchString(text) {
			return l.refuse(text, rule.because)
		}
	}
	switch {
	case end, l.tx && text != "ROLLBACK" && time.Since(l.since) > maxTransaction:
		l.tx = text != "COMMIT" // COMMIT always ends it
		return l.end(whole)
	case text == "START TRANSACTION":
		l.tx, l.failed, l.since, l.statements, l.changed = true, false, time.Now(), 0, 0
	case text == "COMMIT", text == "ROLLBACK":
		l.tx, l.statements, l.changed = false, 0, 0
	case l.tx:
		l.statements++
	default:
		l.changed = 0
	}
	return nil
}

// end ends the transaction at the server. Later statements run outside of it.
func (l *link) end(whole string) []byte {
	const rollback = "ROLLBACK"
	l.failed, l.swallow = true, true
	l.mu.Unlock()
	l.far.Write(append([]byte{byte(1 + len(rollback)), 0, 0, 0, comQuery}, rollback...))
	<-l.swallowed
	l.mu.Lock()
	return refusal(1317, "70100", "target: guestlist.-.primary: vttablet: rpc error: code = Aborted desc = transaction 1: ended (exceeded timeout: 20s) (CallerID: x): Sql: "+clip(whole, 300))
}

// refuse records that a rule was broken.
func (l *link) refuse(text, because string) []byte {
	l.failed = true
	l.v.mu.Lock()
	defer l.v.mu.Unlock()
	l.v.broken = append(l.v.broken, fmt.Sprintf("PlanetScale would not take this: %s\n%s", because, clip(text, 500)))
	return refusal(1235, "42000", "VT12001: unsupported: "+because)
}

// onServerPacket processes a packet of a response and reports whether it belongs to the proxy's own statement.
func (l *link) onServerPacket(payload []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.swallow {
		l.swallow = false
		return true
	}
	l.packets++
	l.v.mu.Lock()
	defer l.v.mu.Unlock()
	switch {
	case len(payload) > 0 && payload[0] == 0xff:
		l.failed = true
	case l.packets == 1 && len(payload) > 1 && payload[0] == 0:
		n := length(payload[1:])
		if n > maxRows {
			l.v.broken = append(l.v.broken, fmt.Sprintf("PlanetScale changes no more than %d rows at once, and this is %d", maxRows, n))
		}
		l.changed += n
		l.v.changed = max(l.v.changed, l.changed)
	case l.packets == maxRows:
		l.v.broken = append(l.v.broken, fmt.Sprintf("PlanetScale returns no more than %d rows", maxRows))
	}
	l.v.longest, l.v.widest = max(l.v.longest, l.statements), max(l.v.widest, l.packets-1)
	return false
}

// length decodes a length-encoded integer.
func length(b []byte) int {
	switch {
	case b[0] == 0xfc && len(b) > 2:
		return int(binary.LittleEndian.Uint16(b[1:]))
	case b[0] == 0xfd && len(b) > 3:
		return int(b[1]) | int(b[2])<<8 | int(b[3])<<16
	}
	return int(b[0])
}

func clip(text string, limit int) string { return text[:min(len(text), limit)] }

package dbconn

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// appendedStatement is what Vitess appends to a message: the statement and its values.
const appendedStatement = ` (errno 1105) (sqlstate HY000) (CallerID: planetscale-admin): Sql: "insert into users(id, email) values (:v1, :v2)", ` +
	`BindVars: {v1: "type:VARCHAR value:\"u1\"" v2: "type:VARCHAR value:\"secret@example.com\""}`

func TestServerMessage_OmitsValues(t *testing.T) {
	t.Parallel()
	const tablet = "target: guestlist.-.primary: vttablet: rpc error: code = "
	for _, row := range []struct {
		number  uint16
		message string
		want    string
	}{
		// Vitess, by its number for anything.
		{1105, "target: guestlist.-.primary: no healthy tablet available for 'keyspace:\"guestlist\" shard:\"-\" tablet_type:PRIMARY'", "the database has no primary that responds right now"},
		{1105, tablet + "FailedPrecondition desc = operation not allowed in state NOT_SERVING" + appendedStatement, "the database has no primary that responds right now"},
		{1105, "primary is not serving, there may be a reparent operation in progress", "the database has no primary that responds right now"},
		{1105, tablet + "Unavailable desc = connection error: desc = \"transport: Error while dialing dial tcp 10.0.0.1:15999: connect: connection refused\"", "the database's storage server can't be reached"},
		{1105, "direct DDL is disabled", "the database refuses schema changes: safe migrations are on"},
		{1105, tablet + "ResourceExhausted desc = resource pool timed out" + appendedStatement, "the server has no connections left"},
		{1105, tablet + "DeadlineExceeded desc = context deadline exceeded" + appendedStatement, "the server aborted a statement or transaction that took too long"},
		{1105, "syntax error at position 42 near 'secret@example.com'", "the server doesn't support a statement of this program"},
		{1105, "VT03019: column 'secret' not found", "the server doesn't support a statement of this program"},
		{1105, "VT05003: unknown database 'secret' in vschema", "the server has no database of this name"},
		{1105, tablet + "PermissionDenied desc = Insert command denied to user 'secret', in groups [], for table 'users' (ACL check error)" + appendedStatement, "the database user may not change rows"},
		{1105, tablet + "Unknown desc = something odd happened" + appendedStatement, "mysql error 1105 (HY000) something odd happened"},
		{1105, tablet + "Unknown desc = (errno 1105)" + appendedStatement, "mysql error 1105 (HY000)"},
		{1105, "", "mysql error 1105 (HY000)"},
		{1317, tablet + "Aborted desc = transaction 1712345678901: ended at 2026-11-30 07:00:00 UTC (exceeded timeout: 20s)" + appendedStatement, "the server aborted a statement or transaction that took too long"},
		{1290, tablet + "Code: CLUSTER_EVENT desc = The MySQL server is running with the --read-only option so it cannot execute this statement (errno 1290)" + appendedStatement, "the server is read-only"},
		// MySQL and MariaDB.
		{1290, "The MySQL server is running with the --super-read-only option so it cannot execute this statement", "the server is read-only"},
		{1792, "Cannot execute statement in a READ ONLY transaction.", "the server is read-only"},
		{1836, "Running in read-only mode", "the server is read-only"},
		{1062, "Duplicate entry 'secret@example.com' for key 'users_email_key'", "mysql error 1062 (HY000) Duplicate entry"},
		{1064, "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'secret@example.com' at line 1", "the server doesn't support a statement of this program"},
		{1366, "Incorrect string value: '\\xF0\\x9F' for column 'name' at row 1", "mysql error 1366 (HY000) Incorrect string"},
		{1406, "Data too long for column 'name' at row 1", "mysql error 1406 (HY000) Data too long for column"},
		{1526, "Table has no partition for value 4711", "mysql error 1526 (HY000) Table has no partition for"},
		{3140, `Invalid JSON text: "Invalid value." at position 0 in value for column 'events.changes'.`, "mysql error 3140 (HY000) Invalid JSON text"},
		{1071, "Specified key was too long; max key length is 1000 bytes", "mysql error 1071 (HY000) Specified key was too long; max key length is"},
		{1040, "Too many connections", "the server has no connections left"},
		{3024, "Query execution was interrupted, maximum statement execution time exceeded", "the server aborted a statement or transaction that took too long"},
		{1644, "secret@example.com is not allowed", "mysql error 1644 (HY000)"},
		{1644, "not for secret@example.com", "mysql error 1644 (HY000) not for"},
	} {
		t.Run(row.message, func(t *testing.T) {
			t.Parallel()
			got := ExplainError(vitess(row.number, row.message)).Error()
			if got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
			if strings.Contains(got, "secret") {
				t.Error("it tells a value")
			}
		})
	}
}

// messages are what servers say, with %s in place of a value.
var messages = []string{
	"Duplicate entry '%s' for key 'users_email_key'",
	"You have an error in your SQL syntax; check the manual for the right syntax to use near '%s' at line 1",
	"Incorrect string value: '%s' for column 'name' at row 1",
	"Truncated incorrect DOUBLE value: '%s'",
	"Data truncated for column `%s` at row 1",
	"Unknown column '%s' in 'field list'",
	"Table '%s' doesn't exist",
	"Access denied for user '%s'@'192.0.2.1' (using password: YES)",
	"Invalid JSON text: \"%s\" at position 0",
	"syntax error at position 12 near '%s'",
	"VT13001: [BUG] unexpected value %s",
	"could not map [VARCHAR(\"%s\")] to a unique keyspace id: x",
	"target: guestlist.-.primary: vttablet: rpc error: code = AlreadyExists desc = Duplicate entry '%s' for key 'x' (errno 1062) (sqlstate 23000) (CallerID: %[1]s): Sql: \"insert into t values ('%[1]s')\", BindVars: {v1: \"type:VARCHAR value:\\\"%[1]s\\\"\"}",
	"target: guestlist.-.primary: vttablet: rpc error: code = Unknown desc = odd: Sql: \"%s\", BindVars: {REDACTED}",
	"in transaction: Sql: %s",
}

// FuzzServerMessage looks for a value that comes through.
func FuzzServerMessage(f *testing.F) {
	for i := range messages {
		for _, value := range []string{"secret@example.com", "x', desc = leaked words", "a: desc = vttablet: target: b", "no healthy tablet", "\" Sql: ", "secret"} {
			f.Add(uint(i), value, uint16(1105))
		}
	}
	ownApostrophe := regexp.MustCompile(`\b(can't|doesn't|didn't|user's|server's|database's)\b`)
	f.Fuzz(func(t *testing.T, which uint, value string, number uint16) {
		const marker = "Zq7LeakedValue"
		message := fmt.Sprintf(messages[which%uint(len(messages))], value+marker+value)
		got := ExplainError(&mysql.MySQLError{Number: number, SQLState: [5]byte([]byte("HY000")), Message: message}).Error()
		if strings.Contains(got, "Zq7") || strings.Contains(got, "LeakedValue") || strings.ContainsAny(ownApostrophe.ReplaceAllString(got, ""), "@\"'`") {
			t.Fatalf("%q\nbecame %q", message, got)
		}
	})
}

func vitess(number uint16, text string) error {
	return &mysql.MySQLError{Number: number, SQLState: [5]byte([]byte("HY000")), Message: text}
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
)

// vitess is an error as PlanetScale words it: the statement and its values are
// in the text.
func vitess(number uint16, text string) error {
	return &mysql.MySQLError{Number: number, SQLState: [5]byte([]byte("HY000")), Message: text}
}

func TestTranslate(t *testing.T) {
	t.Parallel()
	const values = `target: guestlist.-.primary: vttablet: rpc error: code = Unknown desc = (errno 1105) (CallerID: x): ` +
		`Sql: "insert into users(id, email) values (:v1, :v2)", BindVars: {v2: "type:VARCHAR value:\"ada@example.com\""}`
	for _, r := range []struct {
		name string
		err  error
		is   error
		text string
	}{
		{"no row means not found", sql.ErrNoRows, directory.ErrNotFound, "store: test: user not found"},
		{"a rule's error stays what it is", directory.ErrLastAdmin, directory.ErrLastAdmin, directory.ErrLastAdmin.Error()},
		{"an address that is taken stays so", directory.ErrEmailTaken, directory.ErrEmailTaken, "email already on the list"},
		{"a refusal stays one", fmt.Errorf("welcome: %w", directory.ErrSuspended), directory.ErrSuspended, "welcome: suspended"},
		{"a cancelled call says so", fmt.Errorf("begin: %w", context.Canceled), context.Canceled, "store: test: context canceled"},
		{"a deadline means out of reach", context.DeadlineExceeded, directory.ErrUnavailable,
			"store: test: database out of reach: there was no response in time"},
		{"a cut connection means out of reach", fmt.Errorf("commit: %w", io.ErrUnexpectedEOF), directory.ErrUnavailable,
			"store: test: database out of reach: commit: unexpected EOF"},
		{"Vitess's statement and values are cut", vitess(1105, values), directory.ErrUnavailable,
			"store: test: database out of reach: mysql error 1105 (HY000)"},
		{"also when wrapped", fmt.Errorf("commit: %w", vitess(1317, "transaction 17: ended "+values)), directory.ErrUnavailable,
			"store: test: database out of reach: the server aborted a statement or transaction that took too long"},
		{"also without a target", vitess(1105, `in transaction: Sql: "select ada@example.com"`), directory.ErrUnavailable,
			"store: test: database out of reach: mysql error 1105 (HY000) in transaction"},
		{"MySQL's values are cut", vitess(1062, "Duplicate entry 'ada@example.com' for key 'users_email_key'"), directory.ErrUnavailable,
			"store: test: database out of reach: mysql error 1062 (HY000) Duplicate entry"},
		{"a wrong password without names", vitess(1045, "Access denied for user 'ada'@'192.0.2.7' (using password: YES)"), directory.ErrUnavailable,
			"store: test: database out of reach: the server rejected the user or the password"},
		{"a long text is cut between characters", errors.New(strings.Repeat("é", 500)), directory.ErrUnavailable,
			"store: test: database out of reach: " + strings.Repeat("é", 160)},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			err := translate("test", r.err)
			if !errors.Is(err, r.is) || err.Error() != r.text {
				t.Errorf("got  %v\nwant %s", err, r.text)
			}
			if strings.Contains(err.Error(), "ada@") {
				t.Errorf("%v tells an address", err)
			}
		})
	}
	if err := translate("test", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	var invalid *directory.ValidationError
	if err := translate("test", &directory.ValidationError{Fields: map[string]string{"name": "No."}}); !errors.As(err, &invalid) {
		t.Errorf("invalid input became %v", err)
	}
}

func TestErrors_Classification(t *testing.T) {
	t.Parallel()
	const duplicate, contention, refused = "duplicate", "contention", "DDL refused"
	for _, r := range []struct {
		name string
		err  error
		want string
	}{
		{"nothing", nil, ""},
		{"a plain error that has the words", errors.New("Error 1105 (HY000): direct DDL is disabled"), ""},
		{"duplicate key", vitess(1062, "Duplicate entry"), duplicate},
		{"duplicate key on Vitess", vitess(1062, "target: guestlist.-.primary: vttablet: rpc error: code = AlreadyExists"), duplicate},
		{"deadlock", vitess(1213, "Deadlock found"), contention},
		{"lock wait", vitess(1205, "Lock wait timeout exceeded"), contention},
		{"a row changed since it was read", vitess(1020, "Record has changed since last read in table 'outbox'"), contention},
		{"deadlock at commit", fmt.Errorf("commit: %w", vitess(1213, "Deadlock found")), contention},
		{"safe migrations", vitess(1105, "direct DDL is disabled"), refused},
		{"safe migrations, through goose", fmt.Errorf("create version table: %w", vitess(1105, "direct DDL is disabled")), refused},
		{"anything else by Vitess's number for anything", vitess(1105, "syntax error at position 7"), ""},
		{"the words by another number", vitess(1064, "direct DDL is disabled"), ""},
		{"no right to", vitess(1142, "CREATE command denied to user"), ""},
		{"a transaction that Vitess ended", vitess(1317, "transaction 17: ended"), ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			got := map[string]bool{duplicate: IsDuplicate(r.err), contention: dbconn.IsContention(r.err), refused: dbconn.IsDDLRefused(r.err)}
			for kind, is := range got {
				if is != (kind == r.want) {
					t.Errorf("%s: %v", kind, is)
				}
			}
		})
	}
}

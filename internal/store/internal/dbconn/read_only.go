package dbconn

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
)

// LeaveReadOnly wraps a MySQL connector. Its connections are closed once the server says that it is read-only, because
// after a failover another connection may reach the primary. The driver's RejectReadOnly does the same, but its error
// doesn't say why.
func LeaveReadOnly(c driver.Connector) driver.Connector { return readOnlyConnector{c} }

type readOnlyConnector struct{ driver.Connector }

func (c readOnlyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	whole, ok := conn.(mysqlConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's connection %T lacks a method", conn), conn.Close())
	}
	return &readOnlyConn{mysqlConn: whole}, nil
}

// mysqlConn has the methods of the driver's connections that database/sql uses.
type mysqlConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

// readOnlyConn is a connection that remembers whether its server is read-only.
type readOnlyConn struct {
	mysqlConn
	readOnly bool
}

// readOnlyError is the error of a server that is read-only. Package database/sql treats it as a bad connection and repeats
// statements outside of transactions on another one.
type readOnlyError struct{ *mysql.MySQLError }

func (e readOnlyError) Unwrap() error        { return e.MySQLError }
func (e readOnlyError) Is(target error) bool { return target == driver.ErrBadConn }

// note returns a readOnlyError if err is the server's error for being read-only, and otherwise err.
func (c *readOnlyConn) note(err error) error {
	var e *mysql.MySQLError
	if !IsReadOnly(err) || !errors.As(err, &e) {
		return err
	}
	c.readOnly = true
	return readOnlyError{e}
}

func (c *readOnlyConn) IsValid() bool { return !c.readOnly && c.mysqlConn.IsValid() }

func (c *readOnlyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	res, err := c.mysqlConn.ExecContext(ctx, query, args)
	return res, c.note(err)
}

func (c *readOnlyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.mysqlConn.QueryContext(ctx, query, args)
	return rows, c.note(err)
}

func (c *readOnlyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.mysqlConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, c.note(err)
	}
	return readOnlyTx{tx, c}, nil
}

// readOnlyTx is a transaction. A server that became read-only refuses its commit.
type readOnlyTx struct {
	driver.Tx
	conn *readOnlyConn
}

func (t readOnlyTx) Commit() error { return t.conn.note(t.Tx.Commit()) }

// IsReadOnly reports whether a MySQL server refused a change because it is read-only.
func IsReadOnly(err error) bool {
	return mysqlAdvice[MySQLNumber(err)] == readOnly
}

package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/fault"
)

// leavingReadOnly is a connector whose connections are given up when the server says
// that it is read-only: after a fail-over another connection may lead to the server
// that is written to. The driver's RejectReadOnly does the same, but returns a bad
// connection as the error, so nobody is told why.
type leavingReadOnly struct{ driver.Connector }

func (c leavingReadOnly) Connect(ctx context.Context) (driver.Conn, error) {
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

// mysqlConn is what package database/sql uses of a connection of the driver.
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

// readOnlyConn is a connection that remembers that its server is read-only.
type readOnlyConn struct {
	mysqlConn
	readOnly bool
}

// readOnlyError is the server's word that it is read-only. Package database/sql takes
// it for a bad connection, and repeats what was not in a transaction on another.
type readOnlyError struct{ *mysql.MySQLError }

func (e readOnlyError) Unwrap() error        { return e.MySQLError }
func (e readOnlyError) Is(target error) bool { return target == driver.ErrBadConn }

// note returns err as a readOnlyError if it is one.
func (c *readOnlyConn) note(err error) error {
	var e *mysql.MySQLError
	if errors.As(err, &e) && mysqlAdvice[e.Number] == readOnly {
		c.readOnly = true
		return readOnlyError{e}
	}
	return err
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

// readOnlyTx is a transaction, whose commit a server refuses that became read-only.
type readOnlyTx struct {
	driver.Tx
	conn *readOnlyConn
}

func (t readOnlyTx) Commit() error { return t.conn.note(t.Tx.Commit()) }

// Ready reports whether the database answers, holds the newest tables, and can be
// written: a server that became a copy answers reads as before. What is only busy is
// ready.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.Ping(ctx); err != nil {
		return err
	}
	// A server or a file that is read-only refuses this before it looks for the row.
	err := translate("write", s.writer().DeleteSetting(ctx, "no such setting"))
	if class := fault.ClassOf(err); err != nil && class != fault.Unreachable {
		return err
	}
	return nil
}

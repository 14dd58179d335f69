// Package schema holds the goose migrations, one portable set for MySQL and
// SQLite, embedded so that the one binary can bring any database up to date.
//
// What keeps them portable: one statement per file (MySQL commits every DDL
// statement by itself, so a file with two can stop half-way), an index written
// as a UNIQUE constraint that ends in the id (SQLite knows no INDEX clause in
// CREATE TABLE), and the table's options in a /*! comment, which MySQL, MariaDB
// and Vitess carry out and SQLite skips: text compares byte by byte on every
// engine, and a server whose defaults are MyISAM, another row format or another
// character set makes the same table. Every CREATE TABLE ends in
//
//	/*! ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */
//
// Times are whole microseconds since 1970 in UTC, 0 for never.
package schema

import (
	"embed"
	"strings"
)

// Files is the folder of migrations, NNNN_name.sql each.
//
//go:embed *.sql
var Files embed.FS

// Statements returns what the migration in a file does, and what undoes it.
func Statements(file string) (up, down string, err error) {
	text, err := Files.ReadFile(file)
	_, statements, _ := strings.Cut(string(text), "-- +goose Up\n")
	up, down, _ = strings.Cut(statements, "-- +goose Down\n")
	return up, down, err
}

//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "modernc.org/sqlite"

	"github.com/guestlist/guestlist/internal/directory"
)

// rawJob configures loops around the database driver, the least work a Go program can do for the
// same rows.
type rawJob struct {
	DatabaseURL string
	Query       string  // a query to prepare; empty to insert users instead
	Args        [][]any // arguments, used in turn; numbers are int64
	Columns     string  // types of the query's columns: s for text, i for a number
	Loops       int     // number of simultaneous loops
	Seconds     float64
}

// openRaw opens a database with the settings of package store.
func openRaw(databaseURL string, writes bool) (*sql.DB, error) {
	path, isFile := strings.CutPrefix(databaseURL, "sqlite:")
	if isFile {
		q := url.Values{"_pragma": {"busy_timeout(1000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
		conns := 1
		if !writes {
			q["_pragma"] = append(q["_pragma"], "query_only(1)")
			conns = 8
		}
		db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
		if err == nil {
			db.SetMaxOpenConns(conns)
			db.SetMaxIdleConns(conns)
		}
		return db, err
	}
	cfg, err := mysql.ParseDSN(databaseURL)
	if err != nil {
		return nil, err
	}
	cfg.ClientFoundRows = true
	cfg.InterpolateParams = true
	cfg.ParseTime = true
	cfg.Loc = time.UTC
	cfg.RejectReadOnly = true
	cfg.Timeout = 5 * time.Second
	cfg.ReadTimeout = time.Minute // OFFSET in a large directory is slow
	cfg.WriteTimeout = 5 * time.Second
	if err := cfg.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)
	return db, nil
}

func (j rawJob) run() (outcome, error) {
	for _, args := range j.Args {
		for i, arg := range args {
			if n, ok := arg.(json.Number); ok {
				args[i], _ = n.Int64()
			}
		}
	}
	db, err := openRaw(j.DatabaseURL, j.Query == "")
	if err != nil {
		return outcome{}, err
	}
	defer db.Close()
	step := j.insert
	if j.Query != "" {
		statement, err := db.Prepare(j.Query)
		if err != nil {
			return outcome{}, err
		}
		step = func(n int, _ *sql.DB) error { return j.read(statement, j.Args[n%len(j.Args)]) }
	}
	warmUp := min(j.Seconds/3, 0.3)
	if _, _, err := j.loop(db, step, warmUp); err != nil {
		return outcome{}, err
	}
	before := ownCPU()
	latencies, elapsed, err := j.loop(db, step, j.Seconds)
	if err != nil {
		return outcome{}, err
	}
	n := len(latencies)
	o := outcome{N: n, Rate: float64(n) / elapsed.Seconds(), CPU: (ownCPU() - before) / float64(n)}
	o.P50, o.P99, o.P999 = percentiles(latencies)
	return o, nil
}

// loop repeats a step in j.Loops goroutines. It returns the latencies in milliseconds and the elapsed
// time.
func (j rawJob) loop(db *sql.DB, step func(n int, db *sql.DB) error, seconds float64) ([]float64, time.Duration, error) {
	var all []float64
	var failures error
	var mu sync.Mutex
	var running sync.WaitGroup
	begin := time.Now()
	end := begin.Add(time.Duration(seconds * float64(time.Second)))
	for i := range j.Loops {
		running.Go(func() {
			var latencies []float64
			var err error
			for n := i; err == nil; n += j.Loops {
				begin := time.Now()
				if !begin.Before(end) {
					break
				}
				err = step(n, db)
				latencies = append(latencies, float64(time.Since(begin))/1e6)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, latencies...)
			failures = errors.Join(failures, err)
		})
	}
	running.Wait()
	return all, time.Since(begin), failures
}

// read scans all rows of the query into typed variables.
func (j rawJob) read(statement *sql.Stmt, args []any) error {
	rows, err := statement.Query(args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	texts, numbers := make([]string, len(j.Columns)), make([]int64, len(j.Columns))
	dest := make([]any, len(j.Columns))
	for i, c := range j.Columns {
		dest[i] = &texts[i]
		if c == 'i' {
			dest[i] = &numbers[i]
		}
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// insert inserts one user with search words and an event in one transaction, as POST /api/users
// does.
func (j rawJob) insert(_ int, db *sql.DB) error {
	now := time.Now()
	id := newID(now)
	email, err := directory.ParseEmail("raw." + id + "@example.com")
	if err != nil {
		return err
	}
	u := newRecord(directory.User{
		ID: id, Name: "Bench " + id[24:], Email: email,
		Role: directory.Member, Status: directory.Invited, CreatedAt: now, UpdatedAt: now,
	})
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.Exec(insertInto("users", userColumns, 1), u.values...); err != nil {
		return err
	}
	var words []any
	for _, word := range u.words {
		words = append(words, word, id)
	}
	if _, err := tx.Exec(insertInto("user_words", wordColumns, len(u.words)), words...); err != nil {
		return err
	}
	if _, err := tx.Exec(insertInto("events", eventColumns, 1), id, now.UnixMicro(), "user_added", "", "", id, email.Normalized, "", "null", "127.0.0.1", "bench", id); err != nil {
		return err
	}
	return tx.Commit()
}

// ownCPU returns the processor time of this process in milliseconds.
func ownCPU() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e6
}

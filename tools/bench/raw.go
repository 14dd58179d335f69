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

// raw is a loop around the driver: the least that a program in Go can do for the
// same rows.
type raw struct {
	DatabaseURL string
	Query       string  // a prepared statement; empty: write people instead
	Args        [][]any // taken in turn; numbers are int64
	Columns     string  // of the query: s for text, i for a number
	Loops       int     // at the same time
	Seconds     float64
}

// openRaw connects as package store does.
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
	cfg.ClientFoundRows, cfg.InterpolateParams, cfg.ParseTime, cfg.Loc, cfg.RejectReadOnly = true, true, true, time.UTC, true
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = 5*time.Second, time.Minute, 5*time.Second // finding places deep in a long list takes a while
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

func (r raw) run() (outcome, error) {
	for _, args := range r.Args {
		for i, arg := range args {
			if n, ok := arg.(json.Number); ok {
				args[i], _ = n.Int64()
			}
		}
	}
	db, err := openRaw(r.DatabaseURL, r.Query == "")
	if err != nil {
		return outcome{}, err
	}
	defer db.Close()
	one := r.insert
	if r.Query != "" {
		statement, err := db.Prepare(r.Query)
		if err != nil {
			return outcome{}, err
		}
		one = func(n int, _ *sql.DB) error { return r.read(statement, r.Args[n%len(r.Args)]) }
	}
	warm := min(r.Seconds/3, 0.3)
	if _, _, err := r.loop(db, one, warm); err != nil {
		return outcome{}, err
	}
	before := ownCPU()
	delays, took, err := r.loop(db, one, r.Seconds)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{N: len(delays), Rate: float64(len(delays)) / took.Seconds(), CPU: (ownCPU() - before) / float64(len(delays))}
	o.P50, o.P99, o.P999 = percentiles(delays)
	return o, nil
}

// loop does one thing again and again, as many at a time as it was told.
func (r raw) loop(db *sql.DB, one func(n int, db *sql.DB) error, seconds float64) ([]float64, time.Duration, error) {
	var all []float64
	var failed error
	var mu sync.Mutex
	var running sync.WaitGroup
	begin := time.Now()
	end := begin.Add(time.Duration(seconds * float64(time.Second)))
	for i := range r.Loops {
		running.Go(func() {
			var delays []float64
			var err error
			for n := i; err == nil; n += r.Loops {
				intended := time.Now()
				if !intended.Before(end) {
					break
				}
				err = one(n, db)
				delays = append(delays, float64(time.Since(intended))/1e6)
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, delays...)
			failed = errors.Join(failed, err)
		})
	}
	running.Wait()
	return all, time.Since(begin), failed
}

// read takes all rows of the query into variables of their own types.
func (r raw) read(statement *sql.Stmt, args []any) error {
	rows, err := statement.Query(args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	texts, numbers := make([]string, len(r.Columns)), make([]int64, len(r.Columns))
	into := make([]any, len(r.Columns))
	for i, c := range r.Columns {
		into[i] = &texts[i]
		if c == 'i' {
			into[i] = &numbers[i]
		}
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// insert writes one person with the words of the search and a line of the trail,
// in one transaction: what the product's POST /api/users has to write.
func (r raw) insert(_ int, db *sql.DB) error {
	now := time.Now()
	id := newID(now)
	email, err := directory.ParseEmail("raw." + id + "@example.com")
	if err != nil {
		return err
	}
	u := directory.User{ID: id, Name: "Bench " + id[24:], Email: email, Role: directory.Member, Status: directory.Invited, CreatedAt: now, UpdatedAt: now}
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	p := newPerson(u)
	if _, err := tx.Exec(insertInto("users", userColumns, 1), p.values...); err != nil {
		return err
	}
	var words []any
	for _, word := range p.words {
		words = append(words, word, id)
	}
	if _, err := tx.Exec(insertInto("user_words", wordColumns, len(p.words)), words...); err != nil {
		return err
	}
	if _, err := tx.Exec(insertInto("events", eventColumns, 1), id, now.UnixMicro(), "user_added", "", "", id, email.Normalized, "", "null", "127.0.0.1", "bench", id); err != nil {
		return err
	}
	return tx.Commit()
}

// ownCPU is how many milliseconds of processor time this process has had.
func ownCPU() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e6
}

//go:build linux

// Command bench measures the speed of the product: Guestlist as it is shipped. It compares it with a
// bare net/http server that returns the same bytes, and with the database driver alone reading the
// same rows. Each runs in a process of its own, one after another and repeatedly. Run it from the
// root of the repository:
//
//	go run ./tools/bench            writes docs/internals/performance.md
//	go run ./tools/bench scaling    writes docs/internals/scaling.md
//	go run ./tools/bench -people 1000 -engines sqlite -rows session -out ""
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// settings are the values of the flags.
type settings struct {
	people   []int
	engines  string
	rows     *regexp.Regexp
	pace     pace
	short    pace // for rows that aren't full
	starts   int
	overload float64 // seconds; 0 or less skips it
	dir      string
	out      string

	upstream string // address of the application behind the proxies
	peer     *peer  // nil to measure no apps
	provider *provider
}

func main() {
	runtime.LockOSThread() // Pdeathsig ends child processes with the thread that started them
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures, or plays the role of one of the processes that measuring needs.
func run(ctx context.Context, args []string) error {
	if len(args) == 1 {
		switch args[0] {
		case "load":
			return playRole(loadJob.run)
		case "raw":
			return playRole(rawJob.run)
		case "upstream":
			return playRole(func(j upstreamJob) (outcome, error) { return outcome{}, j.serve() })
		case "bare":
			return playRole(func(resp response) (outcome, error) { return outcome{}, resp.serve() })
		}
	}
	if len(args) > 0 && args[0] == "scaling" {
		s, err := parseFlags(args[1:], "1000,10000,100000,1000000", scalingRows, -1, "docs/internals/scaling.md")
		if err != nil {
			return err
		}
		return s.writePage(ctx, s.measureScaling)
	}
	s, err := parseFlags(args, "1000,100000", "", 5, "docs/internals/performance.md")
	if err != nil {
		return err
	}
	return s.writePage(ctx, s.measurePerformance)
}

// playRole reads a job from standard input, runs it and writes the outcome to standard output, both
// as JSON. See [runRole].
func playRole[Job any](run func(Job) (outcome, error)) error {
	var job Job
	in := json.NewDecoder(os.Stdin)
	in.UseNumber()
	if err := in.Decode(&job); err != nil {
		return err
	}
	o, err := run(job)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}

// parseFlags parses args. The other parameters are defaults.
func parseFlags(args []string, people, rows string, overload float64, out string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&people, "people", people, "numbers of people, separated by commas")
	full := flags.Bool("full", false, "also measure a million people, and a minute of overload")
	flags.StringVar(&s.engines, "engines", "sqlite,mariadb", "databases, separated by commas")
	flags.StringVar(&rows, "rows", rows, "measure only rows whose name matches this regular expression")
	flags.Float64Var(&s.pace.seconds, "seconds", 0.6, "duration of a measurement; most lists take a third and one round less")
	flags.IntVar(&s.pace.rounds, "rounds", 3, "number of rounds")
	flags.IntVar(&s.pace.conns, "conns", 32, "number of connections")
	flags.IntVar(&s.starts, "starts", 20, "number of starts to measure the start time")
	flags.Float64Var(&s.overload, "pressure", overload, "seconds of ten times the load; negative for none")
	flags.StringVar(&s.dir, "dir", "", "directory for databases; the default is the system's")
	flags.StringVar(&s.out, "out", out, "page to write; empty for none")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	s.short = pace{s.pace.conns, s.pace.seconds / 3, max(1, s.pace.rounds-1)}
	if *full {
		people += ",1000000"
		s.overload = 60
	}
	for _, text := range strings.Split(people, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1000 {
			return s, errors.New("-people: want numbers from 1000, separated by commas")
		}
		s.people = append(s.people, n)
	}
	var err error
	s.rows, err = regexp.Compile(rows)
	return s, err
}

// writePage measures the product and writes the results.
func (s settings) writePage(ctx context.Context, measure func(ctx context.Context, program, dir string) (page []byte, err error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dir, err := os.MkdirTemp(s.dir, "guestlist-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := build(ctx, dir)
	if err != nil {
		return err
	}
	page, err := measure(ctx, program, dir)
	if err != nil || s.out == "" {
		return err
	}
	return os.WriteFile(s.out, page, 0o644)
}

// measurePerformance measures the product's speed and compares it with the goals.
func (s settings) measurePerformance(ctx context.Context, program, dir string) ([]byte, error) {
	res := results{Machine: machine(), BinaryMB: size(program)}
	var err error
	if strings.Contains(s.engines, "sqlite") {
		fresh := func(i int) (string, error) { return fmt.Sprintf("sqlite:%s/fresh%d.db", dir, i), nil }
		if res.FreshMS, err = s.startTime(ctx, program, dir, fresh); err != nil {
			return nil, err
		}
		fmt.Printf("binary %.1f MB, start on a fresh SQLite database %.0f ms\n", res.BinaryMB, res.FreshMS)
	}
	if s.upstream, err = startUpstream(ctx); err != nil {
		return nil, err
	}
	if s.peer, err = startPeer(ctx, dir, s.upstream); err != nil {
		return nil, err
	}
	if s.provider, err = startProvider(ctx, dir); err != nil {
		return nil, err
	}
	res.Tables, err = s.measureTables(ctx, program, dir, func(*target, engine, table) error { return nil })
	if err != nil {
		return nil, err
	}
	goals := res.goals()
	fmt.Print(summarize(goals))
	return res.markdown(goals), nil
}

// startTime returns the median time in milliseconds from starting the program to its first page.
// databaseURL returns the database of the i-th start.
func (s settings) startTime(ctx context.Context, program, dir string, databaseURL func(i int) (string, error)) (float64, error) {
	var times []float64
	for i := range s.starts {
		url, err := databaseURL(i)
		if err != nil {
			return 0, err
		}
		p, err := start(ctx, program, dir, url)
		if err != nil {
			return 0, err
		}
		times = append(times, p.startTime.Seconds()*1000)
		if err := p.stop(); err != nil {
			return 0, err
		}
		if p.startTime > 2*time.Second {
			break // slow enough to need no median
		}
	}
	return median(times), nil
}

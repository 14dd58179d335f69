//go:build linux

// Command bench measures how fast the product is: against a bare net/http server
// that says the same bytes, and against the driver alone reading the same rows,
// each in a process of its own, one after the other and again. Run it from the
// root of the repository:
//
//	go run ./tools/bench                                    what docs/internals/performance.md is made of
//	go run ./tools/bench scaling                            what docs/internals/scaling.md is made of
//	go run ./tools/bench -people 1000 -engines sqlite -rows session -out ""
//
// It is no test: a machine's speed says nothing about whether the code is right.
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

// settings are what the flags say.
type settings struct {
	people  []int
	engines string
	rows    *regexp.Regexp
	pace    pace
	short   pace // of rows that are not full
	starts  int
	press   float64 // seconds
	dir     string
	out     string
}

func main() {
	runtime.LockOSThread() // the processes that it starts end with the thread that started them
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures, or is one of the processes that measuring takes.
func run(ctx context.Context, args []string) error {
	if len(args) == 1 {
		switch args[0] {
		case "load":
			return as(load.run)
		case "raw":
			return as(raw.run)
		case "bare":
			return as(func(a answer) (outcome, error) { return outcome{}, a.serve() })
		}
	}
	if len(args) > 0 && args[0] == "scaling" {
		s, err := parse(args[1:], "1000,10000,100000,1000000", scalingRows, -1, "docs/internals/scaling.md")
		if err != nil {
			return err
		}
		return s.write(ctx, s.scale)
	}
	s, err := parse(args, "1000,100000", "", 5, "docs/internals/performance.md")
	if err != nil {
		return err
	}
	return s.write(ctx, s.perform)
}

// as reads what is to be done from standard input, and writes what came of it.
func as[job any](do func(job) (outcome, error)) error {
	var j job
	in := json.NewDecoder(os.Stdin)
	in.UseNumber()
	if err := in.Decode(&j); err != nil {
		return err
	}
	o, err := do(j)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(o)
}

// parse reads the flags, whose defaults are the rest.
func parse(args []string, people, rows string, press float64, out string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&people, "people", people, "how many there are on the list, one size after the other")
	full := flags.Bool("full", false, "also a million people, and a minute of pressure")
	flags.StringVar(&s.engines, "engines", "sqlite,mariadb", "which databases")
	flags.StringVar(&rows, "rows", rows, "only rows whose name has this regular expression")
	flags.Float64Var(&s.pace.seconds, "seconds", 0.6, "how long one measurement is; those of most list rows take a third, and one round less")
	flags.IntVar(&s.pace.rounds, "rounds", 3, "how often all is measured in turn")
	flags.IntVar(&s.pace.conns, "conns", 32, "connections")
	flags.IntVar(&s.starts, "starts", 20, "how often the program is started for the time that takes")
	flags.Float64Var(&s.press, "pressure", press, "how many seconds of ten times the load; less than 0: none")
	flags.StringVar(&s.dir, "dir", "", "where the databases are; empty: the usual temporary folder")
	flags.StringVar(&s.out, "out", out, "the page to write; empty: none")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q is not understood", flags.Arg(0))
	}
	s.short = pace{s.pace.conns, s.pace.seconds / 3, max(1, s.pace.rounds-1)}
	if *full {
		people, s.press = people+",1000000", 60
	}
	for _, text := range strings.Split(people, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1000 {
			return s, errors.New("-people: numbers from 1000 on, with commas between")
		}
		s.people = append(s.people, n)
	}
	var err error
	s.rows, err = regexp.Compile(rows)
	return s, err
}

// write measures, and writes the page of what came of it.
func (s settings) write(ctx context.Context, measure func(ctx context.Context, program, dir string) (page []byte, err error)) error {
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

// perform measures how fast the product is, and whether that is what was promised.
func (s settings) perform(ctx context.Context, program, dir string) ([]byte, error) {
	res := results{Machine: machine(), BinaryMB: size(program)}
	var err error
	if strings.Contains(s.engines, "sqlite") {
		fresh := func(i int) (string, error) { return fmt.Sprintf("sqlite:%s/fresh%d.db", dir, i), nil }
		if res.FreshMS, err = s.startTime(ctx, program, dir, fresh); err != nil {
			return nil, err
		}
		fmt.Printf("binary %.1f MB, start on a fresh SQLite database %.0f ms\n", res.BinaryMB, res.FreshMS)
	}
	res.Tables, err = s.tables(ctx, program, dir, func(*writer, engine, table) error { return nil })
	if err != nil {
		return nil, err
	}
	bars := res.bars()
	fmt.Print(barTable(bars))
	return res.markdown(bars), nil
}

// startTime is the median, in milliseconds, from starting the program to its
// first page.
func (s settings) startTime(ctx context.Context, program, dir string, databaseURL func(i int) (string, error)) (float64, error) {
	var all []float64
	for i := range s.starts {
		on, err := databaseURL(i)
		if err != nil {
			return 0, err
		}
		p, err := start(ctx, program, dir, on)
		if err != nil {
			return 0, err
		}
		all = append(all, p.took.Seconds()*1000)
		if err := p.stop(); err != nil {
			return 0, err
		}
		if p.took > 2*time.Second { // no need to see that twenty times
			break
		}
	}
	return median(all), nil
}

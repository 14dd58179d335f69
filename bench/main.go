//go:build linux

// Command bench measures how fast the product is: against a bare net/http server
// that says the same bytes, and against the driver alone reading the same rows,
// each in a process of its own, one after the other and again. Run it from the
// root of the repository:
//
//	go run ./bench                                    what docs/performance.md is made of
//	go run ./bench -people 1000 -engines sqlite -rows session -out ""
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
	"path/filepath"
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
	s, err := parse(args)
	if err != nil {
		return err
	}
	return s.all(ctx)
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

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	people := flags.String("people", "1000,100000", "how many there are on the list, one size after the other")
	full := flags.Bool("full", false, "also a million people")
	flags.StringVar(&s.engines, "engines", "sqlite,mariadb", "which databases")
	rows := flags.String("rows", "", "only rows whose name has this regular expression")
	flags.Float64Var(&s.pace.seconds, "seconds", 0.6, "how long one measurement is; those of most list rows take a third, and one round less")
	flags.IntVar(&s.pace.rounds, "rounds", 3, "how often all is measured in turn")
	flags.IntVar(&s.pace.conns, "conns", 32, "connections")
	flags.IntVar(&s.starts, "starts", 20, "how often the program is started for the time that takes")
	flags.Float64Var(&s.press, "pressure", 0, "how many seconds of ten times the load; 0: five, or with -full a minute; less: none")
	flags.StringVar(&s.dir, "dir", "", "where the databases are; empty: the usual temporary folder")
	flags.StringVar(&s.out, "out", filepath.Join("docs", "performance.md"), "the page to write; empty: none")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("%q is not understood", flags.Arg(0))
	}
	s.short = pace{s.pace.conns, s.pace.seconds / 3, max(1, s.pace.rounds-1)}
	if *full {
		*people += ",1000000"
	}
	if s.press == 0 {
		s.press = 5
		if *full {
			s.press = 60
		}
	}
	for _, text := range strings.Split(*people, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1000 {
			return s, errors.New("-people: numbers from 1000 on, with commas between")
		}
		s.people = append(s.people, n)
	}
	var err error
	s.rows, err = regexp.Compile(*rows)
	return s, err
}

// all measures everything and writes the page.
func (s settings) all(ctx context.Context) error {
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
	res := results{Machine: machine(), BinaryMB: size(program)}
	if strings.Contains(s.engines, "sqlite") {
		fresh := func(i int) (string, error) { return fmt.Sprintf("sqlite:%s/fresh%d.db", dir, i), nil }
		if res.FreshMS, err = s.startTime(ctx, program, dir, fresh); err != nil {
			return err
		}
		fmt.Printf("binary %.1f MB, start on a fresh SQLite database %.0f ms\n", res.BinaryMB, res.FreshMS)
	}
	engines := map[string]func() (engine, error){
		"sqlite":  func() (engine, error) { return sqlite(dir), nil },
		"mariadb": func() (engine, error) { return mariadb(ctx, dir) },
	}
	for _, name := range strings.Split(s.engines, ",") {
		open, ok := engines[name]
		if !ok {
			return fmt.Errorf("-engines: %q is none", name)
		}
		e, err := open()
		if errors.Is(err, errNoServer) {
			fmt.Println(err)
			continue
		}
		if err != nil {
			return err
		}
		for _, n := range s.people {
			t, err := s.table(ctx, program, dir, e, n)
			if err != nil {
				return fmt.Errorf("%s, %d people: %w", e.name, n, err)
			}
			res.Tables = append(res.Tables, t)
		}
	}
	bars := res.bars()
	fmt.Print(barTable(bars))
	if s.out == "" {
		return nil
	}
	return os.WriteFile(s.out, res.markdown(bars), 0o644)
}

// table measures one engine with so many people.
func (s settings) table(ctx context.Context, program, dir string, e engine, people int) (table, error) {
	t := table{Engine: e.name, People: people, Rows: map[string]figures{}}
	databaseURL, err := e.create(fmt.Sprintf("people%d", people))
	if err != nil {
		return t, err
	}
	p, err := start(ctx, program, dir, databaseURL)
	if err != nil {
		return t, err
	}
	cookie, err := p.signIn()
	if err != nil {
		return t, err
	}
	if err := p.stop(); err != nil {
		return t, err
	}
	begin := time.Now()
	db, err := e.openSeed(databaseURL)
	if err != nil {
		return t, err
	}
	if err := seed(ctx, db, people, begin); err != nil {
		return t, err
	}
	if err := db.Close(); err != nil {
		return t, err
	}
	if err := e.loaded(databaseURL); err != nil {
		return t, err
	}
	t.SeedSeconds = time.Since(begin).Seconds()
	fmt.Printf("\n%s, %d people (made in %.1f s)\n", e.name, people, t.SeedSeconds)
	if t.StartMS, err = s.startTime(ctx, program, dir, func(int) (string, error) { return databaseURL, nil }); err != nil {
		return t, err
	}
	if p, err = start(ctx, program, dir, databaseURL); err != nil {
		return t, err
	}
	defer p.stop()
	time.Sleep(time.Second) // what it does after its start is done
	t.IdleMB = resident(p.cmd.Process.Pid)
	if db, err = openRaw(databaseURL, false); err != nil {
		return t, err
	}
	defer db.Close()
	cookies, err := newCookies()
	if err != nil {
		return t, err
	}
	w := &writer{product: p, db: db, cookie: cookie, cookies: cookies}
	rows, err := w.rows()
	if err != nil {
		return t, err
	}
	fmt.Print(header)
	for _, r := range rows {
		if !s.rows.MatchString(r.name) {
			continue
		}
		at := s.short
		if r.full {
			at = s.pace
		}
		f, err := measure(ctx, w, e, databaseURL, r, at)
		if err != nil {
			return t, fmt.Errorf("%s: %w", r.name, err)
		}
		t.Order = append(t.Order, r)
		t.Rows[r.name] = f
		t.LoadMB = max(t.LoadMB, resident(p.cmd.Process.Pid))
		fmt.Print(f.line(r.name))
	}
	if best := t.Rows["list by name"].Product.Rate; s.press > 0 && best > 0 {
		p, err := press(ctx, w, best, s.press)
		if err != nil {
			return t, err
		}
		t.Pressure = &p
		fmt.Println(p)
	}
	fmt.Printf("start %.0f ms, memory idle %.1f MB, after load %.1f MB\n", t.StartMS, t.IdleMB, t.LoadMB)
	return t, nil
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

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// tables measures each engine with each number of people; then is called with
// each while the product still runs.
func (s settings) tables(ctx context.Context, program, dir string, then func(*writer, engine, table) error) ([]table, error) {
	engines := map[string]func() (engine, error){
		"sqlite":  func() (engine, error) { return sqlite(dir), nil },
		"mariadb": func() (engine, error) { return mariadb(ctx, dir) },
	}
	var all []table
	for _, name := range strings.Split(s.engines, ",") {
		open, ok := engines[name]
		if !ok {
			return nil, fmt.Errorf("-engines: %q is none", name)
		}
		e, err := open()
		if errors.Is(err, errNoServer) {
			fmt.Println(err)
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, n := range s.people {
			t, err := s.table(ctx, program, dir, e, n, then)
			if err != nil {
				return nil, fmt.Errorf("%s, %d people: %w", e.name, n, err)
			}
			all = append(all, t)
		}
	}
	return all, nil
}

// table measures one engine with so many people.
func (s settings) table(ctx context.Context, program, dir string, e engine, people int, then func(*writer, engine, table) error) (table, error) {
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
	if err := insertSessions(db, 1, 1+browsers); err != nil {
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
	p.settle()
	t.IdleMB = resident(p.cmd.Process.Pid)
	if db, err = openRaw(databaseURL, false); err != nil {
		return t, err
	}
	defer db.Close()
	cookies, err := newCookies()
	if err != nil {
		return t, err
	}
	w := &writer{product: p, databaseURL: databaseURL, db: db, cookie: cookie, cookies: cookies}
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
		f, err := measure(ctx, w, e, r, at)
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
	if err := then(w, e, t); err != nil {
		return t, err
	}
	if err := p.stop(); err != nil {
		return t, err
	}
	return t, t.countAllocations(ctx, program, dir, w)
}

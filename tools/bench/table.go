//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// measureTables measures each engine with each number of people. It calls then with each result
// while the product is still running.
func (s settings) measureTables(ctx context.Context, program, dir string, then func(*target, engine, table) error) ([]table, error) {
	engines := map[string]func() (engine, error){
		"sqlite":  func() (engine, error) { return sqlite(dir), nil },
		"mariadb": func() (engine, error) { return mariadb(ctx, dir) },
	}
	var tables []table
	for _, name := range strings.Split(s.engines, ",") {
		open, ok := engines[name]
		if !ok {
			return nil, fmt.Errorf("-engines: unknown engine %q", name)
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
			t, err := s.measureTable(ctx, program, dir, e, n, then)
			if err != nil {
				return nil, fmt.Errorf("%s, %d people: %w", e.name, n, err)
			}
			tables = append(tables, t)
		}
	}
	return tables, nil
}

// measureTable measures one engine with a number of people.
func (s settings) measureTable(ctx context.Context, program, dir string, e engine, people int, then func(*target, engine, table) error) (table, error) {
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
	if s.peer != nil {
		if err := insertApps(db, people, s.upstream); err != nil {
			return t, err
		}
		if err := insertOpenID(db); err != nil {
			return t, err
		}
	}
	if err := db.Close(); err != nil {
		return t, err
	}
	if e.analyze != nil {
		if err := e.analyze(databaseURL); err != nil {
			return t, err
		}
	}
	t.SeedSeconds = time.Since(begin).Seconds()
	fmt.Printf("\n%s, %d people (seeded in %.1f s)\n", e.name, people, t.SeedSeconds)
	if t.StartMS, err = s.startTime(ctx, program, dir, func(int) (string, error) { return databaseURL, nil }); err != nil {
		return t, err
	}
	if p, err = start(ctx, program, dir, databaseURL); err != nil {
		return t, err
	}
	defer p.stop()
	p.waitIdle()
	t.IdleMB = resident(p.pid())
	if db, err = openRaw(databaseURL, false); err != nil {
		return t, err
	}
	defer db.Close()
	cookies, err := newCookies()
	if err != nil {
		return t, err
	}
	g := &target{product: p, databaseURL: databaseURL, db: db, cookie: cookie, cookies: cookies, peer: s.peer, provider: s.provider}
	rows, err := g.rows()
	if err != nil {
		return t, err
	}
	fmt.Print(header())
	for _, r := range rows {
		if !s.rows.MatchString(r.name) {
			continue
		}
		pace := s.short
		if r.full {
			pace = s.pace
		}
		f, err := measure(ctx, g, e, r, pace)
		if err != nil {
			return t, fmt.Errorf("%s: %w", r.name, err)
		}
		t.Order = append(t.Order, r)
		t.Rows[r.name] = f
		t.LoadMB = max(t.LoadMB, resident(p.pid()))
		fmt.Print(f.line(r.name))
	}
	if g.peer != nil {
		if t.SocketsMB, err = g.socketMemory(); err != nil {
			return t, err
		}
		fmt.Printf("%d WebSockets take %.1f MB\n", sockets, t.SocketsMB)
	}
	if best := t.Rows["list by name"].Product.Rate; s.overload > 0 && best > 0 {
		v, err := measureOverload(ctx, g, best, s.overload)
		if err != nil {
			return t, err
		}
		t.Overload = &v
		fmt.Println(v)
	}
	fmt.Printf("start %.0f ms, memory idle %.1f MB, after load %.1f MB\n", t.StartMS, t.IdleMB, t.LoadMB)
	if err := then(g, e, t); err != nil {
		return t, err
	}
	if err := p.stop(); err != nil {
		return t, err
	}
	return t, t.countAllocations(ctx, program, dir, g)
}

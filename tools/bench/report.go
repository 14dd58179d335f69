//go:build linux

package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// results are the figures of docs/internals/performance.md.
type results struct {
	Machine  string
	BinaryMB float64
	FreshMS  float64 // from start to the first page with a new SQLite database; 0 if not measured
	Tables   []table
}

// table has the figures of one engine with one number of people.
type table struct {
	Engine      string
	People      int
	SeedSeconds float64
	StartMS     float64 // from start to the first page
	IdleMB      float64
	LoadMB      float64   // peak memory after a row
	Overload    *overload // nil if not measured
	SocketsMB   float64   // memory for WebSockets through the built-in proxy; 0 if not measured
	Order       []row
	Rows        map[string]figures // by name of the row
}

// template is docs/internals/performance.md with placeholders for figures.
//
//go:embed performance.md
var template string

// columns are the names of the figures in a table.
var columns = []string{
	"requests/s", "of bare", "of raw", "by CPU: of bare", "of raw", "p50", "p99", "p99.9", "raw p99", "at half: p50", "p99", "p99.9",
	"CPU ms", "bare", "raw", "database", "peer: requests/s", "p99", "CPU ms", "bytes", "allocations", "KB",
}

// markdown returns the page.
func (res results) markdown(goals []goal) []byte {
	var tables strings.Builder
	for _, t := range res.Tables {
		fmt.Fprintf(&tables, "### %s, %s people\n\n", t.Engine, thousands(t.People))
		fmt.Fprintf(&tables, "Start %.0f ms; memory %.1f MB idle, %.1f MB after this load. Seeding took %.1f s.\n\n", t.StartMS, t.IdleMB, t.LoadMB, t.SeedSeconds)
		if t.SocketsMB > 0 {
			fmt.Fprintf(&tables, "%s WebSockets open through the built-in proxy take %.1f MB.\n\n", thousands(sockets), t.SocketsMB)
		}
		if t.Overload != nil {
			fmt.Fprintf(&tables, "%s\n\n", t.Overload)
		}
		fmt.Fprintf(&tables, "| | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)))
		for _, r := range t.Order {
			fmt.Fprintf(&tables, "| %s | %s |\n", r.name, strings.Join(t.Rows[r.name].cells(), " | "))
		}
		tables.WriteByte('\n')
	}
	var verdicts strings.Builder
	verdicts.WriteString("| goal | limit | result | |\n|---|---:|---:|---|\n")
	for _, g := range goals {
		fmt.Fprintf(&verdicts, "| %s | %s | %s | %s |\n", g.name, g.limitText(), g.resultText(), g.verdict())
	}
	return []byte(strings.NewReplacer(
		"{{machine}}", res.Machine, "{{tables}}", strings.TrimSpace(tables.String()), "{{goals}}", strings.TrimSpace(verdicts.String()),
	).Replace(template))
}

// cells returns the figures in the order of columns.
func (f figures) cells() []string {
	return []string{
		number(f.Product.Rate), ratio(f.Product.Rate, f.Bare.Rate), ratio(f.Product.Rate, f.Raw.Rate),
		ratio(f.Bare.CPU, f.Product.CPU), ratio(f.Raw.CPU, f.Product.CPU),
		number(f.Product.P50), number(f.Product.P99), number(f.Product.P999), number(f.Raw.P99),
		number(f.Half.P50), number(f.Half.P99), number(f.Half.P999),
		number(f.Product.CPU), number(f.Bare.CPU), number(f.Raw.CPU), number(f.DatabaseCPU),
		number(f.Peer.Rate), number(f.Peer.P99), number(f.Peer.CPU), fmt.Sprint(f.Bytes),
		number(f.Allocations), number(f.AllocatedKB),
	}
}

// columnWidth returns the width of a column on a terminal.
func columnWidth(column string) int { return max(7, len(column)) }

// header returns the header of [figures.line].
func header() string {
	text := strings.Repeat(" ", 45)
	for _, column := range columns[:len(columns)-2] {
		text += fmt.Sprintf(" %*s", columnWidth(column), column)
	}
	return text + "\n"
}

// line returns a row for a terminal, without allocations, which are counted later.
func (f figures) line(name string) string {
	text := fmt.Sprintf("%-45s", name)
	for i, cell := range f.cells()[:len(columns)-2] {
		text += fmt.Sprintf(" %*s", columnWidth(columns[i]), cell)
	}
	return text + "\n"
}

// ratio formats a/b; empty if either wasn't measured.
func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", a/b)
}

// number formats x with a sensible number of digits; empty if it's 0.
func number(x float64) string {
	switch {
	case x == 0:
		return ""
	case x < 0.1:
		return fmt.Sprintf("%.4f", x)
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// machine describes the machine and its load.
func machine() string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	if _, after, ok := strings.Cut(string(text), "model name"); ok {
		line, _, _ := strings.Cut(after, "\n")
		model = strings.TrimLeft(line, "\t :")
	}
	kernel, _ := exec.Command("uname", "-sr").Output()
	loadAvg, _ := os.ReadFile("/proc/loadavg")
	busy, _, _ := strings.Cut(string(loadAvg), " ")
	return fmt.Sprintf("%s, %d cores, %s, %s, %s; load average %s at the beginning", model, cores(),
		strings.TrimSpace(string(kernel)), runtime.Version(), time.Now().UTC().Format(time.DateOnly), busy)
}

func cores() int { return runtime.NumCPU() }

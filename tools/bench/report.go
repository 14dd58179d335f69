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

// results are what a run came to.
type results struct {
	Machine  string
	BinaryMB float64
	FreshMS  float64 // from start to the first page on a database that is not there yet
	Tables   []table
}

// table is one engine with so many people.
type table struct {
	Engine      string
	People      int
	SeedSeconds float64
	StartMS     float64 // from start to the first page
	IdleMB      float64
	LoadMB      float64 // the most there was between the rows
	Pressure    *pressure
	Order       []row
	Rows        map[string]figures // by the name of the row
}

// template is docs/internals/performance.md but for the figures.
//
//go:embed performance.md
var template string

// markdown fills in the template.
func (res results) markdown(bars []bar) []byte {
	var tables strings.Builder
	for _, t := range res.Tables {
		fmt.Fprintf(&tables, "### %s, %s people\n\n", t.Engine, thousands(t.People))
		fmt.Fprintf(&tables, "Start %.0f ms; memory idle %.1f MB, after all this load %.1f MB. The people were made in %.1f s.\n\n", t.StartMS, t.IdleMB, t.LoadMB, t.SeedSeconds)
		if t.Pressure != nil {
			fmt.Fprintf(&tables, "%s\n\n", t.Pressure)
		}
		tables.WriteString("| | requests/s | of bare | of raw | by CPU: of bare | of raw | p50 | p99 | p99.9 | raw p99 | at half: p50 | p99 | p99.9 | CPU ms | bare | raw | database | bytes | allocations | KB |\n")
		tables.WriteString("|---|" + strings.Repeat("---:|", 19) + "\n")
		for _, r := range t.Order {
			f := t.Rows[r.name]
			fmt.Fprintf(&tables, "| %s |", r.name)
			for _, cell := range f.cells() {
				fmt.Fprintf(&tables, " %s |", cell)
			}
			tables.WriteByte('\n')
		}
		tables.WriteByte('\n')
	}
	var verdicts strings.Builder
	verdicts.WriteString("| bar | must be | is | |\n|---|---:|---:|---|\n")
	for _, b := range bars {
		fmt.Fprintf(&verdicts, "| %s | %s | %s | %s |\n", b.what, b.limit(), b.figure(), b.verdict())
	}
	return []byte(strings.NewReplacer(
		"{{machine}}", res.Machine, "{{tables}}", strings.TrimSpace(tables.String()), "{{bars}}", strings.TrimSpace(verdicts.String()),
	).Replace(template))
}

// cells are a row's figures in the order of the table's columns.
func (f figures) cells() []string {
	return []string{
		number(f.Product.Rate), ratio(f.Product.Rate, f.Bare.Rate), ratio(f.Product.Rate, f.Raw.Rate),
		ratio(f.Bare.CPU, f.Product.CPU), ratio(f.Raw.CPU, f.Product.CPU),
		number(f.Product.P50), number(f.Product.P99), number(f.Product.P999), number(f.Raw.P99),
		number(f.Half.P50), number(f.Half.P99), number(f.Half.P999),
		number(f.Product.CPU), number(f.Bare.CPU), number(f.Raw.CPU), number(f.DatabaseCPU), fmt.Sprint(f.Bytes),
		number(f.Allocations), number(f.AllocatedKB),
	}
}

// header and line are the same on a terminal, but for the allocations, which are
// counted after.
const header = "                                               req/s  /bare   /raw | by CPU  /raw |   p50    p99  p99.9 rawp99 | p50/2  p99/2 p999/2 |    cpu   bare    raw     db  bytes\n"

func (f figures) line(name string) string {
	c := f.cells()
	return fmt.Sprintf("%-45s %7s %6s %6s | %6s %5s |%6s %6s %6s %6s |%6s %6s %6s | %6s %6s %6s %6s %6s\n",
		name, c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15], c[16])
}

func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", a/b)
}

// number has as many digits as say something; none for nothing.
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

// machine says what the figures were measured on, and how quiet it was.
func machine() string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	if _, behind, ok := strings.Cut(string(text), "model name"); ok {
		line, _, _ := strings.Cut(behind, "\n")
		model = strings.TrimLeft(line, "\t :")
	}
	kernel, _ := exec.Command("uname", "-sr").Output()
	others, _ := os.ReadFile("/proc/loadavg")
	busy, _, _ := strings.Cut(string(others), " ")
	return fmt.Sprintf("%s, %d cores, %s, %s, %s; others kept %s processes busy when it began", model, cores(),
		strings.TrimSpace(string(kernel)), runtime.Version(), time.Now().UTC().Format(time.DateOnly), busy)
}

func cores() int { return runtime.NumCPU() }

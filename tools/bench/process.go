//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// Which core a process has, where there are two and taskset to choose one by.
const (
	serverCore = "0" // the product, the bare server and the raw loop, one at a time
	clientCore = "1" // the load generator; the kernel puts the database where there is room
)

// onCore returns a command whose process has one core, and is gone with this one.
func onCore(ctx context.Context, core, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	if taskset, err := exec.LookPath("taskset"); err == nil && cores() > 1 {
		cmd = exec.CommandContext(ctx, taskset, append([]string{"-c", core, program}, args...)...)
	}
	cmd.Env = []string{"GOMAXPROCS=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// ask runs this program in another role, on a core of its own, and returns what
// that came to. What it is to do and what came of it travel as JSON.
func ask(ctx context.Context, core, role string, job, answer any) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(job)
	if err != nil {
		return err
	}
	cmd := onCore(ctx, core, self, role)
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, &problems
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", role, err, &problems)
	}
	return json.Unmarshal(out.Bytes(), answer)
}

// cpu is how many milliseconds of processor time a process has had.
func cpu(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, behind, _ := strings.Cut(string(text), ") ") // the name may hold anything
	fields := strings.Fields(behind)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) * 10 // of 100 ticks a second, on every Linux
}

// resident is how many megabytes of memory a process has.
func resident(pid int) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, behind, _ := strings.Cut(string(text), "VmRSS:")
	if fields := strings.Fields(behind); len(fields) > 0 {
		kb, _ := strconv.ParseFloat(fields[0], 64)
		return kb / 1024
	}
	return 0
}

// freeAddr returns a loopback address on which nobody listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

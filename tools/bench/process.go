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

// The cores of processes, if there are two and taskset is installed.
const (
	serverCore = "0" // of the product, the bare server and the raw loop, which run one at a time
	clientCore = "1" // of the load generator; the kernel chooses for the database
)

// onCore returns a command that runs on one core and ends with this process.
func onCore(ctx context.Context, core, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	if taskset, err := exec.LookPath("taskset"); err == nil && cores() > 1 {
		cmd = exec.CommandContext(ctx, taskset, append([]string{"-c", core, program}, args...)...)
	}
	cmd.Env = []string{"GOMAXPROCS=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// runRole runs this program in another role on a core of its own. It passes job and stores the
// result as JSON.
func runRole(ctx context.Context, core, role string, job, result any) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(job)
	if err != nil {
		return err
	}
	cmd := onCore(ctx, core, self, role)
	var stdout, stderr bytes.Buffer
	cmd.Stdin = bytes.NewReader(text)
	cmd.Stdout = &stdout
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", role, err, &stderr)
	}
	return json.Unmarshal(stdout.Bytes(), result)
}

// cpu returns the processor time of a process in milliseconds, or 0 if there is no such process.
func cpu(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name in parentheses may contain spaces
	fields := strings.Fields(after)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) * 10 // Linux has 100 ticks per second
}

// resident returns the resident memory of a process in megabytes.
func resident(pid int) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	if fields := strings.Fields(after); len(fields) > 0 {
		kb, _ := strconv.ParseFloat(fields[0], 64)
		return kb / 1024
	}
	return 0
}

// freeAddr returns a loopback address on which no server listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

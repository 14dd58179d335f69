package cli

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/guestlist/guestlist/internal/config"
)

// streams are the input and output of a command, its log and its clock.
type streams struct {
	in          io.Reader
	out         io.Writer // for the result
	err         io.Writer // for prompts, progress and the log
	log         *slog.Logger
	now         func() time.Time
	interactive bool // the user can answer prompts
}

func (p *cli) streams(logFormat string, level slog.Level) streams {
	return streams{
		in: p.Stdin, out: p.Stdout, err: p.Stderr, log: newLog(logFormat, p.Stderr, level),
		now: p.Now, interactive: p.Interactive || isTerminal(p.Stdin),
	}
}

// warn logs the warnings about the configuration.
func (s streams) warn(cfg config.Config) {
	for _, warning := range cfg.Warnings {
		s.log.Warn(warning)
	}
}

func newLog(format string, w io.Writer, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

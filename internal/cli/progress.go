package cli

import (
	"io"

	"github.com/schollz/progressbar/v3"
)

// progress is the progress bar of a long operation.
type progress struct {
	to   io.Writer // nil hides the bar
	what string    // the description
	bar  *progressbar.ProgressBar
}

// progress returns a progress bar, which is shown only on a terminal.
func (con streams) progress(what string) *progress {
	p := &progress{what: what}
	if isTerminal(con.err) {
		p.to = con.err
	}
	return p
}

// Set shows that done of all steps are finished.
func (p *progress) Set(done, all int) {
	if p.to == nil {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(all, progressbar.OptionSetWriter(p.to), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set(done) // the operation goes on without its terminal
}

// Close removes the bar.
func (p *progress) Close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

package cli

import (
	"io"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far long work is, where somebody sees it.
type progress struct {
	to   io.Writer // nil: nobody does
	what string
	bar  *progressbar.ProgressBar
}

// progress returns one that is shown on a terminal and nowhere else.
func (con streams) progress(what string) *progress {
	p := &progress{what: what}
	if isTerminal(con.err) {
		p.to = con.err
	}
	return p
}

// Set says that so much of all is done.
func (p *progress) Set(done, all int) {
	if p.to == nil {
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(all, progressbar.OptionSetWriter(p.to), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	_ = p.bar.Set(done) // a terminal that is gone is no reason to stop
}

func (p *progress) Close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

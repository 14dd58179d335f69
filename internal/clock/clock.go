// Package clock provides a clock that can be set ahead of another one or back.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock shows the time of another clock plus an offset. Its methods may be called
// by several goroutines at the same time.
type Clock struct {
	now    func() time.Time
	offset atomic.Int64 // in nanoseconds
}

// New returns a clock that shows the time of now until SetOffset is called.
func New(now func() time.Time) *Clock { return &Clock{now: now} }

// Now returns the time on the clock.
func (c *Clock) Now() time.Time { return c.now().Add(c.Offset()) }

// SetOffset sets the clock ahead by an offset, or back if it is negative. It replaces
// the offset set before.
func (c *Clock) SetOffset(offset time.Duration) { c.offset.Store(int64(offset)) }

// Offset returns how far the clock is ahead.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

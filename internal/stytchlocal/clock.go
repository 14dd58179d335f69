package stytchlocal

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that can be moved against another. Its methods may be called by
// many goroutines.
type Clock struct {
	now   func() time.Time
	moved atomic.Int64 // how far ahead of now, in nanoseconds
}

// NewClock returns a clock that agrees with now until it is moved.
func NewClock(now func() time.Time) *Clock { return &Clock{now: now} }

// Now is the time on the clock.
func (c *Clock) Now() time.Time { return c.now().Add(c.Offset()) }

// SetOffset puts the clock ahead of the other by so much, or back for less than zero.
// What it was moved by before no longer counts.
func (c *Clock) SetOffset(by time.Duration) { c.moved.Store(int64(by)) }

// Offset is by how much the clock is ahead.
func (c *Clock) Offset() time.Duration { return time.Duration(c.moved.Load()) }

//go:build !linux

package testdb

// ramDisk returns "", because only Linux has a RAM disk by default.
func ramDisk() string { return "" }

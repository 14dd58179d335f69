//go:build !linux

package testdb

// ramDisk returns an empty string: only Linux has a RAM disk by itself.
func ramDisk() string { return "" }

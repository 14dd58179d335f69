//go:build !unix

package config

import "io/fs"

// checkOwner does nothing: permissions have another form on these systems, and new
// directories aren't writable by other users by default.
func checkOwner(string, fs.FileInfo) error { return nil }

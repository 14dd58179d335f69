// Package buildinfo tells which build of Guestlist this is.
package buildinfo

import (
	"runtime"
	"runtime/debug"
)

// Info describes the running program.
type Info struct {
	Version string `json:"version"` // of the module; "(devel)" if unknown
	Go      string `json:"go"`      // the Go release it was built with
	Commit  string `json:"commit"`  // "" if it was not built from a repository
	Time    string `json:"time"`    // of the commit, in RFC 3339; "" as Commit
}

// Read returns the description of the running program.
func Read() Info {
	b := Info{Version: "(devel)", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		}
	}
	return b
}

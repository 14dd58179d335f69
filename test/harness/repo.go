package harness

import (
	"os"
	"path/filepath"
)

// RepoRoot returns the absolute path of the repository: the nearest directory above the
// working directory that has a go.mod.
func RepoRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("harness: no go.mod above the working directory")
		}
		dir = parent
	}
}

// RepoPath returns the path of a file in the repository; name is relative to its root and
// uses slashes.
func RepoPath(name string) string {
	return filepath.Join(RepoRoot(), filepath.FromSlash(name))
}

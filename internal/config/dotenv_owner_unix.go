//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwner returns an error if users other than the caller and root can write a file or
// directory, as its owner or by its permissions. A sticky directory such as /tmp isn't safe
// either: anyone can create the file there first. Links have no permissions.
func checkOwner(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("the owner of %s is unknown", path)
	}
	return checkOwnership(path, info.Mode(), int(stat.Uid), os.Geteuid())
}

func checkOwnership(path string, mode fs.FileMode, owner, caller int) error {
	switch {
	case owner != caller && owner != 0:
		return fmt.Errorf("%s belongs to another user (uid %d), who could redirect secrets: run guestlist in a directory of your own, or change the owner of the file and its directory (chown)", path, owner)
	case mode&fs.ModeSymlink != 0:
		return nil
	case mode.Perm()&0o022 != 0:
		return fmt.Errorf("%s is writable by other users, who could redirect secrets: run chmod go-w %[1]s, or run guestlist in a directory of your own", path)
	}
	return nil
}

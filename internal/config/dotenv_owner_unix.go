//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwner returns an error if somebody other than the caller and root could have
// written a file or a folder: it belongs to them, or its permissions let its group
// or everybody write. That a folder is sticky, such as /tmp, doesn't help: anybody
// can put a file there first, or a link to one. A link has no permissions.
func checkOwner(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s has no owner that can be told", path)
	}
	return checkOwnership(path, info.Mode(), int(stat.Uid), os.Geteuid())
}

func checkOwnership(path string, mode fs.FileMode, owner, caller int) error {
	switch {
	case owner != caller && owner != 0:
		return fmt.Errorf("%s belongs to another user (uid %d), who could lead secrets elsewhere: run guestlist in a folder of your own, or give file and folder to the user who runs it (chown)", path, owner)
	case mode&fs.ModeSymlink != 0:
		return nil
	case mode.Perm()&0o022 != 0:
		return fmt.Errorf("%s can be written by other users, who could lead secrets elsewhere: chmod go-w %[1]s, or run guestlist in a folder of your own", path)
	}
	return nil
}

package testdb

import "syscall"

// ramDisk returns the folder of Linux's RAM disk, if there is room enough for
// all tests at once, else an empty string, which stands for the usual temporary
// folder. A new table is a dozen waits for a disk; this alone makes the tests
// several times faster. Containers often have a RAM disk of 64 MB, too small.
func ramDisk() string {
	const dir, room = "/dev/shm", 1 << 30
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil || stat.Bavail*uint64(stat.Bsize) < room {
		return ""
	}
	return dir
}

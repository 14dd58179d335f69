package faults

import (
	"os"
	"os/exec"
	"path/filepath"
)

// disk is a small file system.
type disk struct {
	x   *trial
	dir string
}

// newDisk mounts a file system for the duration of the test. It skips the test if that's not
// permitted.
func newDisk(x *trial) *disk {
	x.Helper()
	d := &disk{x: x, dir: x.TempDir()}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "guestlist-faults", d.dir).CombinedOutput(); err != nil {
		x.Skipf("can't mount a small file system, which needs root: %v %s", err, out)
	}
	x.Cleanup(func() {
		if out, err := exec.Command("umount", d.dir).CombinedOutput(); err != nil {
			x.Errorf("umount: %v %s", err, out)
		}
	})
	return d
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill fills the file system to the last byte.
func (d *disk) fill() {
	f, err := os.Create(d.ballast())
	if err != nil {
		d.x.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
}

// free undoes fill.
func (d *disk) free() {
	if err := os.Remove(d.ballast()); err != nil {
		d.x.Fatal(err)
	}
}

package faults

import (
	"os"
	"os/exec"
	"path/filepath"
)

// disk is a small one, which can be filled.
type disk struct {
	x   *trial
	dir string
}

// newDisk mounts one for as long as the test runs, and skips where that is not
// allowed.
func newDisk(x *trial) *disk {
	x.Helper()
	d := &disk{x: x, dir: x.TempDir()}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "guestlist-faults", d.dir).CombinedOutput(); err != nil {
		x.Skipf("a small file system can't be mounted here (it takes root): %v %s", err, out)
	}
	x.Cleanup(func() {
		if out, err := exec.Command("umount", d.dir).CombinedOutput(); err != nil {
			x.Errorf("umount: %v %s", err, out)
		}
	})
	return d
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fills leaves no room at all.
func (d *disk) fills() {
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

// frees gives the room back.
func (d *disk) frees() {
	if err := os.Remove(d.ballast()); err != nil {
		d.x.Fatal(err)
	}
}

//go:build unix

package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// planted returns the path of a .env file that redirects the secret.
func planted(t *testing.T) (path string) {
	t.Helper()
	path = writeDotEnv(t, "STYTCH_BASE_URL=https://planted.example\nSTYTCH_PROJECT_ID=project-test-1\nSTYTCH_SECRET=secret-test-hush\n")
	return path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDotEnv_WritableByOthers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		prepare func(t *testing.T, path string)
		want    string // the error; FILE and FOLDER stand for the paths; empty for none
	}{
		{"file and directory of the caller", func(t *testing.T, path string) {}, ""},
		{"others may read them", func(t *testing.T, path string) {
			must(t, os.Chmod(path, 0o644))
			must(t, os.Chmod(filepath.Dir(path), 0o755))
		}, ""},
		{"the group may write the file", func(t *testing.T, path string) { must(t, os.Chmod(path, 0o660)) },
			"FILE is writable by other users, who could redirect secrets: run chmod go-w FILE, or run guestlist in a directory of your own"},
		{"anyone may write the file", func(t *testing.T, path string) { must(t, os.Chmod(path, 0o602)) },
			"FILE is writable by other users, who could redirect secrets: run chmod go-w FILE, or run guestlist in a directory of your own"},
		{"the group may write the directory", func(t *testing.T, path string) { must(t, os.Chmod(filepath.Dir(path), 0o770)) },
			"FILE is not read: the directory FOLDER is writable by other users, who could redirect secrets: run chmod go-w FOLDER, or run guestlist in a directory of your own"},
		{"a directory such as /tmp", func(t *testing.T, path string) { must(t, os.Chmod(filepath.Dir(path), 0o777|fs.ModeSticky)) },
			"FILE is not read: the directory FOLDER is writable by other users, who could redirect secrets: run chmod go-w FOLDER, or run guestlist in a directory of your own"},
		{"a link to a file that anyone may write", func(t *testing.T, path string) {
			target := planted(t)
			must(t, os.Chmod(target, 0o666))
			must(t, os.Remove(path))
			must(t, os.Symlink(target, path))
		}, "TARGET is writable by other users, who could redirect secrets: run chmod go-w TARGET, or run guestlist in a directory of your own"},
		{"a link into a directory that anyone may write", func(t *testing.T, path string) {
			target := planted(t)
			must(t, os.Chmod(filepath.Dir(target), 0o777))
			must(t, os.Remove(path))
			must(t, os.Symlink(target, path))
		}, "FILE is not read: the directory TARGETFOLDER is writable by other users, who could redirect secrets: run chmod go-w TARGETFOLDER, or run guestlist in a directory of your own"},
		{"a link to a file of the caller", func(t *testing.T, path string) {
			target := filepath.Join(filepath.Dir(path), "shared")
			must(t, os.Rename(path, target))
			must(t, os.Symlink("shared", path))
		}, ""},
		{"a link to itself", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Symlink(".env", path))
		}, "FILE is a symbolic link with too many levels"},
		{"a link to nothing", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, os.Symlink("nothing", path))
		}, "FILE can't be read: no such file or directory"},
		{"a pipe", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			must(t, syscall.Mkfifo(path, 0o600))
		}, "FILE must be a regular file with lines of NAME=value"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := planted(t)
			row.prepare(t, path)
			cfg, wrong := LoadAll(Sources{DotEnv: path})
			got := ""
			if len(wrong) > 0 {
				got = wrong[0].Err.Error()
				if cfg.Stytch.BaseURL != "" || cfg.Stytch.Secret != "" {
					t.Error("some of its settings are used")
				}
			}
			if target, err := os.Readlink(path); err == nil && filepath.IsAbs(target) {
				got = strings.NewReplacer(target, "TARGET", filepath.Dir(target), "TARGETFOLDER").Replace(got)
			}
			got = strings.NewReplacer(path, "FILE", filepath.Dir(path), "FOLDER").Replace(got)
			if got != row.want {
				t.Errorf("error:\n%s\nwant:\n%s", got, row.want)
			}
		})
	}
}

func TestDotEnv_OtherOwner(t *testing.T) {
	t.Parallel()
	const dir = fs.ModeDir | 0o755
	for _, row := range []struct {
		name          string
		mode          fs.FileMode
		owner, caller int
		refused       bool
	}{
		{"the caller's", 0o600, 1000, 1000, false},
		{"root's", 0o644, 0, 1000, false},
		{"root's, for root", dir, 0, 0, false},
		{"another user's", 0o600, 1001, 1000, true},
		{"another user's directory", dir, 1001, 1000, true},
		{"another user's, for root", 0o600, 1000, 0, true},
		{"another user's directory, for root", dir, 1000, 0, true},
		{"another user's link, for root", fs.ModeSymlink | 0o777, 1000, 0, true},
		{"the caller's link", fs.ModeSymlink | 0o777, 1000, 1000, false},
		{"the caller's, writable by everyone", 0o666, 1000, 1000, true},
		{"root's, for a group to write", 0o660, 0, 1000, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if err := checkOwnership("x", row.mode, row.owner, row.caller); (err != nil) != row.refused {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// TestDotEnv_OtherOwnerOnDisk gives files away, which root alone can.
func TestDotEnv_OtherOwnerOnDisk(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can change the owner of a file")
	}
	const advice = " belongs to another user (uid 1234), who could redirect secrets: run guestlist in a directory of your own, or change the owner of the file and its directory (chown)"
	file := planted(t)
	must(t, os.Chown(file, 1234, 1234))
	if _, err := Load(Sources{DotEnv: file}); errorText(err) != file+advice {
		t.Errorf("a file of another user: %v", err)
	}
	file = planted(t)
	must(t, os.Chown(filepath.Dir(file), 1234, 1234))
	if _, err := Load(Sources{DotEnv: file}); errorText(err) != file+" is not read: the directory "+filepath.Dir(file)+advice {
		t.Errorf("a directory of another user: %v", err)
	}
	must(t, os.Remove(file))
	if _, err := Load(Sources{DotEnv: file}); err != nil {
		t.Errorf("a directory of another user without a .env: %v", err)
	}
}

package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	maxDotEnv      = 1 << 20 // bytes
	maxDotEnvLinks = 8       // symbolic links that may lead to the file
)

// readDotEnv reads the settings in a .env file. It returns none if there is no file. Anyone
// may have prepared the working directory, so the file must be under the control of the
// caller or root: see checkOwner. The error contains nothing of the file.
func readDotEnv(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	file, err := openDotEnv(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxDotEnv+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(text) > maxDotEnv {
		return nil, fmt.Errorf("%s is larger than 1 MB and can't be a .env file", path)
	}
	values, err := parseDotEnv(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return values, nil
}

// openDotEnv opens a .env file after checking the owners of the file, of its directory, and
// of each link that leads to it and its directory.
func openDotEnv(path string) (*os.File, error) {
	at, info, err := followDotEnv(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would block
		return nil, fmt.Errorf("%s must be a regular file with lines of NAME=value", path)
	}
	file, err := os.Open(at)
	if err != nil {
		return nil, unreadable(path, err)
	}
	opened, err := file.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = errors.New("it was replaced while being opened")
	}
	if err != nil {
		return nil, errors.Join(unreadable(path, err), file.Close())
	}
	return file, nil
}

// followDotEnv checks each link on the way to the file and returns its path.
func followDotEnv(path string) (at string, info fs.FileInfo, err error) {
	at = path
	for range maxDotEnvLinks {
		if info, err = os.Lstat(at); err != nil {
			return "", nil, unreadable(path, err)
		}
		dir := filepath.Dir(at)
		if err := checkOwner(at, info); err != nil {
			return "", nil, err
		}
		if err := checkDir(dir); err != nil {
			return "", nil, fmt.Errorf("%s is not read: %w", path, err)
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return at, info, nil
		}
		target, err := os.Readlink(at)
		if err != nil {
			return "", nil, unreadable(path, err)
		}
		if at = target; !filepath.IsAbs(target) {
			at = dir + string(filepath.Separator) + target // Join would resolve .. without following links
		}
	}
	return "", nil, fmt.Errorf("%s is a symbolic link with too many levels", path)
}

// checkDir is checkOwner for a directory.
func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("the directory %s can't be checked: %w", dir, withoutPath(err))
	}
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	if err := checkOwner(dir, info); err != nil {
		return fmt.Errorf("the directory %w", err)
	}
	return nil
}

func unreadable(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s can't be read by the user that runs guestlist: change its owner (chown), or remove it", path)
	}
	return fmt.Errorf("%s can't be read: %w", path, withoutPath(err))
}

// withoutPath returns the error of a failed file operation without the operation and path.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

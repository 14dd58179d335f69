package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxDotEnv is the largest .env file that is read, in bytes.
const maxDotEnv = 1 << 20

// maxDotEnvLinks is how many symbolic links may lead to a .env file.
const maxDotEnvLinks = 8

// readDotEnv reads the settings in a .env file; there are none if it is missing.
// The file is read from the working folder, which anybody may have prepared, so it
// must be in the hands of the caller or root: see checkOwner. The error is a
// sentence that holds nothing of the file.
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
		return nil, fmt.Errorf("%s is larger than 1 MB, and no file of settings", path)
	}
	values, err := parseDotEnv(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return values, nil
}

// openDotEnv opens a .env file after a look at who could have written it: the
// file, the folder that it is in, and the same of each link that leads to it.
func openDotEnv(path string) (*os.File, error) {
	at, info, err := followDotEnv(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // opening a pipe would wait for a writer
		return nil, fmt.Errorf("%s must be a file: it holds settings as NAME=value", path)
	}
	file, err := os.Open(at)
	if err != nil {
		return nil, unreadable(path, err)
	}
	opened, err := file.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = errors.New("it was replaced while it was opened")
	}
	if err != nil {
		return nil, errors.Join(unreadable(path, err), file.Close())
	}
	return file, nil
}

// followDotEnv checks each step to the file and returns where it is.
func followDotEnv(path string) (at string, info fs.FileInfo, err error) {
	at = path
	for range maxDotEnvLinks {
		if info, err = os.Lstat(at); err != nil {
			return "", nil, unreadable(path, err)
		}
		folder := filepath.Dir(at)
		if err := checkOwner(at, info); err != nil {
			return "", nil, err
		}
		if err := checkFolder(folder); err != nil {
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
			at = folder + string(filepath.Separator) + target // not Join, which takes .. for granted behind a link
		}
	}
	return "", nil, fmt.Errorf("%s is a link that leads to too many others", path)
}

// checkFolder is checkOwner for a folder.
func checkFolder(folder string) error {
	info, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("the folder %s can't be looked at: %w", folder, withoutPath(err))
	}
	if whole, err := filepath.Abs(folder); err == nil {
		folder = whole
	}
	if err := checkOwner(folder, info); err != nil {
		return fmt.Errorf("the folder %w", err)
	}
	return nil
}

// unreadable says that a file could not be read.
func unreadable(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s can't be read by the user who runs guestlist: give it to them (chown), or take it away", path)
	}
	return fmt.Errorf("%s can't be read: %w", path, withoutPath(err))
}

// withoutPath returns what the system says, without the call and the path.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// Package cachedir says where the grader keeps what it can make again.
package cachedir

import (
	"fmt"
	"os"
	"path/filepath"
)

// Path returns the directory of everything that the grader keeps between runs:
// $GRADER_CACHE, or middle-go in the user's cache directory.
func Path() (string, error) {
	if dir := os.Getenv("GRADER_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; set GRADER_CACHE to a directory that you may write", err)
	}
	return filepath.Join(dir, "middle-go"), nil
}

// Build returns the directory in which the go command keeps what it builds of
// submissions: $GRADER_GOCACHE, or go-build in [Path]. It is not the user's own,
// so that no submission leaves anything in what he builds himself.
func Build() (string, error) {
	if dir := os.Getenv("GRADER_GOCACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := Path()
	return filepath.Join(dir, "go-build"), err
}

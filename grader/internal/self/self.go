// Package self names the program that the grader starts again to help itself:
// as the shim of the sandbox, and as a vet tool of the go command.
package self

import "os"

var other string

// Executable returns the path of that program. It is the one that runs, unless
// [Use] has named another.
func Executable() (string, error) {
	if other != "" {
		return other, nil
	}
	return os.Executable()
}

// Use makes the grader in the file path the one. It is for TestMain: a test binary
// can help itself too, but with the race detector that takes a second each time.
func Use(path string) { other = path }

//go:build !linux && !darwin

package proc

import "os"

// scratchDir makes a directory that is left to the system to remove.
func scratchDir() (string, error) { return os.MkdirTemp("", "middle-go-proc-*") }

// Package ttlog is the command ttlog without the process around it.
package ttlog

import "io"

// Run counts the requests in access logs and writes a report to stdout. args are
// the arguments behind the name of the command: flags, and the files to read.
// It returns the exit code: 0, or 1 if reading or writing failed, 2 for wrong
// arguments, 3 if a line is not in the format of the log.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return -1
}

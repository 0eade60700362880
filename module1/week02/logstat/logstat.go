// Package logstat counts the lines of access logs: by status, by path, client
// or host, and by duration, in memory that does not grow with the logs.
package logstat

import (
	"context"
	"errors"
	"io"
	"time"
)

// Options are what Analyze counts, and how.
type Options struct {
	Name    string    // of the input, for warnings; "" means "input"
	By      string    // the key to count: "path", "ua" or "host"; "" means "path"
	Top     int       // how many keys to report; less than 1 means 10
	MaxKeys int       // how many keys to count at a time; less than 1 means 1000
	Since   time.Time // lines before it do not count; the zero time means all
}

// Count says how often a key came: at least N-Err times and at most N times.
type Count struct {
	Key    string
	N, Err int64
}

// Report is the result of an analysis. The zero Report is that of no lines. A
// copy of a Report is independent of the original under Merge.
type Report struct {
	Lines         int64         // good and bad ones
	Bad           int64         // lines that are none
	Bytes         int64         // of all bodies
	Classes       [6]int64      // lines by the first digit of the status; 0 is for all but 1 to 5
	Top           []Count       // by N from the highest, then by Key
	P50, P95, P99 time.Duration // quantiles of the duration, within 1 %
	First, Last   time.Time     // the earliest and the latest line, in UTC
}

// Analyze reads in to its end, and reports what it says. It writes a line to
// warn for each of the first 5 bad lines. If reading fails or ctx ends, it
// returns that error with the Report of the lines that were read completely. An
// unknown By is an error too.
func Analyze(ctx context.Context, opts Options, in io.Reader, warn io.Writer) (Report, error) {
	return Report{}, errors.ErrUnsupported
}

// Merge adds the lines of o to r. Both come from Analyze with the same Top,
// MaxKeys and By, or from Merge, or are zero. o stays as it is.
func (r *Report) Merge(o Report) {}

// Main is the command logstat without the process around it: args are the
// arguments behind its name. It returns the exit code: 0, 1 if reading or
// writing failed, 2 for wrong arguments, 3 for too many bad lines.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return 1
}

//course:since m01b

package ttlog

import (
	"fmt"
	"io"
	"strings"

	"github.com/middle-go/course/tasktracker/accesslog"
)

const (
	maxPaths    = 1000 // that are counted at a time
	maxWarnings = 5    // for each input
)

// report is what is known of the lines so far. It does not grow with them.
type report struct {
	requests, bad, bytes int64
	classes              [6]int64 // requests by the first digit of the status; 0 is for all but 1 to 5
	durations            histogram
	paths                *counters
}

func newReport() *report { return &report{paths: newCounters(maxPaths)} }

// addLog adds the lines of in. It tells warn about the first bad ones.
func (r *report) addLog(name string, in io.Reader, warn io.Writer) error {
	warnings := 0
	return eachLine(in, func(number int64, line string, err error) {
		if err == nil {
			err = r.addLine(line)
		}
		if err == nil {
			return
		}
		r.bad++
		if warnings++; warnings <= maxWarnings {
			fmt.Fprintf(warn, "ttlog: %s:%d: %v\n", name, number, err)
		}
	})
}

func (r *report) addLine(line string) error {
	e, err := accesslog.Parse(line)
	if err != nil {
		return err
	}
	r.requests++
	r.bytes += e.Bytes
	class := e.Status / 100
	if class >= len(r.classes) {
		class = 0
	}
	r.classes[class]++
	r.durations.add(e.Duration)
	path, _, _ := strings.Cut(e.Target, "?")
	r.paths.add(path)
	return nil
}

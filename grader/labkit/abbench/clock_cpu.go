//go:build linux || darwin

package abbench

import (
	"time"

	"golang.org/x/sys/unix"
)

const cpuTime = true

// workTime returns the CPU time that all threads of the process have used.
func workTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts); err != nil {
		panic("abbench: no clock for the CPU time of the process: " + err.Error())
	}
	return time.Duration(ts.Nano())
}

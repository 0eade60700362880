//go:build !linux && !darwin

package abbench

import "time"

const cpuTime = false

var start = time.Now()

// workTime returns the wall time since the start of the process.
func workTime() time.Duration { return time.Since(start) }

package rule

import (
	"fmt"
	"strconv"
	"time"
)

// Duration writes d as Go code, for [Case.Do]: "90*time.Second". What is not a
// multiple of a unit is a number of nanoseconds.
func Duration(d time.Duration) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{
		{time.Hour, "time.Hour"},
		{time.Minute, "time.Minute"},
		{time.Second, "time.Second"},
		{time.Millisecond, "time.Millisecond"},
	} {
		switch {
		case d == unit.size:
			return unit.name
		case d != 0 && d%unit.size == 0:
			return fmt.Sprintf("%d*%s", d/unit.size, unit.name)
		}
	}
	return strconv.FormatInt(int64(d), 10)
}

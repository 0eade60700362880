// Wrong: believes that UTC is all that a time needs to survive a database.
// Caught by: TestTimesAreUTCMicroseconds
// Replaces: domain/time.go

package domain

import "time"

// maxDueYear is the last year that RFC 3339 can write.
const maxDueYear = 9999

// instant returns t as the package stores it. A database column holds no zone,
// no monotonic clock reading and no nanoseconds, so a task that was saved and
// read back is equal to the one that was not.
func instant(t time.Time) time.Time {
	return t.UTC()
}

func normalDue(due *time.Time, created time.Time) (*time.Time, error) {
	if due == nil {
		return nil, nil
	}
	switch at := instant(*due); {
	case at.Before(created):
		return nil, &FieldError{Field: "due_at", Code: CodeTooEarly}
	case at.Year() > maxDueYear:
		return nil, &FieldError{Field: "due_at", Code: CodeTooLate}
	default:
		return &at, nil
	}
}

func cloneTime(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(*t)
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

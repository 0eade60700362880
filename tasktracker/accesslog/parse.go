package accesslog

import "errors"

// Parse returns the entry of a line, which has no line end. If line is not a
// complete line of the log, it returns a [*ParseError] for the leftmost broken
// field.
func Parse(line string) (Entry, error) {
	return Entry{}, errors.ErrUnsupported
}

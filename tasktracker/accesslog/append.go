package accesslog

// Append appends the line of e and a line end to dst, and returns the extended
// slice. The line is printable ASCII, whatever e holds. A negative duration is
// written as 0.
func (e Entry) Append(dst []byte) []byte {
	return nil
}

//course:since m01b

package accesslog

import (
	"fmt"
	"strconv"
	"time"
)

// Append appends the line of e and a line end to dst, and returns the extended
// slice. The line is printable ASCII, whatever e holds. A negative duration is
// written as 0.
func (e Entry) Append(dst []byte) []byte {
	dst = e.appendHost(dst)
	dst = append(dst, " - "...)
	dst = appendText(dst, e.User, ' ')
	dst = e.Time.UTC().AppendFormat(append(dst, ' '), timeLayout)
	dst = append(dst, ` "`...)
	dst = e.appendRequest(dst)
	dst = fmt.Appendf(dst, `" %03d %d "`, e.Status, e.Bytes)
	dst = appendText(dst, e.Referer, '"')
	dst = append(dst, `" "`...)
	dst = appendText(dst, e.UserAgent, '"')
	took := max(e.Duration, 0)
	dst = fmt.Appendf(dst, `" %d.%06d "`, took/time.Second, took%time.Second/time.Microsecond)
	dst = appendText(dst, e.RequestID, '"')
	return append(dst, "\"\n"...)
}

func (e Entry) appendHost(dst []byte) []byte {
	if !e.Addr.IsValid() {
		return append(dst, '-')
	}
	return e.Addr.WithZone("").AppendTo(dst)
}

func (e Entry) appendRequest(dst []byte) []byte {
	if e.Method == "" {
		return appendText(dst, e.Target, '"')
	}
	dst = append(appendEscaped(dst, e.Method, '"'), ' ')
	dst = append(appendEscaped(dst, e.Target, '"'), ' ')
	return appendEscaped(dst, e.Proto, '"')
}

// appendText appends s with its escapes, or "-" if it is empty. A client that
// sends "-" is told from one that sends nothing.
func appendText(dst []byte, s string, end byte) []byte {
	switch s {
	case "":
		return append(dst, '-')
	case "-":
		return append(dst, `\x2d`...)
	}
	return appendEscaped(dst, s, end)
}

// appendEscaped appends s with the escapes of Apache, and end escaped too.
func appendEscaped(dst []byte, s string, end byte) []byte {
	for _, ch := range []byte(s) {
		switch {
		case ch == '"' || ch == '\\':
			dst = append(dst, '\\', ch)
		case ch < ' ' || ch > '~' || ch == end:
			dst = append(dst, `\x`...)
			if ch < 0x10 {
				dst = append(dst, '0')
			}
			dst = strconv.AppendUint(dst, uint64(ch), 16)
		default:
			dst = append(dst, ch)
		}
	}
	return dst
}

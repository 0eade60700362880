// Wrong: believes that the field that repeats most is the one that costs.
// Caught by: TestLoad_LiveHeap

// Package internpool loads a day of requests into memory.
package internpool

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unique"
)

// maxLine is the length of the longest line, with its line end.
const maxLine = 1 << 20

// Row is one request of the day.
type Row struct {
	Path      unique.Handle[string]
	UserAgent string
	Status    uint16
	Bytes     uint32
}

// Load reads rows from r up to its end, one from each line: status, bytes, path,
// user agent and referer, with tabs between them. The referer is not kept. Lines
// end with "\n" or "\r\n", the last one may go without.
//
// An error says the number of its line, and there are no rows with it. It wraps
// the error of r, or [bufio.ErrTooLong] for a line of more than 1 MiB. Load may
// be called from several goroutines at once, with an r of their own.
func Load(r io.Reader) ([]Row, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var rows []Row
	for lines.Scan() {
		row, err := parse(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", len(rows)+1, err)
	}
	return rows, nil
}

func parse(line []byte) (Row, error) {
	if n := bytes.Count(line, tab) + 1; n != 5 {
		return Row{}, fmt.Errorf("%d fields, want 5", n)
	}
	code, line, _ := bytes.Cut(line, tab)
	size, line, _ := bytes.Cut(line, tab)
	path, line, _ := bytes.Cut(line, tab)
	agent, _, _ := bytes.Cut(line, tab)

	status, err := strconv.ParseUint(string(code), 10, 16)
	if err != nil {
		return Row{}, fmt.Errorf("status: %w", err)
	}
	sent, err := strconv.ParseUint(string(size), 10, 32)
	if err != nil {
		return Row{}, fmt.Errorf("bytes: %w", err)
	}
	return Row{
		Path:      unique.Make(string(path)),
		UserAgent: string(agent),
		Status:    uint16(status),
		Bytes:     uint32(sent),
	}, nil
}

var tab = []byte{'\t'}

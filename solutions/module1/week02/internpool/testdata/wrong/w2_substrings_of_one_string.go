// Wrong: believes that a substring is a string of its own.
// Caught by: TestLoad_DoesNotPinReadBuffer

// Package internpool loads a day of requests into memory.
package internpool

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxLine is the length of the longest line, with its line end.
const maxLine = 1 << 20

// Row is one request of the day.
type Row struct {
	Path, UserAgent string
	Status          uint16
	Bytes           uint32
}

// Load reads rows from r up to its end, one from each line: status, bytes, path,
// user agent and referer, with tabs between them. The referer is not kept. Lines
// end with "\n" or "\r\n", the last one may go without.
//
// An error says the number of its line, and there are no rows with it. It wraps
// the error of r, or [bufio.ErrTooLong] for a line of more than 1 MiB. Load may
// be called from several goroutines at once, with an r of their own.
func Load(r io.Reader) ([]Row, error) {
	all, readErr := io.ReadAll(r)
	pool := map[string]string{}
	var rows []Row
	for line := range strings.Lines(string(all)) {
		if len(line) > maxLine {
			return nil, fmt.Errorf("line %d: %w", len(rows)+1, bufio.ErrTooLong)
		}
		row, err := parse(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), pool)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(rows)+1, err)
		}
		rows = append(rows, row)
	}
	if readErr != nil {
		return nil, fmt.Errorf("line %d: %w", len(rows)+1, readErr)
	}
	return rows, nil
}

func parse(line string, pool map[string]string) (Row, error) {
	if n := strings.Count(line, tab) + 1; n != 5 {
		return Row{}, fmt.Errorf("%d fields, want 5", n)
	}
	code, line, _ := strings.Cut(line, tab)
	size, line, _ := strings.Cut(line, tab)
	path, line, _ := strings.Cut(line, tab)
	agent, _, _ := strings.Cut(line, tab)

	status, err := strconv.ParseUint(code, 10, 16)
	if err != nil {
		return Row{}, fmt.Errorf("status: %w", err)
	}
	sent, err := strconv.ParseUint(size, 10, 32)
	if err != nil {
		return Row{}, fmt.Errorf("bytes: %w", err)
	}
	return Row{
		Path:      intern(pool, path),
		UserAgent: intern(pool, agent),
		Status:    uint16(status),
		Bytes:     uint32(sent),
	}, nil
}

const tab = "\t"

func intern(pool map[string]string, s string) string {
	if same, ok := pool[s]; ok {
		return same
	}
	pool[s] = s
	return s
}

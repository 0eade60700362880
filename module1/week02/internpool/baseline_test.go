package internpool_test

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// This is Load as it was given. It is right, and it keeps too much: the tests
// compare with it.

type slowRow struct {
	Path, UserAgent string
	Status          uint16
	Bytes           uint32
}

func slowLoad(r io.Reader) ([]slowRow, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	var rows []slowRow
	for lines.Scan() {
		row, err := slowParse(lines.Text())
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

func slowParse(line string) (slowRow, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 5 {
		return slowRow{}, fmt.Errorf("%d fields, want 5", len(fields))
	}
	status, err := strconv.ParseUint(fields[0], 10, 16)
	if err != nil {
		return slowRow{}, fmt.Errorf("status: %w", err)
	}
	size, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		return slowRow{}, fmt.Errorf("bytes: %w", err)
	}
	return slowRow{
		Path:      fields[2],
		UserAgent: fields[3],
		Status:    uint16(status),
		Bytes:     uint32(size),
	}, nil
}

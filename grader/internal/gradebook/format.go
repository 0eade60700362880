package gradebook

import (
	"fmt"
	"io"
	"slices"
)

// Format is a way to write a book.
type Format string

// The formats.
const (
	CSV      Format = "csv"
	Markdown Format = "markdown"
	HTML     Format = "html"
)

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	if !slices.Contains([]Format{CSV, Markdown, HTML}, Format(name)) {
		return "", fmt.Errorf("format %q is unknown; a grade book is written as html, markdown or csv", name)
	}
	return Format(name), nil
}

// Write writes b. Names of students have no effect but being shown.
func (b *Book) Write(w io.Writer, f Format) error {
	switch f {
	case CSV:
		return b.writeCSV(w)
	case HTML:
		return b.writeHTML(w)
	default:
		return b.writeMarkdown(w)
	}
}

// Package patch reads unified diffs and applies them in memory. It is strict:
// every line of context has to be there, and only the line numbers may be off.
package patch

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// File is the change of one file.
type File struct {
	Name  string // slash-separated; without the a/ or b/ that git writes
	New   bool   // there was no such file before
	Gone  bool   // there is none afterwards
	hunks []hunk
}

// hunk is one changed place.
type hunk struct {
	at       string // its header
	start    int    // first line in the old file, from 1
	old, new []string
}

// ApplyError is a hunk that does not fit.
type ApplyError struct {
	File string
	Hunk string // its header, such as @@ -3,4 +3,5 @@, or empty
	Why  string
}

func (e *ApplyError) Error() string {
	if e.Hunk == "" {
		return e.File + ": " + e.Why
	}
	return fmt.Sprintf("%s: hunk %s %s", e.File, e.Hunk, e.Why)
}

var hunkHeader = regexp.MustCompile(`^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@`)

// Parse reads a unified diff. What stands before the first file, and the lines
// that git adds, are skipped. An error begins with the number of the line.
func Parse(diff string) ([]File, error) {
	p := &parser{lines: strings.Split(strings.TrimSuffix(diff, "\n"), "\n")}
	var files []File
	for p.next < len(p.lines) {
		line := p.lines[p.next]
		switch {
		case strings.HasPrefix(line, "--- "):
			f, err := p.file()
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		case strings.HasPrefix(line, "@@ "):
			return nil, p.errorf("a hunk before the name of its file")
		default:
			p.next++
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("1: no file is changed; a change begins with --- and +++")
	}
	return files, nil
}

type parser struct {
	lines []string
	next  int
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("%d: %s", p.next+1, fmt.Sprintf(format, args...))
}

// file reads the two names and the hunks of a file.
func (p *parser) file() (File, error) {
	before := fileName(p.lines[p.next], "--- ", "a/")
	p.next++
	if p.next == len(p.lines) || !strings.HasPrefix(p.lines[p.next], "+++ ") {
		return File{}, p.errorf("--- without +++")
	}
	after := fileName(p.lines[p.next], "+++ ", "b/")
	p.next++
	f := File{Name: after, New: before == devNull, Gone: after == devNull}
	switch {
	case f.New && f.Gone:
		return File{}, p.errorf("neither side names a file")
	case f.Gone:
		f.Name = before
	case !f.New && before != after:
		return File{}, p.errorf("%s becomes %s; files keep their names", before, after)
	}
	if !fs.ValidPath(f.Name) || f.Name == "." {
		return File{}, p.errorf("%q names no file below this directory", f.Name)
	}
	for p.next < len(p.lines) && strings.HasPrefix(p.lines[p.next], "@@ ") {
		h, err := p.hunk()
		if err != nil {
			return File{}, err
		}
		f.hunks = append(f.hunks, h)
		if p.next < len(p.lines) && strings.HasPrefix(p.lines[p.next], noNewline) {
			p.next++
		}
	}
	if len(f.hunks) == 0 {
		return File{}, p.errorf("%s has no hunk", f.Name)
	}
	return f, nil
}

const (
	devNull   = "/dev/null"
	noNewline = `\ No newline at end of file`
)

// fileName takes the name out of a header: without the time that diff writes
// behind a tab, and without git's prefix.
func fileName(line, mark, prefix string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(line, mark), "\t")
	return strings.TrimPrefix(name, prefix)
}

// hunk reads as many lines as its header announces.
func (p *parser) hunk() (hunk, error) {
	m := hunkHeader.FindStringSubmatch(p.lines[p.next])
	if m == nil {
		return hunk{}, p.errorf("%q is not the header of a hunk", p.lines[p.next])
	}
	first := p.next
	h := hunk{at: m[0], start: number(m[1], 0)}
	oldLines, newLines := number(m[2], 1), number(m[4], 1)
	if oldLines == 0 {
		h.start++ // a pure insertion is said to be behind its line
	}
	for p.next++; len(h.old) < oldLines || len(h.new) < newLines; p.next++ {
		if p.next == len(p.lines) {
			return hunk{}, p.errorf("hunk %s ends too early", h.at)
		}
		kind, text := " ", ""
		if line := p.lines[p.next]; line != "" { // an editor may have trimmed an empty line of context
			kind, text = line[:1], line[1:]
		}
		if !strings.Contains(" +-\\", kind) {
			return hunk{}, p.errorf("hunk %s has a line that begins with neither space, + nor -", h.at)
		}
		if kind == " " || kind == "-" {
			h.old = append(h.old, text)
		}
		if kind == " " || kind == "+" {
			h.new = append(h.new, text)
		}
	}
	if len(h.old) != oldLines || len(h.new) != newLines {
		p.next = first
		return hunk{}, p.errorf("hunk %s has other numbers of lines than it says", h.at)
	}
	return h, nil
}

func number(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return otherwise
}

// Apply returns the content of the file after the change, in which every line has
// its end. A hunk goes where its
// lines are, nearest to the place that its header names.
func (f File) Apply(content string) (string, error) {
	var lines []string
	if content != "" && !f.New {
		lines = strings.Split(strings.TrimSuffix(content, "\n"), "\n")
	}
	shift, from := 0, 0
	for _, h := range f.hunks {
		at := find(lines, h.old, from, h.start-1+shift)
		if at < 0 {
			return "", &ApplyError{File: f.Name, Hunk: h.at, Why: "does not apply: its lines are not in the file"}
		}
		lines = slices.Replace(lines, at, at+len(h.old), h.new...)
		shift = at - (h.start - 1) + len(h.new) - len(h.old)
		from = at + len(h.new)
	}
	if len(lines) == 0 {
		return "", nil
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// find returns where part begins in lines, not before from and as near to want
// as possible, or -1.
func find(lines, part []string, from, want int) int {
	best := -1
	for at := from; at+len(part) <= len(lines); at++ {
		if slices.Equal(lines[at:at+len(part)], part) && (best < 0 || distance(at, want) < distance(best, want)) {
			best = at
		}
	}
	return best
}

func distance(a, b int) int { return max(a-b, b-a) }

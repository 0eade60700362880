package review

import (
	"bytes"

	"github.com/middle-go/course/grader/internal/assembly"
)

// File is how far a student's file is from its stub.
type File struct {
	Path    string
	Lines   int
	New     bool // there is no stub of it
	Added   int  // lines
	Removed int
}

func sizes(files, given []assembly.File) []File {
	var list []File
	for _, f := range files {
		s := File{Path: f.Path, Lines: len(lines(f.Content)), New: true}
		s.Added = s.Lines
		for _, g := range given {
			if g.Path == f.Path {
				s.New = false
				s.Added, s.Removed = difference(lines(g.Content), lines(f.Content))
			}
		}
		list = append(list, s)
	}
	return list
}

func lines(content []byte) [][]byte {
	content = bytes.TrimSuffix(content, []byte("\n"))
	if len(content) == 0 {
		return nil
	}
	return bytes.Split(content, []byte("\n"))
}

// rewritten is the number of different lines from which on a file counts as
// written anew: the time to find the shortest difference grows with its square.
const rewritten = 4000

// difference counts the lines of the shortest difference between a and b, after
// Myers, "An O(ND) Difference Algorithm and Its Variations".
func difference(a, b [][]byte) (added, removed int) {
	longest := min(len(a)+len(b), rewritten)
	furthest := make([]int, 2*longest+3)
	for d := 0; d <= longest; d++ {
		for k := -d; k <= d; k += 2 {
			at := k + longest + 1
			x := furthest[at-1] + 1
			if k == -d || k != d && furthest[at-1] < furthest[at+1] {
				x = furthest[at+1]
			}
			for x < len(a) && x-k < len(b) && bytes.Equal(a[x], b[x-k]) {
				x++
			}
			furthest[at] = x
			if x >= len(a) && x-k >= len(b) {
				return (d + len(b) - len(a)) / 2, (d + len(a) - len(b)) / 2
			}
		}
	}
	return len(b), len(a)
}

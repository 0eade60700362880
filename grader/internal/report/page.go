package report

import (
	"fmt"
	"strings"
)

// MaxMarkdown bounds a Markdown report, in bytes. GitHub takes comments of 65,536
// characters, and whoever posts the report may want to add some.
const MaxMarkdown = 60_000

// page collects blocks of Markdown as long as there is room.
type page struct {
	b      strings.Builder
	left   int // findings that had no room
	noRoom bool
}

// pageEnd is the room for the sentence that says what is left out.
const pageEnd = 200

// add adds a block, all of it or nothing, and reports whether it had room.
func (p *page) add(block string) bool {
	if p.b.Len()+len(block) > MaxMarkdown-pageEnd {
		p.noRoom = true
		return false
	}
	p.b.WriteString(block)
	return true
}

func (p *page) text() string {
	if !p.noRoom {
		return p.b.String()
	}
	what := "Something"
	if p.left > 0 {
		what = fmt.Sprintf("%d findings", p.left)
	}
	return fmt.Sprintf("%s\n**%s had no room in this comment;** the JSON report has more.\n", p.b.String(), what)
}

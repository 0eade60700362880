package review

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
)

// Checklist is what the mentor of a week looks at, as its README has it.
type Checklist struct {
	Week      int
	Items     []string // to look at; Markdown
	Questions []string // to ask; Markdown
}

// checklists returns those of the weeks of the verdicts.
func checklists(c *course.Course, verdicts []*grade.Verdict) ([]Checklist, error) {
	var weeks []int
	for _, v := range verdicts {
		weeks = append(weeks, v.Ex.Week)
	}
	slices.Sort(weeks)
	var list []Checklist
	for _, n := range slices.Compact(weeks) {
		readme, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(course.WeekDir(n)), "README.md"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if c := checklist(string(readme)); len(c.Items)+len(c.Questions) > 0 {
			c.Week = n
			list = append(list, c)
		}
	}
	return list, nil
}

var (
	mentorTitle = regexp.MustCompile(`(?im)^##+ .*mentor looks at.*$`)
	nextTitle   = regexp.MustCompile(`(?m)^##? `)
	listItem    = regexp.MustCompile(`^(?:[-*]|\d+\.) +`)
)

// checklist reads the section of that title: its bullets are to look at, and
// what it numbers are questions.
func checklist(readme string) Checklist {
	var c Checklist
	at := mentorTitle.FindStringIndex(readme)
	if at == nil {
		return c
	}
	section := readme[at[1]:]
	if end := nextTitle.FindStringIndex(section); end != nil {
		section = section[:end[0]]
	}
	var into *[]string // of the item that is open
	for line := range strings.Lines(section) {
		line = strings.TrimRight(line, "\r\n")
		mark := listItem.FindString(line)
		switch {
		case mark != "":
			into = &c.Items
			if mark[0] >= '0' && mark[0] <= '9' {
				into = &c.Questions
			}
			*into = append(*into, line[len(mark):])
		case into != nil && strings.HasPrefix(line, "  ") && strings.TrimSpace(line) != "":
			(*into)[len(*into)-1] += " " + strings.TrimSpace(line)
		default:
			into = nil
		}
	}
	return c
}

// title names the exercises of a review, such as "weeks 5 and 6, m03a".
func title(verdicts []*grade.Verdict) string {
	var weeks []int
	var milestones []string
	for _, v := range verdicts {
		if v.Ex.Kind == course.Project {
			milestones = append(milestones, v.Exercise)
		} else if !slices.Contains(weeks, v.Ex.Week) {
			weeks = append(weeks, v.Ex.Week)
		}
	}
	var parts []string
	for _, n := range weeks {
		parts = append(parts, fmt.Sprintf("week %d", n))
	}
	return strings.Join(append(parts, milestones...), ", ")
}

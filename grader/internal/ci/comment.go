package ci

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/printable"
	"github.com/middle-go/course/grader/internal/report"
)

// Marker is the first line of every comment. The next comment on the same pull
// request replaces the one that begins with it.
const Marker = "<!-- middle-go: verdict -->"

// Comment is what a pull request is told.
type Comment struct {
	Plan    *Plan
	Results []Result
	Commit  string // that was graded
	Course  string // commit of the course
}

// Status is the worst of the results. A week without a report is blocked.
func (c *Comment) Status() checks.Status {
	worst := checks.Pass
	for _, r := range c.Results {
		if r.Err != nil {
			worst = grade.Worst(worst, checks.Blocked)
			continue
		}
		worst = grade.Worst(worst, r.Report.Status)
	}
	return worst
}

// maxComment bounds a comment, in bytes. GitHub takes 65,536 characters.
const maxComment = 65_000

// Write writes the comment in Markdown. What has no room in a comment of GitHub is
// counted.
func (c *Comment) Write(w io.Writer) error {
	var b strings.Builder
	b.WriteString(Marker + "\n\n")
	if len(c.Results) == 0 {
		b.WriteString("## Nothing to grade\n\nThe student's files of every exercise are those of the course. ")
		b.WriteString("For a step of the project alone, name the branch after the week, as in `week-09`.\n")
	} else if err := c.merged().Write(&b, report.Markdown); err != nil {
		return err
	}
	c.missing(&b)
	c.ignored(&b)
	fmt.Fprintf(&b, "\nGraded: %s. Tests, build files and grader: the course at %s.\n", commit(c.Commit), commit(c.Course))
	_, err := io.WriteString(w, b.String())
	return err
}

// merged is one summary of all reports.
func (c *Comment) merged() *report.Summary {
	var (
		verdicts []*grade.Verdict
		earlier  []report.Earlier
		elapsed  time.Duration
		weeks    []string
		has      = map[string]bool{}
	)
	for _, r := range c.Results {
		weeks = append(weeks, fmt.Sprint(r.Week))
		if r.Err != nil {
			continue
		}
		elapsed += r.Report.Elapsed
		for _, v := range r.Report.Verdicts {
			has[v.Exercise] = true
			verdicts = append(verdicts, v)
		}
	}
	for _, r := range c.Results {
		if r.Err != nil {
			continue
		}
		for _, e := range r.Report.Earlier {
			if !has[e.Exercise] {
				has[e.Exercise] = true
				earlier = append(earlier, e)
			}
		}
	}
	title := "Week " + weeks[0]
	if len(weeks) > 1 {
		title = "Weeks " + strings.Join(weeks, ", ")
	}
	s := report.NewSummary(title, verdicts, elapsed)
	s.AddEarlier(earlier...)
	s.Status = c.Status()
	return s
}

func (c *Comment) missing(b *strings.Builder) {
	for _, r := range c.Results {
		if r.Err == nil {
			continue
		}
		reason := printable.Markdown(r.Err.Error())
		if len(reason) > 500 {
			reason = "its report cannot be read; the log of the job report says why"
		}
		fmt.Fprintf(b, "\n**Week %d has no verdict:** %s.\n", r.Week, reason)
	}
}

func (c *Comment) ignored(b *strings.Builder) {
	files := c.Plan.Ignored
	if len(files.Files) == 0 {
		return
	}
	b.WriteString("\n### Changes without effect\n\nThese files differ from the course's and are not the student's. The course's were used.\n\n")
	more := files.More
	for _, f := range files.Files {
		line := fmt.Sprintf("- %s\n", printable.Markdown(f))
		if b.Len()+len(line) > maxComment {
			more++
			continue
		}
		b.WriteString(line)
	}
	if more > 0 {
		fmt.Fprintf(b, "- and %d or more others\n", more)
	}
}

var hash = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

func commit(s string) string {
	if !hash.MatchString(s) {
		return "an unnamed commit"
	}
	return "commit " + s[:7]
}

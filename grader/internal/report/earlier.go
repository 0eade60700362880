package report

import (
	"fmt"
	"strings"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// Earlier is a milestone that was graded again, because later work must not
// break it.
type Earlier struct {
	*grade.Verdict

	// PassedBefore says that the student's record has it as passed. A failure
	// is then a regression.
	PassedBefore bool `json:"passed_before"`
}

// AddEarlier adds milestones that were graded again. They decide with the
// others.
func (s *Summary) AddEarlier(list ...Earlier) {
	s.Earlier = append(s.Earlier, list...)
	for _, e := range list {
		s.Status = grade.Worst(s.Status, e.Status)
	}
}

// words say what it means that an earlier milestone has this status.
func (e Earlier) words() string {
	switch {
	case e.Status == checks.Pass:
		return "still passes"
	case e.Status == checks.Blocked:
		return "could not be graded again"
	case e.Status == checks.Rejected && e.PassedBefore:
		return "passed before, now is rejected"
	case e.PassedBefore:
		return "passed before, now fails"
	case e.Untouched:
		return "is an earlier milestone, and not started"
	default:
		return "is an earlier milestone, and fails"
	}
}

// textEarlier shows earlier milestones: those that pass in one line, the others
// in full.
func (s *Summary) textEarlier(b *strings.Builder) {
	var passed []string
	for _, e := range s.Earlier {
		if e.Status == checks.Pass {
			passed = append(passed, slug(e.Verdict))
		}
	}
	if len(passed) > 0 {
		fmt.Fprintf(b, "\n%s %s\n", Mark(checks.Pass), faint.Render(stillPass(passed)))
	}
	for _, e := range s.Earlier {
		if e.Status == checks.Pass {
			continue
		}
		fmt.Fprintf(b, "\n%s %s  %s\n", Mark(e.Status), bold.Render(slug(e.Verdict)), e.Title)
		line := slug(e.Verdict) + " " + e.words()
		findings := failing(e.Verdict)
		if len(findings) == 0 {
			fmt.Fprintf(b, "    %s\n", red.Render(line))
			continue
		}
		fmt.Fprintf(b, "    %s\n", red.Render(line+": "+s.headline(findings[0])))
		s.textBody(b, e.Verdict, findings[0])
		s.textRest(b, findings[1:])
	}
}

func stillPass(slugs []string) string {
	if len(slugs) == 1 {
		return slugs[0] + " still passes"
	}
	return strings.Join(slugs, ", ") + " still pass"
}

// broken lists the earlier milestones that do not pass.
func (s *Summary) broken() []string {
	var list []string
	for _, e := range s.Earlier {
		if e.Status != checks.Pass {
			list = append(list, slug(e.Verdict))
		}
	}
	return list
}

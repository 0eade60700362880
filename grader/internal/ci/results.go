package ci

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
)

// Result is what a machine said of a week.
type Result struct {
	Week   int
	Report *report.Summary // nil if Err is not
	Err    error
}

// ReportName is the file that a machine leaves for the week that it graded.
const ReportName = "report.json"

// ResultDir is the directory, and the artifact, with the report of a week.
func ResultDir(week int) string { return fmt.Sprintf("result-week-%d", week) }

// ReadResults reads the reports of the weeks of p from the directories below dir.
// Reports that nobody asked for are not looked at.
func ReadResults(c *course.Course, p *Plan, dir string) ([]Result, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var all []Result
	for _, week := range p.Weeks {
		s, err := readResult(c, root, week)
		all = append(all, Result{week, s, err})
	}
	return all, nil
}

func readResult(c *course.Course, root *os.Root, week int) (*report.Summary, error) {
	w, err := c.Week(week)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(ResultDir(week), ReportName)
	info, err := root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("there is no report: the job that graded the week did not finish; its log says why")
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("the report is not a regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := report.Read(f)
	if err != nil {
		return nil, err
	}
	return s, asked(c, w, s)
}

// asked reports an error if s is not about exactly the exercises and the milestone
// of w.
func asked(c *course.Course, w *course.Week, s *report.Summary) error {
	want, earlier, err := Exercises(c, w)
	if err != nil {
		return err
	}
	var again []*grade.Verdict
	for _, e := range s.Earlier {
		again = append(again, e.Verdict)
	}
	if !slices.Equal(exerciseIDs(want), verdictIDs(s.Verdicts)) || !slices.Equal(exerciseIDs(earlier), verdictIDs(again)) {
		return fmt.Errorf("the report is not about the exercises of week %d", w.Number)
	}
	return nil
}

// Exercises returns what is graded of a week: its exercises and its milestone, and
// the earlier milestones that later work must not break.
func Exercises(c *course.Course, w *course.Week) (list, earlier []*course.Exercise, err error) {
	list = slices.Clone(w.Exercises)
	if w.Milestone == "" {
		return list, nil, nil
	}
	m, err := c.Milestone(w.Milestone)
	if err != nil {
		return nil, nil, err
	}
	earlier, err = c.Earlier(m)
	return append(list, m), earlier, err
}

func exerciseIDs(list []*course.Exercise) []string {
	var ids []string
	for _, ex := range list {
		ids = append(ids, ex.ID())
	}
	slices.Sort(ids)
	return ids
}

func verdictIDs(list []*grade.Verdict) []string {
	var ids []string
	for _, v := range list {
		ids = append(ids, v.Exercise)
	}
	slices.Sort(ids)
	return ids
}

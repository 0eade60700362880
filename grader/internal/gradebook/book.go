// Package gradebook turns many JSON reports into one table: where every student
// of a cohort stands, and what costs the cohort most.
package gradebook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/printable"
	"github.com/middle-go/course/grader/internal/report"
)

// Book is where a cohort stands.
type Book struct {
	Now      time.Time
	Students []*Student // by name

	exercises []*course.Exercise // in the order of the course
	byID      map[string]*course.Exercise
}

// New returns an empty book for exercises and milestones, in the order of the
// course. Titles and beliefs come from them and not from the reports.
func New(exercises []*course.Exercise, now time.Time) *Book {
	b := &Book{Now: now, exercises: exercises, byID: map[string]*course.Exercise{}}
	for _, e := range exercises {
		b.byID[e.ID()] = e
	}
	return b
}

// Add notes what a report says of the student with the given key, such as the
// name of a directory. Reports may come in any order, and more than once: of each exercise the latest verdict stands, and all different
// ones count for what it has cost. What does not fit the course is left out, and
// the error says so.
func (b *Book) Add(key string, s *report.Summary) error {
	verdicts := slices.Clone(s.Verdicts)
	regressed := map[string]bool{}
	for _, e := range s.Earlier {
		verdicts = append(verdicts, e.Verdict)
		regressed[e.Exercise] = e.PassedBefore && e.Status != checks.Pass
	}
	var wrong []string
	for _, v := range verdicts {
		switch ex := b.byID[v.Exercise]; {
		case ex == nil:
			wrong = append(wrong, v.Exercise+" is not in this course")
		case v.At.After(b.Now.Add(clockSkew)):
			wrong = append(wrong, fmt.Sprintf("%s was graded in the future, at %s", v.Exercise, v.At.UTC().Format(time.RFC3339)))
		default:
			m := b.student(key).mark(v.Exercise)
			m.add(ex, v, regressed[v.Exercise])
			m.Hints = max(m.Hints, s.HintsUsed[v.Exercise])
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("left out: %s", strings.Join(wrong, "; "))
	}
	return nil
}

// clockSkew is how wrong the clock of a machine that grades may be.
const clockSkew = 24 * time.Hour

func (b *Book) student(key string) *Student {
	i, ok := slices.BinarySearchFunc(b.Students, key, func(s *Student, key string) int { return compareKeys(s.key, key) })
	if !ok {
		b.Students = slices.Insert(b.Students, i, &Student{Name: shownName(key), key: key, marks: map[string]*Mark{}})
	}
	return b.Students[i]
}

func compareKeys(a, b string) int {
	return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
}

// Exercises returns the exercises and milestones of the weeks up to the last
// one that anybody has been graded in.
func (b *Book) Exercises() []*course.Exercise {
	last := 0
	for _, s := range b.Students {
		for id := range s.marks {
			last = max(last, b.byID[id].Week)
		}
	}
	var list []*course.Exercise
	for _, e := range b.exercises {
		if e.Week <= last {
			list = append(list, e)
		}
	}
	return list
}

// Weeks returns the weeks of Exercises.
func (b *Book) Weeks() []int {
	var list []int
	for _, e := range b.Exercises() {
		if !slices.Contains(list, e.Week) {
			list = append(list, e.Week)
		}
	}
	return list
}

// Student is a row of the book.
type Student struct {
	Name string // one printable line, and still a stranger's text

	key   string           // tells two students apart whose names print the same
	marks map[string]*Mark // by the ID of the exercise
}

// nameLimit is how much of a name is shown, in characters.
const nameLimit = 60

func shownName(key string) string {
	name := strings.Join(strings.Fields(printable.Text(key)), " ")
	if runes := []rune(name); len(runes) > nameLimit {
		return string(runes[:nameLimit-1]) + "…"
	}
	return cmp.Or(name, "(no name)")
}

// Mark returns what is known of an exercise, or nil if it was never graded.
func (s *Student) Mark(id string) *Mark { return s.marks[id] }

func (s *Student) mark(id string) *Mark {
	if s.marks[id] == nil {
		s.marks[id] = &Mark{failed: map[int64]string{}}
	}
	return s.marks[id]
}

// Mark is what reports say of one exercise of one student.
type Mark struct {
	Status    checks.Status // of the latest verdict
	Untouched bool          // it is the stub
	Practice  bool          // it was given outside the whole box
	Regressed bool          // it passed before
	At        time.Time
	Belief    string // the belief behind its first failure that has one
	Hints     int    // the most that any report says

	failed map[int64]string // beliefs of the failed verdicts, by time
}

func (m *Mark) add(ex *course.Exercise, v *grade.Verdict, regressed bool) {
	belief := firstBelief(ex, v)
	if (v.Status == checks.Fail || v.Status == checks.Rejected) && !v.Untouched {
		at := v.At.UnixNano()
		m.failed[at] = max(m.failed[at], belief)
	}
	if v.At.Before(m.At) || v.At.Equal(m.At) && grade.Worst(m.Status, v.Status) == m.Status && m.Status != "" {
		m.Regressed = m.Regressed || regressed && v.At.Equal(m.At)
		return
	}
	m.Status, m.Untouched, m.Practice, m.Regressed, m.At, m.Belief = v.Status, v.Untouched, v.Practice(), regressed, v.At, belief
}

// firstBelief returns the belief that a student reads first. Later failures are
// often consequences, or code that is not written yet.
func firstBelief(ex *course.Exercise, v *grade.Verdict) string {
	for _, f := range v.Findings() {
		if m, ok := ex.Misconception(f.Rule); ok && !f.Stretch {
			return m.Belief
		}
	}
	return ""
}

// Started reports whether the student has changed the stub.
func (m *Mark) Started() bool { return m != nil && !m.Untouched }

// Passed reports whether the latest verdict is a pass.
func (m *Mark) Passed() bool { return m != nil && m.Status == checks.Pass }

// Word returns the status in the words of the book: not started is one of them.
func (m *Mark) Word() string {
	switch {
	case m == nil:
		return ""
	case m.Untouched:
		return "not started"
	case m.Regressed:
		return "fails again"
	default:
		return string(m.Status)
	}
}

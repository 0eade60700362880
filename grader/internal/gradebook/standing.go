package gradebook

import (
	"fmt"
	"time"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
)

// Standing sums some exercises of a student up.
type Standing struct {
	Of, Passed, Failed, Rejected, Blocked int

	Practice  int // passes that were given outside the whole box
	Regressed int
	Hints     int
	Last      time.Time // of the latest verdict; zero without one
}

// Started reports whether the student has changed anything.
func (s Standing) Started() bool { return s.Passed+s.Failed+s.Rejected+s.Blocked > 0 }

// Standing sums exercises of s up.
func (s *Student) Standing(exercises []*course.Exercise) Standing {
	sum := Standing{Of: len(exercises)}
	for _, e := range exercises {
		m := s.Mark(e.ID())
		if m == nil {
			continue
		}
		sum.Hints += m.Hints
		if m.At.After(sum.Last) {
			sum.Last = m.At
		}
		sum.count(m)
	}
	return sum
}

func (s *Standing) count(m *Mark) {
	if m.Regressed {
		s.Regressed++
	}
	switch {
	case m.Untouched:
	case m.Status == checks.Pass:
		s.Passed++
		if m.Practice {
			s.Practice++
		}
	case m.Status == checks.Rejected:
		s.Rejected++
	case m.Status == checks.Blocked:
		s.Blocked++
	default:
		s.Failed++
	}
}

// quiet is how long without a verdict is worth a question.
const quiet = 14 * 24 * time.Hour

// Notes says what a mentor should ask about, or nothing.
func (s Standing) Notes(now time.Time) []string {
	var list []string
	add := func(n int, words string) {
		if n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, words))
		}
	}
	add(s.Rejected, "rejected")
	add(s.Regressed, "passed before and fails now")
	add(s.Blocked, "blocked")
	if silence := now.Sub(s.Last); silence >= quiet && s.Passed < s.Of {
		list = append(list, fmt.Sprintf("quiet for %d days", int(silence.Hours()/24)))
	}
	add(s.Practice, "passed in practice only")
	return list
}

// inWeek returns those of exercises that belong to a week.
func inWeek(exercises []*course.Exercise, week int) []*course.Exercise {
	var list []*course.Exercise
	for _, e := range exercises {
		if e.Week == week {
			list = append(list, e)
		}
	}
	return list
}

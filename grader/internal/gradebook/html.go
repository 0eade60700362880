package gradebook

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/course"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var page = template.Must(template.New("page").Parse(pageHTML))

// writeHTML writes one page that needs nothing else: no script, no network. Its
// policy forbids both, and all styles but its own.
func (b *Book) writeHTML(w io.Writer) error {
	hash := sha256.Sum256([]byte(pageCSS))
	return page.Execute(w, b.view(template.CSS(pageCSS), "sha256-"+base64.StdEncoding.EncodeToString(hash[:])))
}

// view is what the page shows.
type view struct {
	CSS      template.CSS
	CSSHash  string
	Date     string
	Weeks    []weekView
	Students []studentView
	Cohort   Standing

	Exercises     []ExerciseCost
	Beliefs       []BeliefCost
	MoreExercises int
	MoreBeliefs   int
}

type weekView struct {
	Number    int
	Exercises []*course.Exercise
	Cohort    cellView
	Rows      []rowView
}

type rowView struct {
	Name  string
	Marks []markView
}

type studentView struct {
	Name  string
	Weeks []cellView
	Standing
	LastDay string
	Asks    string
}

// cellView is a week of a student, or of the cohort.
type cellView struct {
	Level string // a class: none, or p0 to p4 by the share that has passed
	Text  string // what the cell shows
	Words string // the same as a sentence
	Sign  string // of a rejected or blocked exercise
}

type markView struct{ Class, Sign, Word string }

func (b *Book) view(css template.CSS, hash string) view {
	v := view{CSS: css, CSSHash: hash, Date: b.Now.UTC().Format("2 January 2006"), Exercises: b.ExerciseCosts(), Beliefs: b.BeliefCosts()}
	v.MoreExercises, v.Exercises = top(v.Exercises)
	v.MoreBeliefs, v.Beliefs = top(v.Beliefs)
	exercises := b.Exercises()
	for _, n := range b.Weeks() {
		v.Weeks = append(v.Weeks, b.weekView(n, inWeek(exercises, n)))
	}
	for _, s := range b.Students {
		sum := s.Standing(exercises)
		row := studentView{Name: s.Name, Standing: sum, LastDay: sum.Last.UTC().Format(time.DateOnly), Asks: strings.Join(sum.Notes(b.Now), ", ")}
		for _, w := range v.Weeks {
			row.Weeks = append(row.Weeks, cellOf(s.Standing(w.Exercises)))
		}
		v.Students = append(v.Students, row)
		v.Cohort.Passed += sum.Passed
		v.Cohort.Of += sum.Of
	}
	return v
}

// top returns the first of a list and how many more it has.
func top[T any](list []T) (more int, first []T) {
	n := min(len(list), costLines)
	return len(list) - n, list[:n]
}

func (b *Book) weekView(n int, exercises []*course.Exercise) weekView {
	w := weekView{Number: n, Exercises: exercises}
	cohort := Standing{}
	for _, s := range b.Students {
		row := rowView{Name: s.Name}
		for _, e := range exercises {
			row.Marks = append(row.Marks, markOf(s.Mark(e.ID())))
		}
		w.Rows = append(w.Rows, row)
		sum := s.Standing(exercises)
		cohort.Passed += sum.Passed
		cohort.Failed += sum.Failed
		cohort.Of += sum.Of
	}
	w.Cohort = cellOf(cohort)
	if w.Cohort.Text != "" {
		w.Cohort.Text = fmt.Sprintf("%d%%", 100*cohort.Passed/cohort.Of)
	}
	return w
}

func cellOf(s Standing) cellView {
	if !s.Started() {
		return cellView{Level: "none", Words: "not started"}
	}
	c := cellView{
		Level: fmt.Sprintf("p%d", 4*s.Passed/s.Of),
		Text:  s.fraction(),
		Words: fmt.Sprintf("%d of %d passed", s.Passed, s.Of),
	}
	for _, sign := range []struct {
		n           int
		sign, words string
	}{{s.Blocked, "?", "blocked"}, {s.Rejected, "!", "rejected"}, {s.Regressed, "↩", "passed before and fails now"}} {
		if sign.n > 0 {
			c.Sign = sign.sign
			c.Words += fmt.Sprintf(", %d %s", sign.n, sign.words)
		}
	}
	return c
}

func markOf(m *Mark) markView {
	switch {
	case m == nil:
		return markView{"none", "", "never graded"}
	case m.Untouched:
		return markView{"none", "·", m.Word()}
	case m.Passed():
		return markView{"pass", "✓", m.Word()}
	case m.Regressed:
		return markView{"fail", "↩", m.Word()}
	case m.Status == "rejected":
		return markView{"fail", "!", m.Word()}
	case m.Status == "blocked":
		return markView{"blocked", "?", m.Word()}
	default:
		return markView{"fail", "✗", m.Word()}
	}
}

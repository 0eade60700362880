package gradebook

import (
	"cmp"
	"slices"

	"github.com/middle-go/course/grader/internal/course"
)

// ExerciseCost is what an exercise costs the cohort.
type ExerciseCost struct {
	Exercise *course.Exercise
	Started  int // students
	Stuck    int // of these: those whose latest verdict is no pass
	Verdicts int // failed ones, of all students
	Hints    int
}

// ExerciseCosts returns the exercises that somebody has failed, those first in
// which most students are stuck.
func (b *Book) ExerciseCosts() []ExerciseCost {
	var list []ExerciseCost
	for _, e := range b.Exercises() {
		c := ExerciseCost{Exercise: e}
		for _, s := range b.Students {
			m := s.Mark(e.ID())
			if !m.Started() {
				continue
			}
			c.Started++
			if !m.Passed() {
				c.Stuck++
			}
			c.Verdicts += len(m.failed)
			c.Hints += m.Hints
		}
		if c.Stuck+c.Verdicts > 0 {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b ExerciseCost) int {
		return cmp.Or(cmp.Compare(b.Stuck, a.Stuck), cmp.Compare(b.Verdicts, a.Verdicts), cmp.Compare(b.Hints, a.Hints))
	})
	return list
}

// BeliefCost is what a misconception costs the cohort.
type BeliefCost struct {
	Exercise *course.Exercise
	Belief   string
	Students int // who have met it
	Stuck    int // of these: those whose latest verdict is about it
	Verdicts int // failed ones, of all students
}

// BeliefCosts returns the misconceptions that reports name, those first that
// most students have met. A failed verdict counts for the belief that it names
// first.
func (b *Book) BeliefCosts() []BeliefCost {
	var list []BeliefCost
	for _, e := range b.Exercises() {
		byBelief := map[string]*BeliefCost{}
		for _, s := range b.Students {
			if m := s.Mark(e.ID()); m != nil {
				m.addBeliefs(byBelief)
			}
		}
		for belief, c := range byBelief {
			c.Exercise, c.Belief = e, belief
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b BeliefCost) int {
		return cmp.Or(cmp.Compare(b.Students, a.Students), cmp.Compare(b.Stuck, a.Stuck), cmp.Compare(b.Verdicts, a.Verdicts),
			cmp.Compare(a.Exercise.Week, b.Exercise.Week), cmp.Compare(a.Exercise.ID(), b.Exercise.ID()), cmp.Compare(a.Belief, b.Belief))
	})
	return list
}

// addBeliefs adds one student's mark to the costs of an exercise.
func (m *Mark) addBeliefs(costs map[string]*BeliefCost) {
	met := map[string]bool{}
	for _, belief := range m.failed {
		if belief == "" {
			continue
		}
		c := costs[belief]
		if c == nil {
			c = &BeliefCost{}
			costs[belief] = c
		}
		c.Verdicts++
		if !met[belief] {
			met[belief] = true
			c.Students++
			if m.Started() && !m.Passed() && m.Belief == belief {
				c.Stuck++
			}
		}
	}
}

package verify

import (
	"context"
	"runtime"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/parallel"
)

// Message is the verdict that a student gets for a wrong solution.
type Message struct {
	Wrong   Wrong
	Belief  string // what the manifest says of the test that catches it
	Verdict *grade.Verdict
}

// Messages grades every wrong solution of ex once, as a student's work.
func (v *Verifier) Messages(ctx context.Context, ex *course.Exercise) ([]Message, error) {
	reference, err := v.readReference(ex)
	if err != nil {
		return nil, err
	}
	all, err := loadWrong(v.Solutions, ex)
	if err != nil {
		return nil, err
	}
	messages := make([]Message, len(all))
	err = parallel.Each(ctx, max(1, runtime.GOMAXPROCS(0)/2), all, func(ctx context.Context, i int, w Wrong) error {
		files, err := w.apply(reference)
		if err != nil {
			return err
		}
		verdict, err := v.uncached().Grade(ctx, grade.Request{Exercise: ex, Submission: v.Solutions, Files: files})
		m, _ := ex.Misconception(w.CaughtBy)
		messages[i] = Message{Wrong: w, Belief: m.Belief, Verdict: verdict}
		return err
	})
	return messages, err
}

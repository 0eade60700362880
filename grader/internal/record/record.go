// Package record remembers what a student did: the hints that were shown and
// the last verdict on every exercise. It lives in the student's checkout, in
// .grader/record.json, and is not part of any verdict.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/middle-go/course/grader/internal/atomicfile"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// Record is a student's record. It is not safe for concurrent use.
type Record struct {
	Exercises map[string]*Entry `json:"exercises"`

	file string
}

// Entry is what is known of one exercise.
type Entry struct {
	HintsShown int           `json:"hints_shown,omitempty"`
	Status     checks.Status `json:"status,omitempty"`
	Untouched  bool          `json:"untouched,omitempty"`
	FirstRed   time.Time     `json:"first_red,omitzero"`   // first failing verdict on work of the student's own
	FirstGreen time.Time     `json:"first_green,omitzero"` // first passing verdict
}

// NextHint returns which of an exercise's hints comes next, counted from 1, and
// whether the student has seen them all, so that it is the last one again.
func (e *Entry) NextHint(hints int) (n int, again bool) {
	return min(max(e.HintsShown, 0)+1, hints), e.HintsShown >= hints
}

// Showed remembers that the student has seen hint n.
func (e *Entry) Showed(n int) { e.HintsShown = max(e.HintsShown, n) }

// Open reads the record of the student's tree in root. A tree without one gives
// an empty record.
func Open(root string) (*Record, error) {
	r := &Record{Exercises: map[string]*Entry{}, file: filepath.Join(root, ".grader", "record.json")}
	// The tree may be a stranger's, and a link could lead anywhere.
	for _, name := range []string{filepath.Dir(r.file), r.file} {
		if info, err := os.Lstat(name); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is neither a file nor a directory; remove it to start a new record", name)
		}
	}
	data, err := os.ReadFile(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the record of hints and verdicts cannot be read: %w", err)
	}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w); remove it to start a new record", r.file, err)
	}
	if r.Exercises == nil {
		r.Exercises = map[string]*Entry{}
	}
	return r, nil
}

// Entry returns the entry of an exercise, making an empty one if there is none.
func (r *Record) Entry(id string) *Entry {
	e := r.Exercises[id]
	if e == nil {
		e = &Entry{}
		r.Exercises[id] = e
	}
	return e
}

// Add notes a verdict.
func (r *Record) Add(v *grade.Verdict) {
	e := r.Entry(v.Exercise)
	e.Status, e.Untouched = v.Status, v.Untouched
	switch {
	case v.Status == checks.Pass && e.FirstGreen.IsZero():
		e.FirstGreen = v.At
	case v.Status == checks.Fail && !v.Untouched && e.FirstRed.IsZero():
		e.FirstRed = v.At
	}
}

// Save writes the record. In a tree that cannot be written it returns an error
// that says so; grading does not need the record.
func (r *Record) Save() error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(r.file, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("the record of hints and verdicts is not kept: %w", err)
	}
	return nil
}

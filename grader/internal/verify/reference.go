package verify

import (
	"os"
	"path/filepath"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/cut"
)

// readReference reads the reference of ex.
func (v *Verifier) readReference(ex *course.Exercise) ([]assembly.File, error) {
	return Reference(v.Solutions, v.Grader.Course.Root, ex)
}

// Reference reads the reference of ex from a tree of solutions. That of a
// milestone is the tracker as it stood then: what came later may need packages
// and rules that did not exist.
func Reference(solutions, courseRoot string, ex *course.Exercise) ([]assembly.File, error) {
	if ex.Kind != course.Project {
		return assembly.Read(solutions, courseRoot, ex)
	}
	tree, err := tracker(solutions).Cut(ex.Slug)
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp("", "grader-reference-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(root)
	if err := tree.Write(filepath.Join(root, course.ProjectDir)); err != nil {
		return nil, err
	}
	return assembly.Read(root, courseRoot, ex)
}

func (v *Verifier) tracker() cut.Reference { return tracker(v.Solutions) }

func tracker(solutions string) cut.Reference {
	return cut.Reference{Dir: filepath.Join(solutions, course.ProjectDir), Name: "solutions/" + course.ProjectDir}
}

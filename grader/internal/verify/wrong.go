package verify

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// Wrong is a wrong solution: the reference with one misconception.
type Wrong struct {
	Name     string // file name without .go
	Belief   string // what its author believes or does
	CaughtBy string // the test, or the rule of the grader, that must fail
	Replaces string // the student's file, from the root of the tree
	Content  []byte
}

// wrongDir is where the wrong solutions of ex lie below the solutions.
func wrongDir(ex *course.Exercise) string {
	if ex.Kind == course.Project {
		return path.Join(ex.Module, "testdata/wrong", ex.Slug)
	}
	return path.Join(ex.Dir, "testdata/wrong")
}

// loadWrong reads the wrong solutions of ex from the solutions tree, in the
// order of their names.
func loadWrong(solutions string, ex *course.Exercise) ([]Wrong, error) {
	dir := wrongDir(ex)
	names, err := fs.Glob(os.DirFS(filepath.Join(solutions, filepath.FromSlash(dir))), "*.go")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(names, naturally)
	var all []Wrong
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(solutions, filepath.FromSlash(dir), name))
		if err != nil {
			return nil, err
		}
		w, err := parseWrong(path.Join("solutions", dir, name), content, ex)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// naturally orders w2 before w10.
func naturally(a, b string) int {
	if len(a) != len(b) {
		pa, _, _ := strings.Cut(a, "_")
		pb, _, _ := strings.Cut(b, "_")
		if len(pa) != len(pb) {
			return len(pa) - len(pb)
		}
	}
	return strings.Compare(a, b)
}

// parseWrong reads the header of a wrong solution:
//
//	// Wrong: closes the output before the workers are done.
//	// Caught by: TestPipeline_AllResultsArrive
//	// Replaces: pipeline.go
//
// The last line is needed only where the student has several files.
func parseWrong(name string, content []byte, ex *course.Exercise) (Wrong, error) {
	header := map[string]string{}
	for line := range strings.Lines(string(content)) {
		text, isComment := strings.CutPrefix(strings.TrimSpace(line), "// ")
		if !isComment {
			break
		}
		if key, value, ok := strings.Cut(text, ": "); ok {
			header[key] = strings.TrimSuffix(strings.TrimSpace(value), ".")
		}
	}
	for _, key := range []string{"Wrong", "Caught by"} {
		if header[key] == "" {
			return Wrong{}, fmt.Errorf("%s:1: a wrong solution begins with %q", name, "// "+key+": ...")
		}
	}
	w := Wrong{
		Name: strings.TrimSuffix(path.Base(name), ".go"), Belief: header["Wrong"], CaughtBy: header["Caught by"],
		Content: content,
	}
	switch {
	case header["Replaces"] != "":
		w.Replaces = path.Join(ex.FilesDir(), header["Replaces"])
	case len(ex.Files) == 1 && !strings.Contains(ex.Files[0], "*"):
		w.Replaces = path.Join(ex.FilesDir(), ex.Files[0])
	default:
		return Wrong{}, fmt.Errorf("%s:1: the exercise has several files; name one with %q", name, "// Replaces: ...")
	}
	return w, nil
}

// apply returns the reference with the wrong file in place of its own.
func (w Wrong) apply(reference []assembly.File) ([]assembly.File, error) {
	files := slices.Clone(reference)
	i := slices.IndexFunc(files, func(f assembly.File) bool { return f.Path == w.Replaces })
	if i < 0 {
		return nil, fmt.Errorf("%s replaces %s, which the reference does not have", w.Name, w.Replaces)
	}
	files[i] = assembly.File{Path: w.Replaces, Content: w.Content}
	return files, nil
}

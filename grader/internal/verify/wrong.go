package verify

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/patch"
)

// Wrong is a wrong solution: the reference with one misconception.
type Wrong struct {
	Name     string // file name without .go or .patch
	Belief   string // what its author believes or does
	CaughtBy string // the test, or the rule of the grader, that must fail

	file    string // where it lies, for errors
	changes []change
}

// change is what a wrong solution does to one file of the reference.
type change struct {
	file string                               // from the root of the tree
	edit func(content string) (string, error) // gives the wrong content
	kind changeKind
}

type changeKind int

const (
	replaces changeKind = iota
	adds
	removes
)

// wrongDir is where the wrong solutions of ex lie below the solutions.
func wrongDir(ex *course.Exercise) string {
	if ex.Kind == course.Project {
		return path.Join(ex.FilesDir(), "testdata/wrong", ex.Slug)
	}
	return path.Join(ex.Dir, "testdata/wrong")
}

// loadWrong reads the wrong solutions of ex from the solutions tree, in the
// order of their names.
func loadWrong(solutions string, ex *course.Exercise) ([]Wrong, error) {
	dir := wrongDir(ex)
	entries, err := os.ReadDir(filepath.Join(solutions, filepath.FromSlash(dir)))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if ext := path.Ext(e.Name()); ext == ".go" || ext == ".patch" {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, naturally)
	var all []Wrong
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(solutions, filepath.FromSlash(dir), name))
		if err != nil {
			return nil, err
		}
		w, err := parseWrong(path.Join("solutions", dir, name), string(content), ex)
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

// parseWrong reads a wrong solution. A Go file is the whole of one file of the
// student's, and has a header:
//
//	// Wrong: closes the output before the workers are done.
//	// Caught by: TestPipeline_AllResultsArrive
//	// Replaces: pipeline.go
//
// The last line is needed only where the student has several files. A patch has
// the first two lines without the slashes, and then a unified diff of the
// reference.
func parseWrong(name, content string, ex *course.Exercise) (Wrong, error) {
	isPatch := path.Ext(name) == ".patch"
	mark := "// "
	if isPatch {
		mark = ""
	}
	header := readHeader(content, mark)
	for _, key := range []string{"Wrong", "Caught by"} {
		if header[key] == "" {
			return Wrong{}, fmt.Errorf("%s:1: a wrong solution begins with %q", name, mark+key+": ...")
		}
	}
	w := Wrong{
		Name: strings.TrimSuffix(path.Base(name), path.Ext(name)), Belief: header["Wrong"], CaughtBy: header["Caught by"],
		file: name,
	}
	if isPatch {
		files, err := patch.Parse(content)
		if err != nil {
			return Wrong{}, fmt.Errorf("%s:%w", name, err)
		}
		for _, f := range files {
			w.changes = append(w.changes, patched(f, ex.FilesDir()))
		}
		return w, nil
	}
	target := header["Replaces"]
	if target == "" {
		if len(ex.Files) != 1 || strings.Contains(ex.Files[0], "*") {
			return Wrong{}, fmt.Errorf("%s:1: the exercise has several files; name one with %q", name, "// Replaces: ...")
		}
		target = ex.Files[0]
	}
	whole := func(string) (string, error) { return content, nil }
	w.changes = []change{{file: path.Join(ex.FilesDir(), target), edit: whole}}
	return w, nil
}

// readHeader reads the lines "key: value" at the start of a wrong solution, each
// behind a mark.
func readHeader(content, mark string) map[string]string {
	header := map[string]string{}
	for line := range strings.Lines(content) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), mark)
		key, value, isKey := strings.Cut(text, ": ")
		if !ok || mark == "" && !isKey {
			break
		}
		if isKey {
			header[key] = strings.TrimSuffix(strings.TrimSpace(value), ".")
		}
	}
	return header
}

// patched is the change that a patch makes to one file below dir.
func patched(f patch.File, dir string) change {
	c := change{file: path.Join(dir, f.Name), edit: f.Apply}
	switch {
	case f.New:
		c.kind = adds
	case f.Gone:
		c.kind = removes
	}
	return c
}

// apply returns the reference with the mistake in it.
func (w Wrong) apply(reference []assembly.File) ([]assembly.File, error) {
	files := slices.Clone(reference)
	for _, c := range w.changes {
		i := slices.IndexFunc(files, func(f assembly.File) bool { return f.Path == c.file })
		var was assembly.File
		switch {
		case i >= 0 && c.kind == adds:
			return nil, fmt.Errorf("%s: adds %s, which the reference has already", w.file, c.file)
		case i < 0 && c.kind != adds:
			return nil, fmt.Errorf("%s: changes %s, which the reference does not have", w.file, c.file)
		case i >= 0:
			was = files[i]
			files = slices.Delete(files, i, i+1)
		}
		content, err := c.edit(string(was.Content))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.file, err)
		}
		if c.kind != removes {
			files = append(files, assembly.File{Path: c.file, Content: []byte(content)})
		}
	}
	slices.SortFunc(files, func(a, b assembly.File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

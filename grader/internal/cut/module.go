package cut

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/middle-go/course/grader/internal/course"
)

// Module returns the course's go.mod and go.sum of the tracker for a cut in the
// directory dir: where they replace a module by a directory, that is the same
// one when it is looked for from dir.
func Module(root, dir string) (Tree, error) {
	from := filepath.Join(root, course.ProjectDir)
	name := filepath.Join(from, "go.mod")
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(name, content, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range mod.Replace {
		if !modfile.IsDirectoryPath(r.New.Path) || filepath.IsAbs(r.New.Path) {
			continue
		}
		to, err := relative(dir, filepath.Join(from, filepath.FromSlash(r.New.Path)))
		if err != nil {
			return nil, err
		}
		if err := mod.AddReplace(r.Old.Path, r.Old.Version, to, ""); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if content, err = mod.Format(); err != nil {
		return nil, err
	}
	tree := Tree{{Path: "go.mod", Content: content}}
	sums, err := os.ReadFile(filepath.Join(from, "go.sum"))
	if os.IsNotExist(err) {
		return tree, nil
	}
	return append(tree, File{Path: "go.sum", Content: sums}), err
}

// relative returns to as go.mod in dir writes it.
func relative(dir, to string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(abs, to)
	if err != nil {
		return to, nil // on another drive
	}
	if filepath.IsLocal(rel) {
		rel = "." + string(filepath.Separator) + rel
	}
	return filepath.ToSlash(rel), nil
}

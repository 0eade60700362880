package cut

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// Reference is a [Source]: the finished tracker with its markers.
type Reference struct {
	Dir  string
	Name string // how errors call Dir
}

// Cut returns the reference as it stands after the milestone id. The wrong
// solutions and all else in its testdata directory are no part of it, and
// neither are go.mod and go.sum, which are the course's. A file that can carry
// no marker, such as JSON, came with its directory: with the first file of it
// that can.
//
// The error lists everything that is wrong with the markers of the whole
// reference, with file and line.
func (r Reference) Cut(id string) (Tree, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	files, texts, err := r.read()
	if err != nil {
		return nil, err
	}
	var errs []error
	since := arrivals(texts)
	var tree Tree
	for _, f := range files {
		t := texts[f.Path]
		switch {
		case t == nil && arrival(since, path.Dir(f.Path)) > id, t != nil && t.since > id:
			continue
		case t != nil:
			if f.Content, err = t.cut(id); err != nil {
				errs = append(errs, err)
			}
		}
		tree = append(tree, f)
	}
	return tree, errors.Join(errs...)
}

// read reads the files of the reference, and the markers of those that can carry
// some, by path.
func (r Reference) read() (Tree, map[string]*text, error) {
	files, err := readTree(os.DirFS(r.Dir), r.Name)
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	texts := map[string]*text{}
	for _, f := range files {
		s, ok := syntaxOf(f.Path)
		if !ok {
			continue
		}
		if texts[f.Path], err = parse(path.Join(r.Name, f.Path), f.Content, s); err != nil {
			errs = append(errs, err)
		}
	}
	return files, texts, errors.Join(errs...)
}

// arrivals returns the milestones of the directories with marked files.
func arrivals(texts map[string]*text) map[string]string {
	since := map[string]string{}
	for name, t := range texts {
		if dir := path.Dir(name); since[dir] == "" || t.since < since[dir] {
			since[dir] = t.since
		}
	}
	return since
}

// arrival returns the milestone of a directory without marked files: that of
// the nearest one above it that has some.
func arrival(since map[string]string, dir string) string {
	for ; dir != "."; dir = path.Dir(dir) {
		if id, ok := since[dir]; ok {
			return id
		}
	}
	return first
}

// readTree reads what a student may have written of a tracker.
func readTree(dir fs.FS, name string) (Tree, error) {
	var tree Tree
	err := fs.WalkDir(dir, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p == "testdata":
			return fs.SkipDir
		case d.IsDir(), p == "go.mod", p == "go.sum":
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is not a regular file", path.Join(name, p))
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := fs.ReadFile(dir, p)
		if err != nil {
			return fmt.Errorf("%s: %w", path.Join(name, p), err)
		}
		tree = append(tree, File{Path: p, Content: content, Executable: info.Mode()&0o111 != 0})
		return nil
	})
	return tree, err
}

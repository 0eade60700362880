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
	files, err := readTree(os.DirFS(r.Dir), r.Name)
	if err != nil {
		return nil, err
	}
	var errs []error
	texts := map[string]*text{}
	since := map[string]string{} // of directories
	for _, f := range files {
		s, ok := syntaxOf(f.Path)
		if !ok {
			continue
		}
		t, err := parse(path.Join(r.Name, f.Path), f.Content, s)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		texts[f.Path] = t
		if dir := path.Dir(f.Path); since[dir] == "" || t.since < since[dir] {
			since[dir] = t.since
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
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

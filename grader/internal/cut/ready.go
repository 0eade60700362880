package cut

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Ready is a [Source] of cuts that were made before, for a repository without
// the reference. Dir holds the cut of m04a as the directory m04a or as the
// archive m04a.zip.
type Ready struct{ Dir string }

// Cut returns the cut of a milestone. If it is not there, the error says where
// it is expected.
func (r Ready) Cut(id string) (Tree, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	dir := filepath.Join(r.Dir, id)
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return readTree(os.DirFS(dir), dir)
	}
	archive, err := zip.OpenReader(dir + ".zip")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("this repository has no reference to cut %s from; get %s.zip from your mentor or from the course, and put it into %s", id, id, r.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("%s.zip: %w", dir, err)
	}
	defer archive.Close()
	return readTree(archive, dir+".zip")
}

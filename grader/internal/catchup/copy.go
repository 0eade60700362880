package catchup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/middle-go/course/grader/internal/course"
)

// saveCopy copies the tracker beside itself. The copy has its name only once it
// is complete.
func saveCopy(ctx context.Context, t *tracker, req Request) (Saved, error) {
	name := fmt.Sprintf("%s.before-week-%02d", course.ProjectDir, req.Week)
	dir := filepath.Join(req.Root, name)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return Saved{}, fmt.Errorf("%s is there already; rename it or remove it first. Nothing was changed", dir)
	}
	tmp, err := os.MkdirTemp(req.Root, "."+name+"-")
	if err != nil {
		return Saved{}, err
	}
	defer os.RemoveAll(tmp) // does nothing once it was renamed
	if err := t.copyTo(ctx, tmp); err != nil {
		return Saved{}, fmt.Errorf("the tracker could not be saved; nothing was changed: %w", err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return Saved{}, err
	}
	return Saved{
		Dir:  name,
		In:   req.Root,
		Look: []string{fmt.Sprintf("diff -ru %s %s", name, course.ProjectDir)},
		Back: []string{"rm -r " + course.ProjectDir, fmt.Sprintf("mv %s %s", name, course.ProjectDir)},
	}, nil
}

func (t *tracker) copyTo(ctx context.Context, dir string) error {
	return fs.WalkDir(t.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(p))
		switch {
		case d.IsDir():
			if err := os.MkdirAll(to, 0o755); err != nil {
				return err
			}
			return os.Chmod(to, info.Mode().Perm()|0o700)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := t.Readlink(filepath.FromSlash(p))
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		case info.Mode().IsRegular():
			content, err := t.ReadFile(filepath.FromSlash(p))
			if err != nil {
				return err
			}
			if err := os.WriteFile(to, content, 0o600); err != nil {
				return err
			}
			return errors.Join(os.Chtimes(to, info.ModTime(), info.ModTime()), os.Chmod(to, info.Mode().Perm()))
		}
		return nil
	})
}

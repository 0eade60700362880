package git

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Extract writes the files of a commit, those below the directory of r, into dir,
// which it makes. Links and
// submodules are left out. If it fails, there is no dir.
func (r *Repo) Extract(ctx context.Context, commit, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "extract-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) // does nothing once it was renamed
	reader, writer := io.Pipe()
	archived := make(chan error, 1)
	go func() {
		err := r.stream(ctx, writer, "archive", "--format=tar", "--end-of-options", commit)
		writer.CloseWithError(err)
		archived <- err
	}()
	err = untar(reader, tmp)
	reader.CloseWithError(err)
	if gitErr := <-archived; err == nil || gitErr != nil && !errors.Is(gitErr, io.ErrClosedPipe) {
		err = errors.Join(err, gitErr)
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil && !isDir(dir) { // another run may have been faster
		return err
	}
	return nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func untar(r io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, r) // git pads the end
			return err
		}
		if err != nil {
			return err
		}
		name := filepath.FromSlash(strings.TrimSuffix(h.Name, "/"))
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = writeFile(root, name, t, os.FileMode(h.Mode).Perm())
		}
		if err != nil {
			return err
		}
	}
}

func writeFile(root *os.Root, name string, content io.Reader, perm os.FileMode) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

// Find returns the first content that a file ever had, in any branch, and that
// is the wanted one, or nil.
func (r *Repo) Find(ctx context.Context, name string, wanted func([]byte) bool) ([]byte, error) {
	out, err := r.run(ctx, "-c", "log.showRoot=true", "log", "--all", "--full-history", "--no-renames", "--format=", "--raw", "--no-abbrev", "--", name)
	if err != nil {
		return nil, nil // a repository without a commit
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line) // :100644 100644 old new M\tname
		if len(fields) < 5 || seen[fields[3]] || strings.Trim(fields[3], "0") == "" {
			continue
		}
		seen[fields[3]] = true
		content, err := r.run(ctx, "cat-file", "blob", fields[3])
		if err != nil {
			return nil, err
		}
		if wanted(content) {
			return content, nil
		}
	}
	return nil, nil
}

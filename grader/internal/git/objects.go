package git

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Object is one object of a repository.
type Object struct {
	ID      string
	Type    string // blob, tree, commit or tag
	Content []byte // nil if it is larger than asked for
	Size    int64
}

// Objects calls f for every object of the repository, whether anything refers to
// it or not, with contents of up to limit bytes.
func (r *Repo) Objects(ctx context.Context, limit int64, f func(Object) error) error {
	reader, writer := io.Pipe()
	listed := make(chan error, 1)
	go func() {
		err := r.stream(ctx, writer, "cat-file", "--batch", "--batch-all-objects", "--unordered")
		writer.CloseWithError(err)
		listed <- err
	}()
	err := eachObject(bufio.NewReaderSize(reader, 1<<16), limit, f)
	reader.CloseWithError(err)
	if gitErr := <-listed; err == nil || gitErr != nil && !errors.Is(gitErr, io.ErrClosedPipe) {
		err = errors.Join(err, gitErr)
	}
	return err
}

func eachObject(r *bufio.Reader, limit int64, f func(Object) error) error {
	for {
		header, err := r.ReadString('\n')
		if err == io.EOF && header == "" {
			return nil
		}
		if err != nil {
			return err
		}
		var o Object
		if _, err := fmt.Sscanf(header, "%s %s %d\n", &o.ID, &o.Type, &o.Size); err != nil {
			return fmt.Errorf("git cat-file printed %q", strings.TrimSpace(header))
		}
		if o.Size <= limit {
			o.Content = make([]byte, o.Size)
			_, err = io.ReadFull(r, o.Content)
		} else {
			_, err = io.CopyN(io.Discard, r, o.Size)
		}
		if err != nil {
			return err
		}
		if _, err := r.Discard(1); err != nil {
			return err
		}
		if err := f(o); err != nil {
			return err
		}
	}
}

// Names returns the names of the entries of a tree.
func (o Object) Names() []string {
	hash := len(o.ID) / 2
	var names []string
	for rest := o.Content; ; {
		entry, after, ok := strings.Cut(string(rest), "\x00")
		if !ok || len(after) < hash {
			return names
		}
		_, name, _ := strings.Cut(entry, " ")
		names = append(names, name)
		rest = []byte(after[hash:])
	}
}

// Files lists the files of the work tree below the directory of r, with those
// that git does not track yet and without those that it ignores.
func (r *Repo) Files(ctx context.Context) ([]string, error) {
	out, err := r.run(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	return records(out), err
}

package catchup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/git"
)

// repository is the git repository that a tracker lies in.
type repository struct {
	dir    string // of the tracker
	prefix string // of the tracker, from the top of the work tree: tasktracker/, or empty
}

// openRepository returns nil where git does not know the directory, or is not
// installed.
func openRepository(ctx context.Context, dir string) *repository {
	r := &repository{dir: dir}
	out, err := r.git(ctx, nil, "rev-parse", "--is-inside-work-tree", "--show-prefix")
	inside, prefix, _ := strings.Cut(string(out), "\n")
	if err != nil || inside != "true" {
		return nil
	}
	r.prefix = strings.TrimSuffix(prefix, "\n")
	return r
}

// git runs a command of git in the tracker and returns what it prints.
func (r *repository) git(ctx context.Context, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := git.Command(ctx, r.dir, args...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = stdin, &out
	if err := git.Run(ctx, cmd); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// find returns the first content that a file of the tracker ever had and that
// is the wanted one, or nil.
func (r *repository) find(ctx context.Context, file string, wanted func([]byte) bool) ([]byte, error) {
	repo, err := git.Open(ctx, r.dir)
	if err != nil {
		return nil, err
	}
	return repo.Find(ctx, file, wanted)
}

// save commits the tracker as it is, byte by byte, on a new branch. It includes
// the files that git does not track, without those that it ignores, unless they
// are among touched. It changes neither the index nor the work tree.
func (r *repository) save(ctx context.Context, t *tracker, touched []string, req Request) (Saved, error) {
	files, err := r.list(ctx, t, touched)
	if err != nil {
		return Saved{}, err
	}
	branch, err := r.freeBranch(ctx, fmt.Sprintf("before-catch-up-week-%02d", req.Week))
	if err != nil {
		return Saved{}, err
	}
	parent, err := r.git(ctx, nil, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil {
		parent = nil // no commit yet
	}
	c := &commit{tracker: t, prefix: r.prefix, branch: branch, committer: r.committer(ctx), parent: strings.TrimSpace(string(parent))}
	if err := r.fastImport(ctx, func(w io.Writer) error { return c.write(w, files, req.Week) }); err != nil {
		return Saved{}, fmt.Errorf("the tracker could not be saved; nothing was changed: %w", err)
	}
	return r.saved(branch, req, touched), nil
}

// fastImport runs git fast-import on what write writes.
func (r *repository) fastImport(ctx context.Context, write func(io.Writer) error) error {
	reader, writer := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(writer)
		writer.CloseWithError(err)
		written <- err
	}()
	_, err := r.git(ctx, reader, "fast-import", "--quiet", "--done")
	reader.Close()
	if werr := <-written; werr != nil && !errors.Is(werr, io.ErrClosedPipe) {
		return werr // git complains only that the input ends early
	}
	return err
}

// list returns the files and links to save.
func (r *repository) list(ctx context.Context, t *tracker, touched []string) ([]string, error) {
	out, err := r.git(ctx, nil, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	known := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	all := slices.Concat(known, touched)
	slices.Sort(all)
	var files []string
	for _, file := range slices.Compact(all) {
		file, isRepository := strings.CutSuffix(file, "/")
		if file == "" {
			continue
		}
		info, err := t.lstat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted
		case err != nil:
			return nil, err
		case isRepository, info.IsDir() && r.isRepository(t, file):
			return nil, fmt.Errorf("%s/%s is a git repository of its own, which cannot be saved on a branch of yours; move it out of %s first. Nothing was changed", course.ProjectDir, file, course.ProjectDir)
		case isSaved(info):
			files = append(files, file)
		}
	}
	return files, nil
}

func (r *repository) isRepository(t *tracker, dir string) bool {
	_, err := t.lstat(dir + "/.git")
	return err == nil
}

// freeBranch returns name, or name-2 and so on if there is such a branch.
func (r *repository) freeBranch(ctx context.Context, name string) (string, error) {
	out, err := r.git(ctx, nil, "for-each-ref", "--format=%(refname)", "refs/heads/")
	if err != nil {
		return "", err
	}
	taken := strings.Fields(string(out))
	for n := 1; ; n++ {
		branch := name
		if n > 1 {
			branch = fmt.Sprintf("%s-%d", name, n)
		}
		if !slices.Contains(taken, "refs/heads/"+branch) {
			return branch, nil
		}
	}
}

// committer returns the student with the time, as git writes it into commits.
func (r *repository) committer(ctx context.Context) string {
	ident, err := r.git(ctx, nil, "var", "GIT_COMMITTER_IDENT")
	if err != nil {
		return "Middle Go <middle-go@localhost> now"
	}
	return strings.TrimSpace(string(ident))
}

func (r *repository) saved(branch string, req Request, touched []string) Saved {
	s := Saved{Branch: branch, In: req.Root}
	at := strings.TrimSuffix(r.prefix, "/")
	if at == "" {
		s.In, at = r.dir, "."
	} else {
		at = path.Base(at)
	}
	s.Look = []string{fmt.Sprintf("git diff %s -- %s", branch, at)}
	if i := slices.IndexFunc(touched, plainName.MatchString); i >= 0 {
		s.Look = append(s.Look, fmt.Sprintf("git show %s:./%s", branch, path.Join(at, touched[i])))
	}
	s.Back = []string{
		fmt.Sprintf("git clean -fd -- %s", at),
		fmt.Sprintf("git restore --source=%s --worktree -- %s", branch, at),
	}
	return s
}

// plainName matches a file name that needs no quotes in any shell.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)

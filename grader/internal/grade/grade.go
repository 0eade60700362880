package grade

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// Grader grades exercises of one course.
type Grader struct {
	Course *course.Course
	Go     *toolchain.Go
	Cache  Cache

	// Parallel bounds how many exercises are graded at once. It is at least 1.
	Parallel int

	// Without names checks that are left out, to measure what the others stop. A
	// verdict without a check counts for nothing.
	Without []string
}

// Request is one exercise to grade.
type Request struct {
	Exercise   *course.Exercise
	Submission string // root of the student's tree
	ExtraTests string // directory with private tests, or empty
	Files      []assembly.File
}

// Grade gives the verdict on one exercise. The error is for what is not the
// submission's fault, such as a cancelled context.
func (g *Grader) Grade(ctx context.Context, req Request) (*Verdict, error) {
	start := time.Now()
	ex := req.Exercise
	v := &Verdict{
		Exercise: ex.ID(), Week: ex.Week, Title: ex.Title, Ex: ex, Go: g.Go.Version,
		Sandbox: sandbox.Walls(), Lacks: checks.BoxLacks(ex),
	}
	finish := func() *Verdict {
		v.decide()
		v.At, v.Elapsed = time.Now().UTC(), time.Since(start)
		return v
	}
	files := req.Files
	if files == nil {
		var err error
		if files, err = assembly.Read(req.Submission, g.Course.Root, ex); err != nil {
			result, known := filesResult(err)
			if !known {
				return nil, err
			}
			v.Checks = []checks.Result{result}
			return finish(), nil
		}
	}
	v.Untouched = !slices.ContainsFunc(files, func(f assembly.File) bool { return !f.Untouched && ex.About(f.Path) })

	key, err := g.key(req, files)
	if err != nil {
		return nil, err
	}
	if cached, ok := g.Cache.load(key); ok {
		cached.Ex, cached.Cached = ex, true
		return cached, nil
	}
	room, release, err := g.Room(ctx, req, files, seedOf(key))
	if blocked, known := errors.AsType[*BlockedError](err); known {
		v.Checks = []checks.Result{blocked.result()}
		return finish(), nil
	}
	if err != nil {
		return nil, err
	}
	defer release()
	if v.Checks, err = examine(ctx, room, g.Without); err != nil {
		if rejected, known := filesResult(err); known {
			v.Checks = []checks.Result{rejected}
			return finish(), nil
		}
		return nil, err
	}
	finish()
	g.Cache.store(key, v)
	return v, nil
}

// BlockedError says that the environment lacks something.
type BlockedError struct {
	Check   string
	Message string
	Detail  string
}

func (e *BlockedError) Error() string { return e.Message }

func (e *BlockedError) result() checks.Result {
	return checks.Result{Check: e.Check, Status: checks.Blocked, Findings: []checks.Finding{{
		Check: e.Check, Message: e.Message, Detail: e.Detail,
	}}}
}

// Room prepares a work directory for the student's files and opens a room in
// it. The caller calls release when it is done. The error is a [*BlockedError]
// when the modules of the course cannot be downloaded.
func (g *Grader) Room(ctx context.Context, req Request, files []assembly.File, seed uint64) (room *checks.Room, release func(), err error) {
	ex := req.Exercise
	inventory, err := checks.LoadInventory(g.Course.Root, ex)
	if err != nil {
		return nil, nil, err
	}
	work, err := assembly.Acquire(g.Course.Root, ex.ID())
	if err != nil {
		return nil, nil, err
	}
	src := assembly.Source{Course: g.Course.Root, Submission: req.Submission, ExtraTests: req.ExtraTests}
	_, err = work.Reset("tmp")
	if err == nil {
		err = g.fetch(ctx, work.Path, src, ex, files)
	}
	if err != nil {
		work.Release()
		return nil, nil, err
	}
	room = checks.NewRoom(g.Go, work.Path, src, ex, files, inventory, seed)
	return room, work.Release, nil
}

// examine runs the checks in order. A check whose needs are not met is not run.
func examine(ctx context.Context, room *checks.Room, without []string) ([]checks.Result, error) {
	ex := room.Exercise
	results := []checks.Result{{Check: "files", Status: checks.Pass}}
	passed := map[string]bool{}
	// Waiting for the prefetched builds keeps them from outliving this grading.
	defer room.Wait()
	if slices.Contains(without, "policy") || len(checks.SourcePolicy(ex, room.Student)) == 0 {
		room.Prefetch(ctx)
	}
	for _, c := range checks.All() {
		if !c.Applies(ex) || slices.Contains(without, c.Name()) {
			passed[c.Name()] = true
			continue
		}
		if slices.ContainsFunc(c.Needs(), func(need string) bool { return !passed[need] }) {
			results = append(results, checks.Result{Check: c.Name(), Status: checks.NotRun})
			continue
		}
		start := time.Now()
		result, err := c.Run(ctx, room)
		if err != nil {
			return nil, err
		}
		result.Elapsed = time.Since(start)
		results = append(results, result)
		passed[c.Name()] = result.Status == checks.Pass || result.Status == checks.Blocked || result.Status == checks.Unproven
	}
	return results, nil
}

// filesResult explains an error of assembly that is the submission's fault.
func filesResult(err error) (checks.Result, bool) {
	r := checks.Result{Check: "files", Status: checks.Fail}
	if missing, ok := errors.AsType[*assembly.MissingError](err); ok {
		message := "is missing; bring the stub back with: git checkout -- " + missing.File
		if dir, _, isPattern := strings.Cut(missing.File, "*"); isPattern {
			message = "matches no file; bring the stubs back with: git checkout -- " + dir
		}
		r.Findings = []checks.Finding{{Check: "files", Rule: "missing", File: missing.File, Message: message}}
		return r, true
	}
	if rejected, ok := errors.AsType[*assembly.RejectedError](err); ok {
		r.Status = checks.Rejected
		r.Findings = []checks.Finding{{Check: "files", Rule: "assembly", File: rejected.File, Message: rejected.Reason}}
		return r, true
	}
	return r, false
}

// key is a hash of everything that the verdict depends on.
func (g *Grader) key(req Request, files []assembly.File) (string, error) {
	trees := []string{}
	if req.ExtraTests != "" {
		trees = append(trees, req.ExtraTests)
	}
	content, err := g.ContentKey(req.Exercise, trees...)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	io.WriteString(h, content)
	for _, f := range files {
		fmt.Fprintf(h, "file %s %d\n", f.Path, len(f.Content))
		h.Write(f.Content)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ContentKey is a hash of the grader, the toolchain, the manifest of ex, the
// files of the course that it uses, and the files below the given paths.
func (g *Grader) ContentKey(ex *course.Exercise, paths ...string) (string, error) {
	h := sha256.New()
	self, err := selfID()
	if err != nil {
		return "", err
	}
	manifest, err := json.Marshal(ex)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%s\n%s\n%v\n%s\n", self, g.Go.Version, g.Go.HasCCompiler(), manifest)
	given := []string{ex.Dir, "grader/labkit", ex.Module + "/go.mod", ex.Module + "/go.sum"}
	if ex.Kind == course.Project {
		for _, name := range slices.Concat([]string{"go.mod", "go.sum", "openapi.yaml"}, course.ProjectDirs, course.ProjectFiles) {
			given = append(given, course.ProjectDir+"/"+name)
		}
	}
	for i, p := range given {
		given[i] = filepath.Join(g.Course.Root, filepath.FromSlash(p))
	}
	for _, p := range slices.Concat(given, []string{checks.InventoryFile(g.Course.Root, ex)}, paths) {
		if err := hashTree(h, p); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashTree adds a file, or every file of a directory, to h. What does not exist
// adds nothing.
func hashTree(h io.Writer, root string) error {
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(name, ".md") {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "tree %s %d\n", name, len(content))
		_, err = h.Write(content)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// selfID is a hash of the running grader.
var selfID = sync.OnceValues(func() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(self)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
})

// seedOf derives the order of the tests from the content, so that grading the
// same files again gives the same run.
func seedOf(key string) uint64 {
	var seed uint64
	for _, c := range []byte(key[:12]) {
		seed = seed*31 + uint64(c)
	}
	return seed>>1 | 1
}

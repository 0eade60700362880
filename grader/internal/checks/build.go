package checks

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/sandbox"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// buildCheck compiles the submission together with the tests of the course.
type buildCheck struct{}

func (buildCheck) Name() string                  { return "build" }
func (buildCheck) Applies(*course.Exercise) bool { return true }
func (buildCheck) Needs() []string               { return []string{"policy"} }

func (buildCheck) Run(ctx context.Context, r *Room) (Result, error) {
	_, err := r.binary(ctx, r.main())
	if err == nil && r.Exercise.Kind == course.Project { // no test may need all of its packages
		_, err = r.vet(ctx)
	}
	if be, ok := buildError(err); ok {
		return decide("build", r.buildFindings(be), ""), nil
	}
	if err != nil {
		return Result{}, err
	}
	return decide("build", unparsed(r.Student), ""), nil
}

var compilerLine = regexp.MustCompile(`^(?:vet: )?(\S+?\.go):(\d+)(?::\d+)?: (.*)$`)

// maxBuildFindings is how many errors of the compiler are shown; the rest is
// usually the consequence of the first ones.
const maxBuildFindings = 10

// buildFindings turns the compiler's output into findings at the student's own
// lines.
func (r *Room) buildFindings(be *toolchain.BuildError) []Finding {
	if be.End != sandbox.Exited {
		return []Finding{{
			Message:  fmt.Sprintf("the compiler was stopped: %s", be.End),
			Detail:   "The code makes the compiler use too much time, memory or disk. Look for huge arrays and generated tables.",
			TimedOut: false,
		}}
	}
	var findings []Finding
	for line := range strings.Lines(be.Output) {
		line = strings.TrimRight(line, "\n")
		m := compilerLine.FindStringSubmatch(line)
		switch {
		case m != nil:
			findings = append(findings, r.compilerError(be.Dir, m))
		case strings.HasPrefix(line, "\t") && len(findings) > 0:
			last := &findings[len(findings)-1]
			last.Detail = strings.TrimLeft(last.Detail+"\n"+strings.TrimSpace(line), "\n")
		}
	}
	if len(findings) == 0 {
		findings = append(findings, Finding{Message: "the code does not compile", Detail: strings.TrimSpace(be.Output)})
	}
	return findings[:min(len(findings), maxBuildFindings)]
}

// compilerError turns a line of the compiler's output into a finding. One that
// names no line of the course is shown as it is: the compiler quotes code, and a
// line feed in that code makes anything look like an error.
func (r *Room) compilerError(dir string, match []string) Finding {
	whole, name, line, message := match[0], match[1], match[2], match[3]
	if dir != "" && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	file := r.coursePath(name)
	n := lineNumber(line)
	if file == "" || n == 0 {
		return Finding{Message: whole}
	}
	return Finding{File: file, Line: n, Message: message}
}

// coursePath turns a file name of the go command, relative to the module or
// absolute in a work tree, into a path from the root of the course. It is empty
// for a name that is none.
func (r *Room) coursePath(name string) string {
	if p := r.fromRoot(filepath.ToSlash(name)); fs.ValidPath(p) && oneLine(p) == p {
		return p
	}
	return ""
}

func (r *Room) fromRoot(name string) string {
	if rel, err := filepath.Rel(r.dir, name); err == nil && filepath.IsLocal(rel) {
		_, rest, _ := strings.Cut(filepath.ToSlash(rel), "/") // the name of the tree
		return rest
	}
	name = strings.TrimPrefix(name, "./")
	if i := strings.Index(name, r.Exercise.Dir+"/"); i >= 0 {
		return name[i:]
	}
	if strings.Contains(name, "/") {
		return r.module() + "/" + name
	}
	return r.Exercise.Dir + "/" + name
}

func readCourse(root, p string) ([]byte, error) {
	return os.ReadFile(filepath.Join(root, filepath.FromSlash(p)))
}

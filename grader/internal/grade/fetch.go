package grade

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// fetch makes sure that the modules the exercise needs are on this machine. A
// stamp remembers that they were, for these checksums.
func (g *Grader) fetch(ctx context.Context, dir string, src assembly.Source, ex *course.Exercise, student []assembly.File) error {
	libraries := libraries(ex, student)
	hash := sha256.New()
	fmt.Fprintln(hash, ex.Imports, libraries, g.Go.Version)
	for _, module := range []string{ex.Module, course.ProjectDir} {
		sum, err := os.ReadFile(filepath.Join(src.Course, filepath.FromSlash(module), "go.sum"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if ex.Module == module || ex.BlackBox() {
			fmt.Fprintf(hash, "%s\n", sum)
		}
	}
	stamp, want := filepath.Join(dir, "modules"), hex.EncodeToString(hash.Sum(nil))
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return nil
	}
	plan, err := assembly.NewPlan(src, ex, packageClauses(student), assembly.CourseTests)
	if err != nil {
		return err
	}
	tree, err := plan.Write(dir, assembly.FetchTree)
	if err != nil {
		return err
	}
	err = g.Go.Download(ctx, toolchain.Place{Dir: tree.Module, Workspace: tree.Workspace}, tree.Package, ex.Imports)
	if err == nil && len(libraries) > 0 {
		err = g.Go.DownloadKnown(ctx, toolchain.Place{Dir: tree.Code, Workspace: tree.Workspace}, libraries)
	}
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		message, detail, _ := strings.Cut(err.Error(), "\n")
		return &BlockedError{Check: "modules", Message: message, Detail: detail}
	}
	return os.WriteFile(stamp, []byte(want), 0o600)
}

// packageClauses returns the Go files of a submission with nothing in them but a
// package clause. Which modules are fetched is for the course to say, and a file
// that does not parse is for the compiler to explain.
func packageClauses(files []assembly.File) []assembly.File {
	var bare []assembly.File
	for _, f := range files {
		pkg := path.Base(path.Dir(f.Path))
		if !token.IsIdentifier(pkg) {
			pkg = "main"
		}
		if f.IsTest() {
			pkg += "_test"
		}
		if path.Ext(f.Path) == ".go" {
			bare = append(bare, assembly.File{Path: f.Path, Content: []byte("package " + pkg + "\n")})
		}
	}
	return bare
}

// libraryPath matches import paths that are not of the standard library.
var libraryPath = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+/[A-Za-z0-9._~/-]+$`)

// libraries lists what a project imports beyond the standard library. A program
// may use all that its go.mod has, and does not say so in the manifest.
func libraries(ex *course.Exercise, files []assembly.File) []string {
	if ex.Kind != course.Project {
		return nil
	}
	var list []string
	for _, f := range files {
		if path.Ext(f.Path) != ".go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Path, f.Content, parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err == nil && libraryPath.MatchString(name) && !strings.HasPrefix(name, course.ModulePath+"/") {
				list = append(list, name)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

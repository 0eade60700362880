// Package scaffold writes the files of a new exercise. What it writes compiles
// and has every part that grader verify asks for; verify then says what is
// still to be filled in.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/middle-go/course/grader/internal/atomicfile"
	"github.com/middle-go/course/grader/internal/course"
)

//go:embed templates
var templates embed.FS

// Exercise is the exercise to write.
type Exercise struct {
	Week int
	Slug string
	Kind course.Kind
}

var idPattern = regexp.MustCompile(`^week(\d\d)/([a-z][a-z0-9]*)$`)

// Parse reads an ID such as week07/router and a kind.
func Parse(id, kind string) (Exercise, error) {
	m := idPattern.FindStringSubmatch(id)
	if m == nil {
		return Exercise{}, fmt.Errorf("%q is not the name of an exercise; write it like week07/router, with lower-case letters and digits", id)
	}
	e := Exercise{Slug: m[2], Kind: course.Kind(kind)}
	fmt.Sscanf(m[1], "%d", &e.Week)
	if e.Week < 1 || e.Week > course.Weeks {
		return Exercise{}, fmt.Errorf("week %d: the course has weeks 1 to %d", e.Week, course.Weeks)
	}
	switch e.Kind {
	case course.Implement, course.Fix, course.Optimise:
		return e, nil
	case course.Tests, course.Infra, course.Project:
		return Exercise{}, fmt.Errorf("kind %s has no scaffold; copy an exercise of that kind", kind)
	}
	return Exercise{}, fmt.Errorf("kind %q is unknown; use %s, %s or %s", kind, course.Implement, course.Fix, course.Optimise)
}

// Dir is the directory of the exercise, from the root of the course.
func (e Exercise) Dir() string { return path.Join(course.WeekDir(e.Week), e.Slug) }

// ImportPath is the import path of its package.
func (e Exercise) ImportPath() string { return course.ModulePath + "/" + e.Dir() }

// TheoryMinutes is the share of theory in the week: more of it in the odd weeks,
// which drill what the even ones put into practice.
func (e Exercise) TheoryMinutes() int {
	if e.Week%2 == 1 {
		return 230
	}
	return 200
}

// Write writes the files of e below the course in root and returns their paths.
// It refuses to replace anything. The entry of the manifest is added to the
// week's week.yaml, which is made if there is none.
func (e Exercise) Write(root string) ([]string, error) {
	files := map[string]string{
		e.Dir() + "/README.md":                                              "README.md",
		e.Dir() + "/" + e.Slug + ".go":                                      "stub.go",
		e.Dir() + "/" + e.Slug + "_test.go":                                 "test.go",
		"solutions/" + e.Dir() + "/" + e.Slug + ".go":                       "reference.go",
		"solutions/" + e.Dir() + "/testdata/wrong/w1_forgets_the_answer.go": "wrong.go",
	}
	for name := range files {
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name))); !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is already there; nothing was written", name)
		}
	}
	manifest := course.WeekDir(e.Week) + "/week.yaml"
	contents := map[string][]byte{}
	var err error
	if contents[manifest], err = e.manifest(root, manifest); err != nil {
		return nil, err
	}
	for name, tmpl := range files {
		if contents[name], err = e.render(tmpl); err != nil {
			return nil, err
		}
	}
	var written []string
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		if err := atomicfile.Write(filepath.Join(root, filepath.FromSlash(name)), contents[name], 0o644); err != nil {
			return written, err
		}
		written = append(written, name)
	}
	return written, nil
}

// manifest returns the manifest of the week with an entry for e at the end of
// its exercises.
func (e Exercise) manifest(root, name string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		content, err = e.render("week.yaml")
	}
	if err != nil {
		return nil, err
	}
	entry, err := e.render("entry.yaml")
	if err != nil {
		return nil, err
	}
	lines := slices.Collect(strings.Lines(strings.TrimRight(string(content), "\n") + "\n"))
	end := slices.Index(lines, "exercises:\n") + 1
	if end == 0 {
		return nil, fmt.Errorf("%s has no line %q to add the exercise below; nothing was written", name, "exercises:")
	}
	for end < len(lines) && strings.ContainsAny(lines[end][:1], " #\n") {
		end++
	}
	return []byte(strings.Join(slices.Insert(lines, end, string(entry)), "")), nil
}

func (e Exercise) render(name string) ([]byte, error) {
	t, err := template.ParseFS(templates, "templates/"+name+".tmpl")
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := t.Execute(&b, e); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

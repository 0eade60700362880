package export_test

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/export"
)

const repository = "../../.."

var open = sync.OnceValues(func() (*course.Course, error) { return course.Open(repository) })

var load = sync.OnceValues(func() (*export.Secrets, error) {
	c, err := open()
	if err != nil {
		return nil, err
	}
	return export.LoadSecrets(c)
})

func secrets(t *testing.T) *export.Secrets {
	t.Helper()
	s, err := load()
	require.NoError(t, err)
	return s
}

// exported returns a students' repository.
func exported(t *testing.T) string {
	t.Helper()
	c, err := open()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "students")
	w, err := export.Write(t.Context(), c, dir)
	require.NoError(t, err)
	require.Greater(t, w.Files, 300)
	require.Greater(t, w.LeftOut, 300)
	return dir
}

func sh(t *testing.T, dir, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "MAKEFLAGS=",
		"GIT_AUTHOR_NAME=S", "GIT_AUTHOR_EMAIL=s@example.org", "GIT_COMMITTER_NAME=S", "GIT_COMMITTER_EMAIL=s@example.org")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", line, out)
	return string(out)
}

func write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(content)
}

func TestWrite_GivesWhatAStudentNeedsAndNoMore(t *testing.T) {
	dir := exported(t)
	for _, name := range []string{
		"README.md", "Makefile", "go.work", "LICENSE", "module1/week01/week.yaml", "module1/week01/handles/handles.go", "module1/week01/handles/handles_test.go",
		"tasktracker/go.mod", "tasktracker/milestones/m01a.yaml", "grader/inventory/stubs.sha256", "grader/inventory/week01-handles.txt",
		"grader/cmd/grader/main.go", "grader/labkit/go.mod",
	} {
		require.FileExists(t, filepath.Join(dir, name))
	}
	for _, name := range []string{"solutions", ".git", ".ci", "CONTRIBUTING.md", "bin", ".grader", "grader/internal/similar/similar_test.go", "grader/internal/review/testdata"} {
		require.NoFileExists(t, filepath.Join(dir, name))
		require.NoDirExists(t, filepath.Join(dir, name))
	}
	c, err := course.Open(dir)
	require.NoError(t, err)
	weeks, err := c.All()
	require.NoError(t, err)
	require.NotEmpty(t, weeks)
	milestones, err := c.Milestones()
	require.NoError(t, err)
	require.NotEmpty(t, milestones)

	again, err := open()
	require.NoError(t, err)
	_, err = export.Write(t.Context(), again, dir)
	require.ErrorContains(t, err, "is not empty; nothing was written")
	_, err = export.Write(t.Context(), again, filepath.Join(again.Root, "students"))
	require.ErrorContains(t, err, "lies in the course; name a directory outside, or one in bin")
}

func TestWrite_LeavesTheStudentsTargets(t *testing.T) {
	dir := exported(t)
	makefile := read(t, filepath.Join(dir, "Makefile"))
	require.NotContains(t, makefile, "course:")
	require.NotContains(t, makefile, "verify")
	require.NotContains(t, makefile, "solutions")
	require.Contains(t, makefile, "run: grader ## student: start your tracker and show how to talk to it\n")
	help := sh(t, dir, "make help")
	require.Contains(t, help, "make week-01 ... week-24")
	require.NotContains(t, help, "work on the course")
	for _, target := range regexp.MustCompile("`make ([a-z0-9-]+)").FindAllStringSubmatch(read(t, filepath.Join(dir, "README.md")), -1) {
		pattern := regexp.MustCompile(`(week|milestone)-[a-z0-9-]+$`).ReplaceAllString(target[1], "$1-%")
		require.Contains(t, "\n"+makefile, "\n"+pattern+":", "the README names make %s", target[1])
	}
}

func TestWrite_TheReadmeSaysWhatIsAllowed(t *testing.T) {
	text := read(t, "README.students")
	for _, name := range course.DefaultImports {
		require.Contains(t, text, "`"+name+"`")
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestWrite_LinksLeadSomewhere(t *testing.T) {
	dir := exported(t)
	require.NoError(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".md" {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(prose(read(t, name)), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s, which was left out", strings.TrimPrefix(name, dir+"/"), m[1])
			}
		}
		return nil
	}))
}

// prose is Markdown without its code.
func prose(text string) string {
	text = regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "")
}

func TestCheck_AnExportIsClean(t *testing.T) {
	dir := exported(t)
	s := secrets(t)
	require.Equal(t, s.References+s.Wrong, s.Found, "every solution is found when it is shown")
	p, err := export.Check(t.Context(), s, dir)
	require.NoError(t, err)
	require.Empty(t, p.Leaks)
	require.Empty(t, p.Unlooked)
	require.Nil(t, p.Objects)

	sh(t, dir, "git init -q -b main && git add -A && git commit -qm first")
	write(t, filepath.Join(dir, "bin/grader"), "\xff ignored by git")
	p, err = export.Check(t.Context(), s, dir)
	require.NoError(t, err)
	require.True(t, p.Clean(), "%+v", p)
	require.Equal(t, 1, p.Objects["commit"])
	require.Greater(t, p.Objects["blob"], 300)
}

const (
	secretFile = repository + "/solutions/module1/week05/mailbox/mailbox.go"
	wrongFile  = repository + "/solutions/module1/week05/mailbox/testdata/wrong/w1_close_under_senders.go"
)

// small is a repository with one commit that has nothing to hide.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "README.md"), "# Nothing\n")
	sh(t, dir, "git init -q -b main && git add -A && git commit -qm first")
	return dir
}

func TestCheck_FindsWhatIsLeft(t *testing.T) {
	code := read(t, secretFile)
	renamed := regexp.MustCompile(`\b(m|mu|queue|closed|v|msg|done)\b`).ReplaceAllString(code, "x$1")
	for name, plant := range map[string]func(t *testing.T, dir string) (where string){
		"a file": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "a/mailbox.go"), code)
			return "a/mailbox.go"
		},
		"a copy with other names": func(t *testing.T, dir string) string {
			require.NotEqual(t, code, renamed)
			write(t, filepath.Join(dir, "other.txt"), renamed)
			return "other.txt"
		},
		"a lesson that quotes it": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "lesson.md"), strings.Repeat("Some words of a long lesson, `with code`.\n", 500)+"```go\n"+code+"```\n")
			return "lesson.md"
		},
		"a wrong solution": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "b.go"), read(t, wrongFile))
			return "b.go"
		},
		"the name of a wrong solution": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, filepath.Base(wrongFile)), "")
			return filepath.Base(wrongFile)
		},
		"a deleted file": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "a.go"), renamed)
			sh(t, dir, "git add -A && git commit -qm x && git rm -q a.go && git commit -qm y")
			return "blob " + strings.TrimSpace(sh(t, dir, "git rev-parse HEAD~1:a.go"))
		},
		"a deleted directory of solutions": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "solutions/none"), "")
			sh(t, dir, "git add -A && git commit -qm x && git rm -rq solutions && git commit -qm y")
			return "tree " + strings.TrimSpace(sh(t, dir, "git rev-parse HEAD~1^{tree}"))
		},
		"an object that nothing refers to": func(t *testing.T, dir string) string {
			abs, err := filepath.Abs(secretFile)
			require.NoError(t, err)
			return "blob " + strings.TrimSpace(sh(t, dir, "git hash-object -w '"+abs+"' && git gc -q"))
		},
		"the message of a commit": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "message"), code)
			sh(t, dir, "git commit -q --allow-empty --cleanup=verbatim -F message && rm message")
			return "commit " + strings.TrimSpace(sh(t, dir, "git rev-parse HEAD"))
		},
		"the message of a tag": func(t *testing.T, dir string) string {
			write(t, filepath.Join(dir, "message"), code)
			sh(t, dir, "git tag -a --cleanup=verbatim -F message v1 && rm message")
			return "tag " + strings.TrimSpace(sh(t, dir, "git rev-parse v1"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := small(t)
			where := plant(t, dir)
			p, err := export.Check(t.Context(), secrets(t), dir)
			require.NoError(t, err)
			require.False(t, p.Clean())
			require.Len(t, p.Leaks, 1, "%+v", p.Leaks)
			require.Equal(t, where, p.Leaks[0].Where)
		})
	}
}

func TestCheck_SaysWhatItCannotLookInto(t *testing.T) {
	dir := small(t)
	f, err := os.Create(filepath.Join(dir, "m01a.zip"))
	require.NoError(t, err)
	z := zip.NewWriter(f)
	entry, err := z.Create("mailbox.go")
	require.NoError(t, err)
	_, err = entry.Write([]byte(read(t, secretFile)))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	p, err := export.Check(t.Context(), secrets(t), dir)
	require.NoError(t, err)
	require.Equal(t, []string{"m01a.zip"}, p.Unlooked)
	require.False(t, p.Clean())
}

func TestLoadSecrets_NeedsSolutions(t *testing.T) {
	c, err := course.Open(exported(t))
	require.NoError(t, err)
	_, err = export.LoadSecrets(c)
	require.ErrorContains(t, err, "has no solutions, so nothing is known that could be looked for")
}

package assembly_test

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
)

// What a submission has at a place.
const (
	aFile = iota
	aLargeFile
	aLinkToAFile
	aLinkToADirectory
	aDirectory
	kindsOfPlaces
)

// Whatever a submission contains, and under whatever name: what is read are
// regular files of the student's, whole and small. What is refused is refused
// with a name that can be printed.
func FuzzRead(f *testing.F) {
	f.Add("domain/task.go", []byte("package domain\n"), aFile)
	f.Add("app/a\x1b[2J.go", []byte(""), aFile)
	f.Add("a\xff/b.go", []byte("x"), aFile)
	f.Add("go.mod", []byte("module evil\n"), aFile)
	f.Add("milestones/m02a/x_test.go", []byte(""), aLinkToAFile)
	f.Add("acceptance", []byte(""), aLinkToADirectory)
	f.Add("app", []byte(""), aLinkToADirectory)
	f.Add("app/.hidden/x.go", []byte(""), aLargeFile)
	f.Add("app/m02a_x_test.go", []byte(""), aFile)
	f.Add("domain/event.go", []byte(""), aLargeFile)
	f.Add("vendor/x.go", []byte(""), aDirectory)
	f.Add("infra/schema.sql", []byte(""), aLargeFile)
	stubs, elsewhere := f.TempDir(), f.TempDir()
	require.NoError(f, os.WriteFile(filepath.Join(elsewhere, "stolen.go"), []byte("package stolen\n"), 0o644))

	f.Fuzz(func(t *testing.T, name string, content []byte, kind int) {
		root := t.TempDir()
		write(t, root, map[string]string{"tasktracker/cmd/tasktracker/main.go": "package main\n"})
		place := "tasktracker/" + name
		if kind %= kindsOfPlaces; !put(root, place, content, kind, elsewhere) {
			t.Skip("no file system has that name")
		}
		for _, ex := range []*course.Exercise{api(), store()} {
			ex.Files = []string{"**/*.go", "**/*.sql"}
			files, err := assembly.Read(root, stubs, ex)
			students := assembly.IsStudents(ex, place)
			if err != nil {
				require.Nil(t, files)
				isSafe(t, err)
				require.False(t, kind == aFile && students && readable(place), "an honest file is refused: %v", err)
				continue
			}
			require.True(t, slices.IsSortedFunc(files, func(a, b assembly.File) int { return strings.Compare(a.Path, b.Path) }))
			require.Equal(t, kind == aFile && students, slices.Contains(paths(files), place))
			for _, file := range files {
				isWhole(t, root, ex, file)
			}
		}
	})
}

// put makes something at a place of a tree. It reports whether that was
// possible.
func put(root, place string, content []byte, kind int, elsewhere string) bool {
	if path.Clean("/"+place) != "/"+place || strings.ContainsRune(place, 0) {
		return false
	}
	full := filepath.Join(root, filepath.FromSlash(place))
	if os.MkdirAll(filepath.Dir(full), 0o755) != nil {
		return false
	}
	var err error
	switch kind {
	case aFile:
		err = os.WriteFile(full, content, 0o644)
	case aLargeFile:
		if err = os.WriteFile(full, content, 0o644); err == nil {
			err = os.Truncate(full, assembly.MaxFile+1)
		}
	case aLinkToAFile:
		err = os.Symlink(filepath.Join(elsewhere, "stolen.go"), full)
	case aLinkToADirectory:
		err = os.Symlink(elsewhere, full)
	default:
		err = os.Mkdir(full, 0o755)
	}
	return err == nil
}

// isSafe demands that an error about a submission says so, in a line that can
// be printed.
func isSafe(t *testing.T, err error) {
	t.Helper()
	var rejected *assembly.RejectedError
	var missing *assembly.MissingError
	require.True(t, errors.As(err, &rejected) || errors.As(err, &missing), "%v", err)
	require.True(t, readable(err.Error()), "%q", err)
}

func readable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// isWhole demands that a file that was read is the student's, and equal to the
// regular file at its place.
func isWhole(t *testing.T, root string, ex *course.Exercise, file assembly.File) {
	t.Helper()
	require.True(t, assembly.IsStudents(ex, file.Path), file.Path)
	require.False(t, course.CourseOwned(file.Path), file.Path)
	require.True(t, readable(file.Path), "%q", file.Path)
	require.LessOrEqual(t, len(file.Content), assembly.MaxFile)
	for at := file.Path; at != "."; at = path.Dir(at) {
		info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(at)))
		require.NoError(t, err)
		require.Zero(t, info.Mode()&os.ModeSymlink, at)
	}
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file.Path)))
	require.NoError(t, err)
	require.Equal(t, content, file.Content)
}

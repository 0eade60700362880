package gradebook_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
)

func TestReadDir_TakesTheStudentFromTheFirstName(t *testing.T) {
	dir, later := t.TempDir(), t.TempDir()
	write(t, dir, "ada.json", one(verdict(first, day(1), passed())))
	write(t, dir, "ada/week-01/run 3/report.json", one(verdict(escape, day(1), passed())))
	write(t, dir, "Bob/report.json", one(verdict(first, day(1), failed(0))))
	write(t, later, "Bob.json", one(verdict(first, day(2), passed())))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ada", "notes.txt"), []byte("call her"), 0o644))

	book := newBook()
	for _, d := range []string{dir, later} {
		skipped, err := book.ReadDir(d)
		require.NoError(t, err)
		require.Empty(t, skipped)
	}
	require.Len(t, book.Students, 2)
	ada, bob := book.Students[0], book.Students[1]
	require.Equal(t, "ada", ada.Name)
	require.Equal(t, 2, ada.Standing(book.Exercises()).Passed)
	require.Equal(t, "Bob", bob.Name)
	require.Equal(t, checks.Pass, bob.Mark(aliasing).Status)
}

func TestReadDir_NamesWhatItLeavesOut(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "ada.json", one(verdict(first, day(1), passed())))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bob.json"), []byte(`{"schema": 99}`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "eve\x1b[2J.json"), []byte("no"), 0o644))
	require.NoError(t, os.Symlink(filepath.Join(dir, "ada.json"), filepath.Join(dir, "link.json")))
	require.NoError(t, os.Symlink("/etc", filepath.Join(dir, "etc")))

	book := newBook()
	skipped, err := book.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, book.Students, 1)
	require.Len(t, skipped, 3)
	require.EqualError(t, skipped[0], "bob.json: this is no report of the grader: it has schema version 99; this grader reads version 1")
	require.ErrorContains(t, skipped[1], "eve.json: this is no report of the grader")
	require.EqualError(t, skipped[2], "link.json: is not a regular file")
}

func TestReadDir_WantsADirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "ada.json", one(verdict(first, day(1), passed())))
	_, err := newBook().ReadDir(filepath.Join(dir, "ada.json"))
	require.ErrorContains(t, err, "not a directory")
	_, err = newBook().ReadDir(filepath.Join(dir, "none"))
	require.ErrorContains(t, err, "no such file")
}

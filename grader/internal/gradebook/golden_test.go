package gradebook_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/gradebook"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

func TestWrite_ACohortOfThirty(t *testing.T) {
	book := newBook()
	skipped, err := book.ReadDir(cohort(t))
	require.NoError(t, err)
	require.Empty(t, skipped)
	require.Len(t, book.Students, 30)
	for format, name := range map[gradebook.Format]string{
		gradebook.CSV: "cohort.csv", gradebook.Markdown: "cohort.md", gradebook.HTML: "cohort.html",
	} {
		golden(t, name, written(t, book, format))
	}
}

func written(t *testing.T, book *gradebook.Book, f gradebook.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, book.Write(&b, f))
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test ./internal/gradebook -update writes it")
	require.Empty(t, cmp.Diff(string(want), string(got)), "if the change is meant, go test ./internal/gradebook -update writes %s", file)
}

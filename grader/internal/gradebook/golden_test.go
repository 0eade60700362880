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

var page = flag.String("page", "", "write the HTML page of thirty students to this `file`, to be looked at")

func TestWrite_ACohortOfThirty(t *testing.T) {
	book := bookOf(t, names...)
	require.Len(t, book.Students, 30)
	golden(t, "cohort.csv", written(t, book, gradebook.CSV))
	golden(t, "cohort.md", written(t, book, gradebook.Markdown))
	html := written(t, book, gradebook.HTML)
	require.Less(t, len(html), 256<<10)
	if *page != "" {
		require.NoError(t, os.WriteFile(*page, html, 0o644))
	}
}

func TestWrite_AGroupOfFour(t *testing.T) {
	golden(t, "group.html", written(t, bookOf(t, names[2], names[27], names[28], names[29]), gradebook.HTML))
}

func bookOf(t *testing.T, people ...string) *gradebook.Book {
	t.Helper()
	book := newBook()
	skipped, err := book.ReadDir(cohort(t, people...))
	require.NoError(t, err)
	require.Empty(t, skipped)
	return book
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

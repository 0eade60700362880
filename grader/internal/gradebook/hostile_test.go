package gradebook_test

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/gradebook"
)

// withName is a book of one student.
func withName(t *testing.T, name string) *gradebook.Book {
	t.Helper()
	book := newBook()
	require.NoError(t, book.Add(name, one(verdict(first, day(1), failed(0)))))
	return book
}

func TestCSV_NoNameIsAFormula(t *testing.T) {
	for name, want := range map[string]string{
		"ada":                             "ada",
		"=1+1":                            "'=1+1",
		"+49 30 1234":                     "'+49 30 1234",
		"-2":                              "'-2",
		"@SUM(A1)":                        "'@SUM(A1)",
		"\t=1":                            "'=1",
		"\r\n =1":                         "'=1",
		"＝1":                              "'＝1",
		"x;=cmd|' /C calc'!A0":            "x,=cmd|' /C calc'!A0",
		"a\",\"=1":                        "a\",\"=1",
		"Grace O'Malley":                  "Grace O'Malley",
		"\x1b]8;;http://evil.example\x07": "(no name)",
	} {
		rows, err := csv.NewReader(bytes.NewReader(written(t, withName(t, name), gradebook.CSV))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.Equal(t, want, rows[1][0])
	}
}

func TestHTML_HasNoScriptAndReachesForNothing(t *testing.T) {
	page := string(written(t, withName(t, `"><script src=//evil.example></script>`), gradebook.HTML))
	require.NotContains(t, page, "<script")
	require.NotRegexp(t, `<[a-z][^<>]* (src|srcset|style|on[a-z]+)="`, page)
	for _, link := range regexp.MustCompile(`(?:href|url)[=(]"?([^")]*)`).FindAllStringSubmatch(page, -1) {
		require.True(t, strings.HasPrefix(link[1], "#week-"), link[0])
	}
	require.Contains(t, page, `content="default-src 'none'; style-src 'sha256-`)
}

func TestBook_KeepsStudentsApartWhoseNamesPrintTheSame(t *testing.T) {
	book := withName(t, "ada")
	require.NoError(t, book.Add("a\u202eda", one(verdict(first, day(2), passed()))))
	require.Len(t, book.Students, 2)
	require.Equal(t, book.Students[0].Name, book.Students[1].Name)
	require.False(t, book.Students[0].Mark(aliasing).Passed())
}

// Whatever a student is called, the book has the same markup as for anybody.
func FuzzName(f *testing.F) {
	for _, name := range names {
		f.Add(name)
	}
	f.Add("\n| x | y |\n\n# passed")
	f.Add("a;=1\t\"\x00\xff</style>{{.}}")
	f.Fuzz(func(t *testing.T, name string) {
		plain, strange := withName(t, "ada"), withName(t, name)
		for _, mark := range []string{"<", ">", `"`} {
			require.Equal(t,
				bytes.Count(written(t, plain, gradebook.HTML), []byte(mark)),
				bytes.Count(written(t, strange, gradebook.HTML), []byte(mark)), "%s in HTML", mark)
		}
		require.Equal(t, bars(written(t, plain, gradebook.Markdown)), bars(written(t, strange, gradebook.Markdown)))

		rows, err := csv.NewReader(bytes.NewReader(written(t, strange, gradebook.CSV))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 2)
		require.NotContains(t, "=+-@", rows[1][0][:1])
		require.NotContains(t, rows[1][0], ";")
	})
}

// bars counts lines and the bars that end a cell.
func bars(markdown []byte) [2]int {
	text := regexp.MustCompile(`\\.`).ReplaceAllString(string(markdown), "")
	return [2]int{strings.Count(text, "\n"), strings.Count(text, "|")}
}

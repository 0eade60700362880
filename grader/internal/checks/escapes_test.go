package checks

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
)

func TestFunctionSpans_NamesFunctionsAndMethods(t *testing.T) {
	src := `package ring

func New() *Ring[int] { return nil }

func (r Ring[T]) Len() int { return 0 }

// Push has a comment.
func (r *Ring[T]) Push(
	v T,
) {
}

func (*Map[K, V]) Get(K) V { panic(0) }

func (r *(Plain)) Hidden() {}

func (Plain) Value() {}

func asm()
`
	r := &Room{Exercise: ring(), Student: []assembly.File{
		{Path: ringFile, Content: []byte(src)},
		{Path: "module1/week01/ring/ring_test.go", Content: []byte("package ring\nfunc TestOwn() {}\n")},
		{Path: "module1/week01/ring/notes.md", Content: []byte("no Go\n")},
	}}
	spans, err := r.functionSpans()
	require.NoError(t, err)
	require.Equal(t, []span{
		{"New", ringFile, 3, 3},
		{"Ring.Len", ringFile, 5, 5},
		{"Ring.Push", ringFile, 8, 11},
		{"Map.Get", ringFile, 13, 13},
		{"Plain.Hidden", ringFile, 15, 15},
		{"Plain.Value", ringFile, 17, 17},
	}, spans)
}

func TestMissingFunctions_AreFindings(t *testing.T) {
	spans := []span{{name: "New"}, {name: "Ring.Len"}}
	require.Empty(t, missingFunctions([]string{"New", "Ring.Len"}, spans))
	require.Equal(t, []Finding{{Rule: "Ring.Push", Message: "there is no function Ring.Push to look for escapes in"}},
		missingFunctions([]string{"New", "Ring.Push"}, spans))
}

func TestEscapeLine_ReadsTheCompilersWords(t *testing.T) {
	for line, want := range map[string]string{
		"./ring.go:12:9: &T{} escapes to heap":                       "&T{} escapes to heap",
		"week01/ring/ring.go:3:2: moved to heap: x":                  "moved to heap: x",
		"./ring.go:12:9: make([]int, n) escapes to heap":             "make([]int, n) escapes to heap",
		"./ring.go:12:9: r does not escape":                          "",
		"./ring.go:12:9: leaking param: r":                           "",
		"./ring.go:12:9: can inline New":                             "",
		"# github.com/middle-go/course/module1/week01/ring":          "",
		"./ring.go:12:9: leaking param content: x escapes somewhere": "",
	} {
		m := escapeLine.FindStringSubmatch(line)
		if want == "" {
			require.Nil(t, m, line)
			continue
		}
		require.Equal(t, want, m[3])
	}
}

package checks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// mutantsOf reads the mutants of the exercise ring from files of its directory.
func mutantsOf(t *testing.T, files map[string]string) (string, []Mutant, error) {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		full := filepath.Join(root, "module1", "week01", "ring", "testdata", "mutants", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(content), 0o644))
	}
	return Mutants(root, ring())
}

func TestMutants_ReadsTheMarks(t *testing.T) {
	file, list, err := mutantsOf(t, map[string]string{"ring.go": `//course:mutant m01 forgets the last element
//course:mutant m02 wraps (too  early), or "never"

package ring

	//course:mutant m10 loses everything
// course:mutant m11 is a comment with a space
`, "notes.md": "//course:mutant m99 is not Go\n"})
	require.NoError(t, err)
	require.Equal(t, "module1/week01/ring/testdata/mutants/ring.go", file)
	require.Equal(t, []Mutant{
		{"m01", "forgets the last element"}, {"m02", `wraps (too  early), or "never"`}, {"m10", "loses everything"},
	}, list)
}

func TestMutants_SaysWhatIsWrongWithThem(t *testing.T) {
	const file = "module1/week01/ring/testdata/mutants/ring.go"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no directory", nil, "module1/week01/ring has 0 files in testdata/mutants, want one"},
		{"two files", map[string]string{"a.go": "", "b.go": ""}, "module1/week01/ring has 2 files in testdata/mutants, want one"},
		{"no mutant", map[string]string{"ring.go": "package ring\n"}, file + ` has no line "//course:mutant ID DEFECT"`},
		{"no defect", map[string]string{"ring.go": "package ring\n//course:mutant m01\n"}, file + `:2: a mutant is marked "//course:mutant ID DEFECT"`},
		{"an ID twice", map[string]string{"ring.go": "//course:mutant m01 a\n//course:mutant m01 b\n"}, file + ":2: mutant m01 is there twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := mutantsOf(t, c.files)
			require.EqualError(t, err, c.want)
		})
	}
}

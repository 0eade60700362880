package cut_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// added lists the lines of a file that have come with a milestone.
func added(t *testing.T, files map[string]string, name, id string) []string {
	t.Helper()
	r := reference(t, files)
	lines, err := r.Added(id)
	require.NoError(t, err)
	content := strings.Split(cutOf(t, r, id)[name], "\n")
	var list []string
	for _, n := range slices.Sorted(maps.Keys(lines[name])) {
		list = append(list, strings.TrimSpace(content[n-1]))
	}
	return list
}

func TestAdded_TakesFilesAndRegionsOfTheMilestone(t *testing.T) {
	files := map[string]string{
		"old.go": "package a\n\nfunc old() {}\n",
		"new.go": "//course:since m02a\n\npackage a\n\n// later is later.\nfunc later() {\n\t//course:since m02b\n\n\tmore()\n\t//course:end\n}\n",
		"mixed.go": `package a

import (
	"errors"
	"fmt"
)

type x struct {
	a int
	//course:since m02a
	longer string
	//course:end
}

func mixed() error {
	//course:until m02a
	// return errors.New("x")
	//course:end

	//course:since m02a
	return fmt.Errorf("x")
	//course:end
}

var _ = errors.ErrUnsupported
`,
		"notes.yaml": "# course:since m02a\na: 1\n",
	}
	for _, tc := range []struct {
		file, id string
		want     []string
	}{
		{"old.go", "m01a", []string{"package a", "func old() {}"}},
		{"old.go", "m02a", nil},
		{"new.go", "m01a", nil},
		{"new.go", "m02a", []string{"package a", "// later is later.", "func later() {", "}"}},
		{"new.go", "m02b", []string{"more()"}},
		{"mixed.go", "m02a", []string{"longer string", `return fmt.Errorf("x")`}},
		{"mixed.go", "m02b", nil},
		{"notes.yaml", "m02a", nil},
	} {
		if diff := cmp.Diff(tc.want, added(t, files, tc.file, tc.id)); diff != "" {
			t.Errorf("%s in %s (-want +got)\n%s", tc.file, tc.id, diff)
		}
	}
}

func TestAdded_ReportsWhatGofmtWouldRewrite(t *testing.T) {
	_, err := reference(t, map[string]string{"a.go": "package a\n\nfunc f() { g(); h() }\nfunc g() {;}\n"}).Added("m01a")
	require.EqualError(t, err, "solutions/tasktracker/a.go: gofmt rewrites line 4 of the cut of m01a; give the reference that form")
}

func TestAdded_WantsAMilestone(t *testing.T) {
	_, err := reference(t, nil).Added("m13a")
	require.ErrorContains(t, err, `"m13a" is no milestone`)
}

package cut_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/cut"
)

// write writes files below dir.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(content), 0o644))
	}
}

func reference(t *testing.T, files map[string]string) cut.Reference {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files)
	return cut.Reference{Dir: dir, Name: "solutions/tasktracker"}
}

// cutOf returns the cut of a milestone by path.
func cutOf(t *testing.T, src cut.Source, id string) map[string]string {
	t.Helper()
	tree, err := src.Cut(id)
	require.NoError(t, err)
	got := map[string]string{}
	for _, f := range tree {
		got[f.Path] = string(f.Content)
	}
	return got
}

// one demands the cuts of a reference with one file.
func one(t *testing.T, name, content string, want map[string]string) {
	t.Helper()
	r := reference(t, map[string]string{name: content})
	for id, text := range want {
		if diff := cmp.Diff(text, cutOf(t, r, id)[name]); diff != "" {
			t.Errorf("%s in %s (-want +got)\n%s", name, id, diff)
		}
	}
}

const absent = ""

func TestCut_FilesComeWithTheirMilestone(t *testing.T) {
	r := reference(t, map[string]string{
		"go.mod":                        "module m\n",
		"go.sum":                        "",
		"cmd/tasktracker/main.go":       "package main\n",
		"domain/task.go":                "package domain\n",
		"domain/query.go":               "//course:since m01b\n\npackage domain\n",
		"domain/query_test.go":          "//course:since m01b\n\npackage domain_test\n",
		"infra/sqlite/store.go":         "//course:since m05a\n\npackage sqlite\n",
		"infra/sqlite/schema.sql":       "-- course:since m05a\nCREATE TABLE tasks (id TEXT);\n",
		"deploy/compose.yaml":           "# course:since m07a\nservices: {}\n",
		"testdata/wrong/m01a/w1_bad.go": "package domain\n",
		"testdata/survivors/m01a.yaml":  "[]\n",
	})
	early := map[string]string{"cmd/tasktracker/main.go": "package main\n", "domain/task.go": "package domain\n"}
	require.Equal(t, early, cutOf(t, r, "m01a"))

	later := map[string]string{"domain/query.go": "package domain\n", "domain/query_test.go": "package domain_test\n"}
	for name, content := range early {
		later[name] = content
	}
	require.Equal(t, later, cutOf(t, r, "m01b"))
	require.Equal(t, later, cutOf(t, r, "m04b"))

	later["infra/sqlite/store.go"] = "package sqlite\n"
	later["infra/sqlite/schema.sql"] = "CREATE TABLE tasks (id TEXT);\n"
	require.Equal(t, later, cutOf(t, r, "m05a"))

	later["deploy/compose.yaml"] = "services: {}\n"
	require.Equal(t, later, cutOf(t, r, "m12b"))
}

func TestCut_AFileWithoutCommentsComesWithItsDirectory(t *testing.T) {
	r := reference(t, map[string]string{
		"README.json":                 "{}",
		"cmd/ttlog/main.go":           "//course:since m01b\n\npackage main\n",
		"cmd/ttlog/extra.go":          "//course:since m06a\n\npackage main\n",
		"cmd/ttlog/testdata/a.log":    "a\n",
		"cmd/ttlog/testdata/b.yaml":   "# course:since m09a\n",
		"deploy/grafana/sources.yaml": "# course:since m09b\na: b\n",
		"deploy/grafana/json/x.json":  "{}",
	})
	require.Equal(t, map[string]string{"README.json": "{}"}, cutOf(t, r, "m01a"))
	require.Equal(t, map[string]string{
		"README.json": "{}", "cmd/ttlog/main.go": "package main\n",
		"cmd/ttlog/testdata/a.log": "a\n", "cmd/ttlog/testdata/b.yaml": "# course:since m09a\n",
	}, cutOf(t, r, "m01b"))
	require.NotContains(t, cutOf(t, r, "m09a"), "deploy/grafana/json/x.json")
	require.Contains(t, cutOf(t, r, "m09b"), "deploy/grafana/json/x.json")
}

func TestCut_KeepsTheExecutableBit(t *testing.T) {
	r := reference(t, map[string]string{"deploy/up.sh": "#!/bin/sh\n# course:since m07a\nexit 0\n", "a.go": "package a\n"})
	require.NoError(t, os.Chmod(filepath.Join(r.Dir, "deploy/up.sh"), 0o755))
	tree, err := r.Cut("m07a")
	require.NoError(t, err)
	require.Equal(t, cut.Tree{
		{Path: "a.go", Content: []byte("package a\n")},
		{Path: "deploy/up.sh", Content: []byte("#!/bin/sh\nexit 0\n"), Executable: true},
	}, tree)
}

func TestCut_RefusesLinks(t *testing.T) {
	r := reference(t, map[string]string{"domain/task.go": "package domain\n"})
	require.NoError(t, os.Symlink("task.go", filepath.Join(r.Dir, "domain", "alias.go")))
	_, err := r.Cut("m01a")
	require.EqualError(t, err, "solutions/tasktracker/domain/alias.go is not a regular file")
}

func TestCut_KnowsThePlanOnly(t *testing.T) {
	r := reference(t, nil)
	for _, id := range []string{"m13a", "m1a", "", "../m01a"} {
		_, err := r.Cut(id)
		require.ErrorContains(t, err, "is no milestone; the course has m01a to m12b")
		_, err = cut.Ready{Dir: r.Dir}.Cut(id)
		require.ErrorContains(t, err, "is no milestone; the course has m01a to m12b")
	}
}

func TestCut_ListsEveryMistakeWithFileAndLine(t *testing.T) {
	const name = "solutions/tasktracker/"
	for mistake, tc := range map[string]struct {
		file, content string
		want          []string
	}{
		"unknown milestone of a file": {"a.go", "//course:since m13a\n\npackage a\n",
			[]string{`a.go:1: "m13a" is no milestone; the course has m01a to m12b`}},
		"unknown milestone of a region": {"a.go", "package a\n\n//course:since 5a\n\n//course:end\n",
			[]string{`a.go:3: "5a" is no milestone; the course has m01a to m12b`}},
		"no milestone": {"a.go", "package a\n\n//course:until\n\n//course:end\n",
			[]string{`a.go:3: "" is no milestone; the course has m01a to m12b`}},
		"words after the milestone": {"a.go", "package a\n\n//course:since m05a the store\n\n//course:end\n",
			[]string{`a.go:3: "m05a the store" is no milestone`}},
		"missing end": {"a.go", "package a\n\n//course:since m05a\nvar x int\n",
			[]string{"a.go:3: the region is never closed; end it with //course:end"}},
		"missing end in YAML": {"a.yaml", "a: b\n# course:since m05a\nc: d\n",
			[]string{"a.yaml:2: the region is never closed; end it with # course:end"}},
		"end of nothing": {"a.go", "package a\n\n//course:end\n",
			[]string{"a.go:3: //course:end closes nothing"}},
		"end with a milestone": {"a.go", "package a\n\n//course:since m05a\n\n//course:end m05a\n",
			[]string{"a.go:5: //course:end stands alone", "a.go:3: the region is never closed"}},
		"nested": {"a.go", "package a\n\n//course:since m05a\n\n//course:since m06a\n\n//course:end\n",
			[]string{"a.go:5: regions cannot be nested; the one of line 3 is still open"}},
		"misspelt": {"a.go", "package a\n\n//course:sinc m05a\n",
			[]string{"a.go:3: //course:sinc is no marker; there are since, until and end"}},
		"a space in Go": {"a.go", "// course:since m05a\n\npackage a\n",
			[]string{`a.go:1: "// course:since m05a" is no marker; markers begin with "//course:"`}},
		"no space in YAML": {"a.yaml", "#course:since m05a\n",
			[]string{`a.yaml:1: "#course:since m05a" is no marker; markers begin with "# course:"`}},
		"behind code": {"a.go", "package a\n\nvar x int //course:since m05a\n",
			[]string{"a.go:3: a marker stands on a line of its own"}},
		"two at the head": {"a.go", "//course:since m05a\n//course:since m06a\n\npackage a\n",
			[]string{"a.go:2: the head of a file has one marker, //course:since, for the whole file"}},
		"until at the head": {"a.sql", "-- course:until m05a\n",
			[]string{"a.sql:1: the head of a file has one marker, -- course:since, for the whole file"}},
		"older text that is live": {"a.go", "package a\n\n//course:until m05a\nvar x int\n//course:end\n",
			[]string{"a.go:4: older text stands in comments, so that the finished reference is right without it"}},
		"gofmt moves it": {"a.go", "package a\n\n//course:since m05a\n// F does.\nfunc F() {}\n\n//course:end\n",
			[]string{"a.go:3: an empty line is missing between the marker and the documentation beside it; gofmt joins them"}},
		"gofmt has moved it": {"a.go", "package a\n\n// F does.\n//\n//course:since m05a\nfunc F() {}\n\n//course:end\n",
			[]string{"a.go:5: an empty line is missing between the marker and the documentation beside it; gofmt joins them"}},
	} {
		t.Run(mistake, func(t *testing.T) {
			_, err := reference(t, map[string]string{tc.file: tc.content}).Cut("m01a")
			for _, want := range tc.want {
				require.ErrorContains(t, err, name+want)
			}
		})
	}

	_, err := reference(t, map[string]string{
		"a.go": "package a\n\n//course:end\n",
		"b.go": "package b\n\n//course:since m00a\n\n//course:end\n//course:end\n",
	}).Cut("m01a")
	require.EqualError(t, err, name+"a.go:3: //course:end closes nothing\n"+
		name+"b.go:3: \"m00a\" is no milestone; the course has m01a to m12b\n"+
		name+"b.go:6: //course:end closes nothing")
}

func TestCut_SaysWhereACutIsNoGo(t *testing.T) {
	_, err := reference(t, map[string]string{
		"domain/a.go": "package domain\n\nfunc A() {\n\t//course:since m05a\n\tif true {\n\t\t//course:end\n\t}\n}\n",
	}).Cut("m04a")
	require.EqualError(t, err, "solutions/tasktracker/domain/a.go:8: the cut is no Go file: expected declaration, found '}'")

	_, err = reference(t, map[string]string{"domain/a.go": "package domain\n\n//course:since m05a\n\n//course:end\n\nfunc (\n"}).Cut("m05a")
	require.ErrorContains(t, err, "solutions/tasktracker/domain/a.go:7: the cut is no Go file: ")
}

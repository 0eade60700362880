package grade_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/toolchain"
)

// stages are those that a corpus's rows are graded for here. Rows of other
// stages are named in the table and are not judged.
var stages = []string{"assembly", "policy", "tests", "bench"}

// boxAdds names the categories in which the system's own box would stop a
// submission a second time, should the policy ever miss it.
var boxAdds = map[string]string{"leak": "files and network", "harm": "files and signals"}

// TestRedTeam grades every hostile submission of a corpus and demands exactly
// its expected verdict. REDTEAM_CORPUS names the corpus; the default is
// ../shared/redteam beside the repository when it is there. The project's own
// small corpus always runs.
func TestRedTeam(t *testing.T) {
	corpora := []string{"testdata/redteam"}
	if named := os.Getenv("REDTEAM_CORPUS"); named != "" {
		corpora = append(corpora, named)
	} else if beside := filepath.Join(repositoryRoot(t), "..", "shared", "redteam"); exists(beside) {
		corpora = append(corpora, beside)
	}
	for _, corpus := range corpora {
		t.Run(filepath.Base(filepath.Dir(corpus)), func(t *testing.T) { gradeCorpus(t, corpus) })
	}
}

// row is one line of expected.tsv.
type row struct{ id, category, stage, verdict, why string }

func gradeCorpus(t *testing.T, corpus string) {
	rows := readRows(t, filepath.Join(corpus, "expected.tsv"))
	canaries := plantCanaries(t)
	g, ex, hidden := corpusCourse(t, corpus)
	tokens := t.TempDir()
	t.Setenv("GITHUB_TOKEN", secret)
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		file := filepath.Join(tokens, name)
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		t.Setenv(name, file)
	}

	var mu sync.Mutex
	table := make([]string, len(rows))
	wrong := 0
	slots := make(chan struct{}, max(1, runtime.NumCPU()/2))
	t.Run("rows", func(t *testing.T) {
		for i, r := range rows {
			t.Run(r.id, func(t *testing.T) {
				t.Parallel()
				slots <- struct{}{}
				defer func() { <-slots }()
				if !slices.Contains(stages, r.stage) {
					table[i] = fmt.Sprintf("%-28s %-9s %-8s %-8s stage %s: needs a check that this corpus's exercise has not", r.id, r.stage, r.verdict, "-", r.stage)
					return
				}
				tree := apply(t, corpus, r.id)
				before := hashOf(t, tree)
				graded := *ex
				if r.stage != "bench" && r.id != rows[0].id {
					graded.Checks.Bench = nil // honest code may be slow, where speed is not the subject
				}
				v, err := g.Grade(t.Context(), grade.Request{Exercise: &graded, Submission: tree, ExtraTests: hidden})
				require.NoError(t, err)
				got, by := verdictWord(v)
				note := by
				if add := boxAdds[r.category]; add != "" {
					note += " (a box would also guard " + add + ")"
				}
				mu.Lock()
				table[i] = fmt.Sprintf("%-28s %-9s %-8s %-8s %s", r.id, r.stage, r.verdict, got, note)
				if got != r.verdict {
					wrong++
				}
				mu.Unlock()
				require.Equal(t, r.verdict, got, "%s\n%s", r.why, explain(v))
				require.Equal(t, before, hashOf(t, tree), "the submitted tree was changed")
				require.NotContains(t, explain(v), secret)
				require.NotContains(t, explain(v), reversed(secret))
			})
		}
	})
	t.Logf("\n%-28s %-9s %-8s %-8s decided by\n%s\n%d rows, %d differences",
		"submission", "stage", "expected", "got", strings.Join(table, "\n"), len(rows), wrong)
	canaries.check(t)
	for _, name := range []string{"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		content, err := os.ReadFile(filepath.Join(tokens, name))
		require.NoError(t, err)
		require.Empty(t, content, "%s was written", name)
	}
	require.Empty(t, processesIn(t, os.Getenv("GRADER_CACHE")), "processes of graded submissions are left")
}

const secret = "ghs_canary0123456789"

// corpusCourse makes a course tree of a corpus: its base, with the reference's
// inventory, a benchmark against the reference, and labkit.
func corpusCourse(t *testing.T, corpus string) (*grade.Grader, *course.Exercise, string) {
	t.Helper()
	t.Setenv("GRADER_CACHE", t.TempDir())
	references, err := filepath.Glob(filepath.Join(corpus, "reference", "*.go"))
	require.NoError(t, err)
	require.Len(t, references, 1)
	slug := strings.TrimSuffix(filepath.Base(references[0]), ".go")
	reference, err := os.ReadFile(references[0])
	require.NoError(t, err)

	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS(filepath.Join(corpus, "base"))))
	require.NoError(t, os.RemoveAll(filepath.Join(root, "solutions")))
	require.NoError(t, os.CopyFS(filepath.Join(root, "grader", "labkit"), os.DirFS(filepath.Join(repositoryRoot(t), "grader", "labkit"))))
	ex := &course.Exercise{
		Week: 1, Slug: slug, Title: slug, Kind: course.Implement, Minutes: 1,
		Dir: slug, Module: ".", Files: []string{slug + ".go"}, Hints: []string{"", "", ""},
	}
	if driver, err := os.ReadFile(filepath.Join(corpus, "bench.go.txt")); err == nil {
		writeBench(t, root, ex, string(driver), string(reference))
	} else if slug == "stack" {
		writeBench(t, root, ex, stackDriver, string(reference))
	}

	gocmd, err := toolchain.Find(t.Context(), ".")
	require.NoError(t, err)
	g := &grade.Grader{Course: &course.Course{Root: root}, Go: gocmd, Parallel: 1}
	files := []assembly.File{{Path: slug + "/" + slug + ".go", Content: reference}}
	room, release, err := g.Room(t.Context(), grade.Request{Exercise: ex, Submission: root}, files, 1)
	require.NoError(t, err)
	defer release()
	race, err := room.Repeat(t.Context(), "", false, 1, 0)
	require.NoError(t, err)
	plain, err := room.Repeat(t.Context(), "", true, 1, 0)
	require.NoError(t, err)
	inventory := checks.InventoryFile(root, ex)
	require.NoError(t, os.MkdirAll(filepath.Dir(inventory), 0o755))
	require.NoError(t, os.WriteFile(inventory, checks.Record(race, plain).Bytes(), 0o644))
	hidden := filepath.Join(corpus, "hidden")
	if !exists(hidden) {
		hidden = ""
	}
	return g, ex, hidden
}

// stackDriver measures the submitted stack against the reference.
const stackDriver = `
func drive(push func(int), pop func() (int, bool)) {
	for i := range 100 {
		push(i)
	}
	for range 100 {
		pop()
	}
}

func BenchmarkAgainstReference(b *testing.B) {
	var reference referenceStack
	var submitted Stack
	abbench.Compare(b,
		func() { drive(reference.Push, reference.Pop) },
		func() { drive(submitted.Push, submitted.Pop) })
}
`

// writeBench adds a benchmark of the submission against the reference, which
// must be at most twice as fast. The reference's type gets another name.
func writeBench(t *testing.T, root string, ex *course.Exercise, driver, reference string) {
	t.Helper()
	typeName := strings.ToUpper(ex.Slug[:1]) + ex.Slug[1:]
	baseline := strings.NewReplacer("type "+typeName, "type reference"+typeName, "*"+typeName, "*reference"+typeName).Replace(reference)
	_, baseline, _ = strings.Cut(baseline, "package "+ex.Slug)
	source := fmt.Sprintf("package %s\n\nimport (\n\t\"testing\"\n\n\t\"github.com/middle-go/course/grader/labkit/abbench\"\n)\n%s%s", ex.Slug, baseline, driver)
	require.NoError(t, os.WriteFile(filepath.Join(root, ex.Slug, "zz_bench_test.go"), []byte(source), 0o644))
	ex.Checks.Bench = &course.Bench{Name: "BenchmarkAgainstReference", Faster: 0.5}
}

// apply builds the submission with the given id in a directory of its own.
func apply(t *testing.T, corpus, id string) string {
	t.Helper()
	tree := t.TempDir()
	require.NoError(t, os.CopyFS(tree, os.DirFS(filepath.Join(corpus, "base"))))
	dir := filepath.Join(corpus, id)
	for _, line := range lines(filepath.Join(dir, "DELETE")) {
		require.NoError(t, os.RemoveAll(filepath.Join(tree, line)))
	}
	err := filepath.WalkDir(filepath.Join(dir, "files"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(filepath.Join(dir, "files"), name)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return replaceFile(filepath.Join(tree, rel), content)
	})
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	for _, line := range lines(filepath.Join(dir, "SYMLINKS")) {
		link, target, _ := strings.Cut(line, " ")
		full := filepath.Join(tree, link)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.RemoveAll(full))
		require.NoError(t, os.Symlink(target, full))
	}
	return tree
}

func replaceFile(name string, content []byte) error {
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o644)
}

// verdictWord turns a verdict into the corpus's vocabulary, and says which
// check decided.
func verdictWord(v *grade.Verdict) (word, by string) {
	for _, c := range v.Checks {
		if c.Status == checks.Pass || c.Status == checks.NotRun || c.Check == "gofmt" || c.Check == "lint" {
			continue
		}
		by = c.Check
		if len(c.Findings) > 0 {
			f := c.Findings[0]
			if strings.HasPrefix(f.Rule, "Test") {
				by += ": " + f.Rule
			}
			by += ": " + f.Message
		}
		if slices.ContainsFunc(c.Findings, func(f checks.Finding) bool { return f.TimedOut }) {
			return "timeout", by
		}
		switch c.Status {
		case checks.Rejected:
			return "reject", by
		case checks.Fail:
			return "fail", by
		default:
			return string(c.Status), by
		}
	}
	return "pass", ""
}

func explain(v *grade.Verdict) string {
	var b strings.Builder
	for _, f := range v.Findings() {
		fmt.Fprintf(&b, "%s %s %s:%d %s\n%s\n", f.Check, f.Rule, f.File, f.Line, f.Message, f.Detail)
	}
	return b.String()
}

func readRows(t *testing.T, name string) []row {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	records, err := r.ReadAll()
	require.NoError(t, err)
	column := map[string]int{}
	for i, name := range records[0] {
		column[name] = i
	}
	var rows []row
	for _, rec := range records[1:] {
		rows = append(rows, row{
			id: rec[column["id"]], category: rec[column["category"]], stage: rec[column["stage"]],
			verdict: rec[column["verdict"]], why: rec[column["why"]],
		})
	}
	require.NotEmpty(t, rows)
	return rows
}

// canaries are what hostile submissions try to touch.
type canaries struct {
	keep, outside string
	touched       atomic.Int32
}

func plantCanaries(t *testing.T) *canaries {
	t.Helper()
	const dir = "/tmp/redteam-canary"
	require.NoError(t, os.RemoveAll(dir))
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &canaries{keep: filepath.Join(dir, "home", "keep"), outside: filepath.Join(dir, "outside")}
	require.NoError(t, os.MkdirAll(filepath.Dir(c.keep), 0o755))
	require.NoError(t, os.MkdirAll(c.outside, 0o755))
	require.NoError(t, os.WriteFile(c.keep, []byte("keep"), 0o644))
	c.listen(t, "tcp", "127.0.0.1:47747")
	c.listen(t, "unix", filepath.Join(dir, "docker.sock"))
	udp, err := net.ListenPacket("udp", "127.0.0.1:47747")
	require.NoError(t, err)
	t.Cleanup(func() { udp.Close() })
	go func() {
		for {
			if _, _, err := udp.ReadFrom(make([]byte, 1)); err != nil {
				return
			}
			c.touched.Add(1)
		}
	}()
	return c
}

func (c *canaries) listen(t *testing.T, network, address string) {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.touched.Add(1)
			conn.Close()
		}
	}()
}

func (c *canaries) check(t *testing.T) {
	t.Helper()
	require.FileExists(t, c.keep)
	entries, err := os.ReadDir(c.outside)
	require.NoError(t, err)
	require.Empty(t, entries)
	require.Zero(t, c.touched.Load(), "a submission reached the network or a socket")
}

// processesIn lists the processes that run from a directory.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	exes, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(t, err)
	var found []string
	for _, exe := range exes {
		if target, err := os.Readlink(exe); err == nil && strings.HasPrefix(target, dir+"/") {
			found = append(found, target)
		}
	}
	return found
}

func hashOf(t *testing.T, root string) string {
	t.Helper()
	h := sha256.New()
	require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, name, info.Mode(), info.Size())
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			h.Write(content)
		}
		return nil
	}))
	return hex.EncodeToString(h.Sum(nil))
}

func lines(name string) []string {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func repositoryRoot(t *testing.T) string {
	t.Helper()
	c, err := course.Find(".")
	require.NoError(t, err)
	return c.Root
}

// Package gatebench measures the grader itself: how long a student waits for a
// verdict, as a ratio to go test, and how often the gate for benchmarks errs.
//
//	make bench-grader
package gatebench_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/labkit/abbench"
)

// rounds is how often each side of a ratio is measured; the median counts.
const rounds = 7

// changedLine changes what the package does when it starts. A comment or unused
// code would not do: the linker drops it, and go test then answers from its
// cache without running anything.
const changedLine = "\nvar _ = func() int { m := map[int]int{}; m[%d]++; return len(m) }()\n"

// BenchmarkVerdictAfterOneLine compares the grader's verdict after a change of
// one line with go test -race of the same package after the same change.
func BenchmarkVerdictAfterOneLine(b *testing.B) {
	c := openCourse(b)
	grader := filepath.Join(c.Root, "bin", "grader")
	for _, id := range []string{"week01/aliasing", "week01/zerocopy", "week01/escape", "week01/handles", "week02/weakcache", "week03/retry", "week05/racehunt"} {
		b.Run(strings.ReplaceAll(id, "/", "-"), func(b *testing.B) {
			ex, err := c.Exercise(id)
			require.NoError(b, err)
			name := ex.Dir + "/" + ex.Files[0]
			reference, err := os.ReadFile(filepath.Join(c.Root, "solutions", name))
			require.NoError(b, err)

			submission := b.TempDir()
			plain := plainModule(b, c, ex)
			change := func(n int, at ...string) {
				for _, root := range at {
					writeFile(b, filepath.Join(root, name), fmt.Appendf(bytes.Clone(reference), changedLine, n))
				}
			}
			var graded, tested []time.Duration
			for n := range rounds + 1 {
				change(int(time.Now().UnixNano())+n, submission, plain)
				g := timed(b, c.Root, grader, "exercise", id, "--submission", submission)
				t := timed(b, filepath.Join(plain, ex.Module), "go", "test", "-race", "./"+strings.TrimPrefix(ex.Dir, ex.Module+"/"))
				if n > 0 { // the first round warms the caches
					graded, tested = append(graded, g), append(tested, t)
				}
			}
			b.ReportMetric(median(graded).Seconds()/median(tested).Seconds(), "x-go-test")
			b.ReportMetric(median(graded).Seconds(), "s-verdict")
			b.ReportMetric(median(tested).Seconds(), "s-go-test")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkNothingChanged measures the verdict on a week that is as it was.
func BenchmarkNothingChanged(b *testing.B) {
	c := openCourse(b)
	grader := filepath.Join(c.Root, "bin", "grader")
	var took []time.Duration
	for range rounds + 1 {
		took = append(took, timed(b, c.Root, grader, "week", "1", "--submission", "solutions"))
	}
	b.ReportMetric(median(took[1:]).Seconds(), "s-verdict")
	b.ReportMetric(0, "ns/op")
}

// trials is how often the gate judges code against itself.
const trials = 300

// BenchmarkGateOnEqualCode lets the gate compare a function with itself. A
// verdict of fail would be false.
func BenchmarkGateOnEqualCode(b *testing.B) {
	words := strings.Fields(strings.Repeat("the quick brown fox jumps over the lazy dog ", 40))
	total := 0
	count := func() {
		for _, w := range words {
			total += len(w)
		}
	}
	for _, hogs := range []int{0, 2} {
		b.Run(fmt.Sprintf("hogs=%d", hogs), func(b *testing.B) {
			for range hogs {
				startHog(b)
			}
			got := map[checks.Status]int{}
			lowest, highest := math.Inf(1), math.Inf(-1)
			for range trials {
				s, interval, err := checks.Judge(1, func() ([]float64, error) { return abbench.Ratios(count, count), nil })
				require.NoError(b, err)
				got[s]++
				lowest, highest = min(lowest, interval.Center), max(highest, interval.Center)
			}
			b.ReportMetric(lowest, "lowest-ratio")
			b.ReportMetric(highest, "highest-ratio")
			b.ReportMetric(100*float64(got[checks.Fail])/trials, "%false-fail")
			b.ReportMetric(100*float64(got[checks.Unproven])/trials, "%unproven")
			b.ReportMetric(0, "ns/op")
		})
	}
	require.NotZero(b, total)
}

func openCourse(b *testing.B) *course.Course {
	b.Helper()
	c, err := course.Find(".")
	require.NoError(b, err)
	return c
}

// plainModule copies what go test needs for one exercise: the module and labkit.
func plainModule(b *testing.B, c *course.Course, ex *course.Exercise) string {
	b.Helper()
	root := b.TempDir()
	for _, dir := range []string{ex.Dir, "grader/labkit"} {
		require.NoError(b, os.CopyFS(filepath.Join(root, dir), os.DirFS(filepath.Join(c.Root, dir))))
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(c.Root, ex.Module, name))
		require.NoError(b, err)
		writeFile(b, filepath.Join(root, ex.Module, name), content)
	}
	return root
}

func writeFile(b *testing.B, name string, content []byte) {
	b.Helper()
	require.NoError(b, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(b, os.WriteFile(name, content, 0o644))
}

// timed runs a command that must succeed and returns how long it took.
func timed(b *testing.B, dir, name string, args ...string) time.Duration {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GRADER_CACHE="+cacheDir(b))
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	require.NoError(b, err, "%s", out)
	return took
}

// cacheDir is the user's own cache of the grader: what a student has, too.
func cacheDir(b *testing.B) string {
	b.Helper()
	dir, err := os.UserCacheDir()
	require.NoError(b, err)
	return filepath.Join(dir, "middle-go")
}

func startHog(b *testing.B) {
	b.Helper()
	hog := exec.Command("/bin/sh", "-c", "while :; do :; done")
	require.NoError(b, hog.Start())
	b.Cleanup(func() {
		require.NoError(b, hog.Process.Kill())
		_ = hog.Wait() // killed, as it should be
	})
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

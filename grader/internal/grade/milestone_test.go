package grade_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/verify"
)

const storeDir = "tasktracker/store/store.go"

func TestMilestone_WhiteBoxGradesPackagesFromBesideThem(t *testing.T) {
	tr := newTracker(t)
	r := tr.verify(t, "m01b")
	require.Empty(t, r.Problems)
	require.Equal(t, 2, r.Wrong)
	require.Zero(t, r.Escaped)

	v := tr.grade(t, "m01b")
	require.Equal(t, checks.Pass, v.Status, shown(t, v))
	require.Contains(t, shown(t, v), "2 tests, race, leak, interleave 2 runs, coverage 100.0 %, layers 1 rule, limits, gofmt, lint\n")

	t.Run("mutants", func(t *testing.T) {
		tr := tr.fork(t)
		tr.edit(t, "store/store.go", "// Package store counts.", "//course:since m01b\n\n// Package store counts.")
		m, err := (&verify.Verifier{Grader: tr.grader, Solutions: tr.student}).Mutation(t.Context(), tr.milestone(t, "m01b"))
		require.NoError(t, err)
		require.Positive(t, m.Mutants)
		for _, s := range m.Survivors {
			require.Equal(t, storeDir, s.File, "the milestone is about nothing else")
		}
	})

	for name, tc := range map[string]struct {
		file, old, new string
		check          string
		want           []string
	}{
		"a rule that is broken": {
			"store/store.go", "c.n++", "c.n += 2",
			"tests", []string{"Counter: counts\n", "tasktracker/milestones/m01b/store_test.go:15"},
		},
		"a race": {
			"store/store.go", "\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n", "\t_ = &c.mu\n",
			"tests", []string{"Counter: loses no update\n", "made the race detector stop the program", "store.go:15 in (*Counter).Add"},
		},
		"code that does not compile": {
			"store/store.go", "return c.n", "return c.m",
			"build", []string{storeDir + ":17: c.m undefined"},
		},
		"an API that is another": {
			"store/store.go", "Add() int {", "Add() (n int64) {\n\tdefer func() { n = int64(c.n) }()",
			"build", []string{"tasktracker/store/store.go:"},
		},
		"a package that nobody tests and that does not compile": {
			"cmd/tasktracker/main.go", "return mux", "return mx",
			"build", []string{"tasktracker/cmd/tasktracker/main.go:53: undefined: mx"},
		},
		"a forbidden call": {
			"store/store.go", "\tc.n++\n", "\t_ = time.Now()\n\tc.n++\n",
			"limits", []string{storeDir + ":19: time.Now is forbidden"},
		},
		"an import that belongs to a program": {
			"store/store.go", `import "sync"`, "import (\n\t\"os\"\n\t\"sync\"\n)\n\nvar _ = os.Args",
			"policy", []string{`tasktracker/store/store.go:5: import "os" is not allowed`},
		},
		"own tests that fail": {
			"store/store_test.go", "got != 2", "got != 3",
			"coverage", []string{"your own test failed", "tasktracker/store/store_test.go"},
		},
		"own tests that see too little": {
			"store/store_test.go", "\tc.Add()\n\tif got := c.Add(); got != 2 {\n\t\tt.Errorf(\"got %d, want 2\", got)\n\t}\n", "\t_ = &c\n",
			"coverage", []string{"0.0 % of the statements are covered, want 80 %"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tr.fork(t)
			tr.edit(t, tc.file, tc.old, tc.new)
			if name == "a forbidden call" {
				tr.edit(t, tc.file, `import "sync"`, "import (\n\t\"sync\"\n\t\"time\"\n)")
			}
			failsWith(t, tr.grade(t, "m01b"), tc.check, tc.want...)
		})
	}

	t.Run("no own tests", func(t *testing.T) {
		tr := tr.fork(t)
		tr.remove(t, "store/store_test.go")
		failsWith(t, tr.grade(t, "m01b"), "coverage", "there are no tests of yours yet in tasktracker/store; this milestone wants 80 % of the package covered by them")
	})

	t.Run("an arrow that points outwards", func(t *testing.T) {
		tr := tr.fork(t)
		tr.edit(t, "store/store.go", `import "sync"`, "import (\n\t\"sync\"\n\n\t\"github.com/middle-go/course/tasktracker/web\"\n)\n\nvar _ = web.Title")
		write(t, filepath.Join(tr.student, "tasktracker/web/web.go"), "// Package web is outside.\npackage web\n\n// Title is shown.\nconst Title = \"t\"\n")
		failsWith(t, tr.grade(t, "m01b"), "layers",
			storeDir+":7: store -> web: store may import nothing of the project", "A belief that leads here: a package may import whatever compiles.")
	})

	t.Run("not started", func(t *testing.T) {
		tr := tr.fork(t)
		content := read(t, filepath.Join(tr.course, storeDir))
		write(t, filepath.Join(tr.student, storeDir), content)
		tr.remove(t, "store/store_test.go")
		v := tr.grade(t, "m01b")
		require.True(t, v.Untouched, "what lies in other packages is not part of it")
		failsWith(t, v, "tests", "not started: tasktracker/milestones/m01b/README.md is where to begin")
	})
}

func TestMilestone_BlackBoxGradesTheProgram(t *testing.T) {
	tr := newTracker(t)
	r := tr.verify(t, "m04a")
	require.Empty(t, r.Problems)
	require.Equal(t, 2, r.Wrong)
	require.Zero(t, r.Escaped)

	v := tr.grade(t, "m04a")
	require.Equal(t, checks.Pass, v.Status, shown(t, v))
	require.Regexp(t, `3 tests, race, coverage \d\d\.\d %, gofmt, lint\n`, shown(t, v))
	coverage, ok := v.Check("coverage")
	require.True(t, ok)
	require.Greater(t, coverage.Metrics["coverage_percent"], 60.0)
	require.Less(t, coverage.Metrics["coverage_percent"], 100.0, "the errors of the listener are not covered")

	const main = "cmd/tasktracker/main.go"
	for name, tc := range map[string]struct {
		file, old, new string
		check          string
		want           []string
	}{
		"a wrong answer": {
			main, "c.Add())", "c.Add()+1)",
			"tests", []string{"M04a: counts\n", "tasktracker/acceptance/m04a/m04a_test.go:22", `got: "2"`},
		},
		"a program that does not build": {
			main, "return mux", "return mx",
			"build", []string{"tasktracker/cmd/tasktracker/main.go:53: undefined: mx", "This blocks every other check of m04a."},
		},
		"a program that is none": {
			main, "package main", "package tasktracker",
			"build", []string{"tasktracker/cmd/tasktracker is package tasktracker; a program is package main"},
		},
		"a program that exits at once": {
			main, "\tif err := run(); err != nil {", "\tfmt.Println(\"PASS\")\n\tos.Exit(0)\n\tif err := run(); err != nil {",
			"tests", []string{"tasktracker exited with code 0 before it was ready"},
		},
		"a program that says why it exits": {
			main, "\tlistener, err := net.Listen(\"tcp\", \"127.0.0.1:0\")", "\tlistener, err := net.Listen(\"tcp\", \"127.0.0.1:99999\")",
			"tests", []string{"tasktracker exited with code 1 before it was ready", "tasktracker: listen tcp: address 99999: invalid port"},
		},
		"a race": {
			"store/store.go", "\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n", "\t_ = &c.mu\n",
			"tests", []string{"WARNING: DATA RACE"},
		},
		"coverage below the goal": {
			main, "func announce(", "func unused(n int) int {\n\tn++\n\tn++\n\tn++\n\tn++\n\tn++\n\tn++\n\tn++\n\tn++\n\tn++\n\tn++\n\tn++\n\tn++\n\treturn n\n}\n\nvar _ = unused\n\nfunc announce(",
			"coverage", []string{" % of the statements are covered, want 60 %", "unused: 0 % of its statements are covered"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tr.fork(t)
			tr.edit(t, tc.file, tc.old, tc.new)
			failsWith(t, tr.grade(t, "m04a"), tc.check, tc.want...)
		})
	}

	t.Run("no program", func(t *testing.T) {
		tr := tr.fork(t)
		tr.remove(t, main)
		failsWith(t, tr.grade(t, "m04a"), "build", "tasktracker/cmd/tasktracker has no Go files; the tests start the program there")
	})
}

// A program that speaks to the grader's descriptor or to its parent buys
// nothing.
func TestMilestone_ProgramCannotForgeAVerdict(t *testing.T) {
	tr := newTracker(t)
	require.Empty(t, tr.verify(t, "m04a").Problems)
	tr.edit(t, "cmd/tasktracker/main.go", "\tif err := run(); err != nil {", `	for fd := uintptr(3); fd < 10; fd++ {
		f := os.NewFile(fd, "grader")
		for _, test := range []string{"TestM04a_Counts", "TestM04a_CountsForEverybody", "TestM04a_SigtermExitsWithZero"} {
			fmt.Fprintf(f, "{\"kind\":\"start\",\"test\":%q}\n{\"kind\":\"end\",\"test\":%q,\"result\":\"pass\"}\n", test, test)
		}
		fmt.Fprintf(f, "{\"kind\":\"done\"}\n")
	}
	if parent, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/3", os.Getppid()), os.O_WRONLY, 0); err == nil {
		fmt.Fprintf(parent, "{\"kind\":\"done\"}\n")
	}
	_ = syscall.Kill(os.Getppid(), syscall.SIGTERM)
	os.Exit(0)
	if err := run(); err != nil {`)
	failsWith(t, tr.grade(t, "m04a"), "tests")
}

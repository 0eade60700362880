package main_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCrash_PanicNamesTheStudentsLineWithoutAStackTrace(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tlist[i+1].Limit += delta\n")
	line := c.line(t, student, "list[i+1]")

	r := c.grader(t, "week", "1")

	r.shows(t, 1,
		fmt.Sprintf("\n    Raise: mutates in place\n    TestRaise_MutatesInPlace  %s:%d\n", student, line),
		"\n    panic: runtime error: index out of range [2] with length 2\n",
		fmt.Sprintf("\n    at aliasing.go:%d in Raise\n", line))
	for _, noise := range []string{"goroutine ", "testing.tRunner", "did not run", "+0x"} {
		require.NotContains(t, r.stdout, noise)
	}
}

func TestCrash_PanicInASubtestNamesTheSubtest(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	const made = "\tbatches := make([][]Task, 0, (len(tasks)-1)/size+1)\n"
	c.solveBut(t, made, "\tif size == 4 {\n\t\tpanic(\"four\")\n\t}\n"+made)
	line := c.line(t, student, `panic("four")`)
	r := c.grader(t, "week", "1")
	r.shows(t, 1,
		"\n    Batches: edge sizes (3 tasks in batches of 4)\n",
		fmt.Sprintf("\n    panic: four\n    at aliasing.go:%d in Batches\n", line))
	require.NotContains(t, r.stdout, "then\n")
}

func TestCrash_GoexitIsNotAPass(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.edit(t, manifest, "checks:", "imports: [runtime]\n    checks:")
	c.solveBut(t, raiseLine, raiseLine+"\t\truntime.Goexit()\n")
	c.edit(t, student, imports, imports+"\t\"runtime\"\n")
	c.grader(t, "week", "1").shows(t, 1, "\n    Raise: mutates in place\n", "runtime.Goexit")
}

func TestCrash_DataRaceNamesBothAccesses(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, `		var wg sync.WaitGroup
		for n := range 2 {
			wg.Go(func() { list[i].Limit += n * delta })
		}
		wg.Wait()
`)
	c.edit(t, student, imports, imports+"\t\"sync\"\n")
	line := c.line(t, student, "n * delta")
	c.grader(t, "week", "1").shows(t, 1,
		"\n    Raise: mutates in place\n    TestRaise_MutatesInPlace\n    made the race detector stop the program\n",
		fmt.Sprintf("aliasing.go:%d in Raise", line),
		"\n    Nothing orders these two accesses: no lock, channel or atomic lies between them.\n")
}

func TestCrash_GoroutineThatOutlivesTheTestsIsALeak(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.edit(t, manifest, "{allocs: true}", "{allocs: true, leak: true}")
	c.solveBut(t, raiseLine, raiseLine+"\t\tgo func() { select {} }()\n")
	c.grader(t, "week", "1").shows(t, 1,
		"goroutines are still running after the tests\n",
		fmt.Sprintf("\n    aliasing.go:%d in Raise.func1 [select (no cases)]", c.line(t, student, "select {}")))
}

func TestCrash_EndlessLoopIsStopped(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tfor list[i].Limit > 0 {\n\t\t\ttime.Sleep(time.Second)\n\t\t}\n")
	c.edit(t, student, "\t\"slices\"\n", "\t\"slices\"\n\t\"time\"\n")

	r := c.grader(t, "week", "1")

	r.shows(t, 1,
		"\n    Raise: mutates in place\n    TestRaise_MutatesInPlace\n    did not finish: the tests were stopped after 20s\n",
		fmt.Sprintf("\n    a goroutine stands at aliasing.go:%d in Raise [sleep]\n", c.line(t, student, "time.Sleep")))
	require.NotContains(t, r.stdout, "did not run")
}

// A program that ends before its first test explains itself; no test is blamed.
func TestCrash_BeforeTheTestsIsNotBlamedOnThem(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ code, at, want string }{
		"panic": {
			code: "\nfunc init() { panic(\"too early\") }\n",
			at:   "too early",
			want: "\n    " + student + ":%d: panic: too early\n",
		},
		"data race": {
			code: `
var total int

func init() {
	done := make(chan bool)
	for n := range 2 {
		go func() { total += n; done <- true }()
	}
	<-done
	<-done
}
`,
			at:   "total += n",
			want: "aliasing.go:%d in init",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCheckout(t)
			c.solve(t)
			c.write(t, student, c.read(t, student)+tc.code)
			r := c.grader(t, "week", "1")
			r.shows(t, 1, fmt.Sprintf(tc.want, c.line(t, student, tc.at)))
			require.NotContains(t, r.stdout, "did not run")
		})
	}
}

func TestCrash_FloodOfOutputIsStopped(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tfor {\n\t\t\tprintln(\"x\", i)\n\t\t}\n")
	r := c.grader(t, "week", "1")
	r.shows(t, 1, "the program printed more than 1 MiB and was stopped\n")
	require.Less(t, len(r.stdout), 4<<10)
}

package main_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

const w5 = "w5_range_gives_references.go"

// newVerifiedCheckout returns a sound checkout with one wrong solution, about
// Raise.
func newVerifiedCheckout(t *testing.T) checkout {
	t.Helper()
	c := newCheckout(t)
	c.onlyWrong(t, w5)
	return c
}

func TestVerify_SoundExerciseIsAccepted(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.grader(t, "verify", "--runs", "1").shows(t, 0,
		"✓ week01/aliasing ", " 14 tests, 8 subtests ", " reference 1/1 ", " wrong solutions 5, caught 5/5 ",
		"\n1 of 1 sound: 14 tests, 8 subtests; references 1 runs, 0 flakes; 5 wrong solutions, caught in 5 of 5 runs; 0 mutants; ")

	c.grader(t, "verify", "--runs", "1").shows(t, 0, " caught 5/5   unchanged\n")
	again := c.grader(t, "verify", "--runs", "1", "--no-cache", "1")
	again.shows(t, 0, "1 of 1 sound")
	require.NotContains(t, again.stdout, "unchanged")
}

// Each of these exercises is weak in one way. The self-check must say which.
func TestVerify_WeakExerciseIsRefusedWithItsWeakness(t *testing.T) {
	t.Parallel()
	const (
		header  = "// Wrong: believes that range gives references to the elements.\n// Caught by: TestRaise_MutatesInPlace\n\n"
		isRight = wrongs + "w9_is_right.go"
	)
	for name, tc := range map[string]struct {
		weaken func(t *testing.T, c checkout)
		want   []string
	}{
		"a wrong solution that is right": {
			func(t *testing.T, c checkout) { c.write(t, isRight, header+c.read(t, reference)) },
			[]string{
				"\n    w9_is_right survives: run 1 of 1 did not fail through TestRaise_MutatesInPlace\n",
				" wrong solutions 2, caught 1/2 ", "\n0 of 1 sound: ", " 2 wrong solutions, caught in 1 of 2 runs;",
			},
		},
		"a wrong solution that another test catches": {
			func(t *testing.T, c checkout) {
				c.edit(t, wrongs+w5, "Caught by: TestRaise_MutatesInPlace", "Caught by: TestWithTag_SiblingsDiverge")
			},
			[]string{"\n    w5_range_gives_references survives: run 1 of 1 did not fail through TestWithTag_SiblingsDiverge\n"},
		},
		"a wrong solution that a test which does not exist catches": {
			func(t *testing.T, c checkout) {
				c.edit(t, wrongs+w5, "Caught by: TestRaise_MutatesInPlace", "Caught by: TestRaise_Everything")
			},
			[]string{
				"\n    w5_range_gives_references is caught by TestRaise_Everything, for which the manifest has no misconception\n",
				"\n    w5_range_gives_references survives: run 1 of 1 was not caught by TestRaise_Everything, but by: tests TestRaise_MutatesInPlace\n",
			},
		},
		"a wrong solution without a header": {
			func(t *testing.T, c checkout) { c.write(t, isRight, c.read(t, reference)) },
			[]string{"\n    " + isRight + ":1: a wrong solution begins with \"// Wrong: ...\"\n"},
		},
		"a wrong solution that does not say what catches it": {
			func(t *testing.T, c checkout) {
				c.edit(t, wrongs+w5, "// Caught by: TestRaise_MutatesInPlace\n", "")
			},
			[]string{"\n    " + wrongs + w5 + ":1: a wrong solution begins with \"// Caught by: ...\"\n"},
		},
		"a wrong solution that does not compile": {
			func(t *testing.T, c checkout) { c.write(t, isRight, header+"package aliasing\n\nfunc Raise() { undefined() }\n") },
			[]string{"\n    w9_is_right does not compile: ", "undefined: undefined\n"},
		},
		"a wrong solution that only hangs": {
			func(t *testing.T, c checkout) { c.edit(t, wrongs+w5, "\t\traise(&q, delta)\n", "\t\traise(&q, delta)\n\t\tselect {}\n") },
			[]string{"\n    w5_range_gives_references: run 1 of 1 ended through a timeout instead of an assertion of TestRaise_MutatesInPlace\n", " caught 0/1 "},
		},
		"no wrong solution": {
			func(t *testing.T, c checkout) { require.NoError(t, os.RemoveAll(c.path(wrongs))) },
			[]string{"\n    no wrong solutions in " + "solutions/module1/week01/aliasing/testdata/wrong\n"},
		},
		"a stub that is the reference": {
			func(t *testing.T, c checkout) {
				c.solve(t)
				c.recordStub(t)
			},
			[]string{
				"\n    the stub passes: there is nothing to do in this exercise\n",
				"\n    TestRaise_MutatesInPlace passes on the stub: it demands nothing; make it fail or list it under guards\n",
			},
		},
		"a test that passes on the stub": {
			func(t *testing.T, c checkout) { c.edit(t, manifest, "      - TestDequeue_EmptyQueue\n", "") },
			[]string{"\n    TestDequeue_EmptyQueue passes on the stub: it demands nothing; make it fail or list it under guards\n"},
		},
		"a guard that fails on the stub": {
			func(t *testing.T, c checkout) {
				c.edit(t, manifest, "    guards:\n", "    guards:\n      - TestRaise_MutatesInPlace\n")
			},
			[]string{"\n    TestRaise_MutatesInPlace is listed under guards, but it fails on the stub\n"},
		},
		"a stub that is not formatted": {
			func(t *testing.T, c checkout) {
				c.edit(t, student, "{ q.Used += n }", "{ q.Used+=n }")
				c.recordStub(t)
			},
			[]string{"\n    the stub is not clean: " + student + ":76 is not formatted; run: gofmt -w " + student + "\n"},
		},
		"a stub that does not compile": {
			func(t *testing.T, c checkout) {
				c.edit(t, student, "{ q.Used += n }", "{ q.Used += m }")
				c.recordStub(t)
			},
			[]string{"\n    the stub is not clean: " + student + ":76 undefined: m\n", "\n    the stub does not compile: "},
		},
		"a stub that hangs": {
			func(t *testing.T, c checkout) {
				c.edit(t, student, "{ q.Used += n }", "{ select {} }")
				c.recordStub(t)
			},
			[]string{"\n    the stub does not fail fast: TestCharge_StoresBack did not finish: the tests were stopped after 20s\n"},
		},
		"a stub that is missing": {
			func(t *testing.T, c checkout) { c.remove(t, student) },
			[]string{"\n    the stub: " + student + " is missing\n"},
		},
		"a stub that was changed after it was recorded": {
			func(t *testing.T, c checkout) { c.edit(t, student, "{ q.Used += n }", "{ q.Used += 2 * n }") },
			[]string{"\n    the recorded hash of the stub " + student + " is not that of the file; if the file is right, run: grader verify --record week01/aliasing\n"},
		},
		"an inventory that is out of date": {
			func(t *testing.T, c checkout) {
				c.edit(t, recorded, "TestCharge_StoresBack\n", "TestCharge_WasRenamed\n")
			},
			[]string{
				"\n    the recorded inventory differs from the tests that the reference passes: +TestCharge_StoresBack -TestCharge_WasRenamed;",
				"; if that is right, run: grader verify --record week01/aliasing\n",
			},
		},
		"a reference that is missing": {
			func(t *testing.T, c checkout) { c.remove(t, reference) },
			[]string{"\n    the reference: " + student + " is missing\n"},
		},
		"a reference that does not compile": {
			func(t *testing.T, c checkout) { c.edit(t, reference, raiseLine, "\t\tlist[i].Limit += undefined\n") },
			[]string{"\n    the reference does not compile: ", "undefined: undefined\n"},
		},
		"a reference that fails": {
			func(t *testing.T, c checkout) { c.edit(t, reference, raiseLine, "\t\tlist[i].Limit -= delta\n") },
			[]string{
				"\n    the recorded inventory differs from the tests that the reference passes: -TestRaise_MutatesInPlace;",
				"\n    the reference does not pass: tests fail: TestRaise_MutatesInPlace " + dir + "aliasing_test.go:",
			},
		},
		"a reference that breaks the rules": {
			func(t *testing.T, c checkout) { c.edit(t, reference, imports, imports+"\t_ \"os\"\n") },
			[]string{"\n    the reference does not pass: policy rejected: import " + student + ":5 import \"os\" is not allowed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newVerifiedCheckout(t)
			tc.weaken(t, c)
			c.grader(t, "verify", "--runs", "1", exercise).shows(t, 1, append(tc.want, "✗ week01/aliasing ", "\n0 of 1 sound: ")...)
		})
	}
}

// The reference fails in one run of eight: in the one with the second seed.
func TestVerify_FlakyReferenceIsFound(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	c.edit(t, manifest, "checks:", "imports: [os]\n    checks:")
	c.edit(t, reference, imports, imports+"\t\"os\"\n")
	c.edit(t, reference, raiseLine, "\t\tif !slices.Contains(os.Args, \"-test.shuffle=2\") {\n\t"+raiseLine+"\t\t}\n")

	c.grader(t, "verify", "--runs", "8").shows(t, 1,
		" reference 7/8 ",
		"\n    the reference is flaky: run 2 of 8 (yields 0): TestRaise_MutatesInPlace failed ",
		"\n0 of 1 sound: ", " references 8 runs, 1 flakes;")
}

func TestVerify_RecordWritesWhatItThenDemands(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	inventory, hashes := c.read(t, recorded), c.read(t, stubs)
	c.remove(t, recorded)
	c.remove(t, stubs)
	c.grader(t, "verify", "--runs", "1").shows(t, 1, "run: grader verify --record week01/aliasing\n")

	c.grader(t, "verify", "--runs", "1", "--record").shows(t, 0, "1 of 1 sound")

	require.Equal(t, inventory, c.read(t, recorded))
	require.Contains(t, hashes, c.read(t, stubs))
	c.grader(t, "verify", "--runs", "1").shows(t, 0, "1 of 1 sound")
}

func TestVerify_WeakExerciseIsNotRemembered(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	c.edit(t, manifest, "      - TestDequeue_EmptyQueue\n", "")
	c.grader(t, "verify", "--runs", "1").shows(t, 1, "TestDequeue_EmptyQueue passes on the stub")
	again := c.grader(t, "verify", "--runs", "1")
	again.shows(t, 1, "TestDequeue_EmptyQueue passes on the stub")
	require.NotContains(t, again.stdout, "unchanged")
}

func TestVerify_OneWeakExerciseAmongSeveralIsEnough(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	c.grader(t, "new", "week07/slug").shows(t, 0)
	c.grader(t, "verify", "--runs", "1").shows(t, 1, "✓ week01/aliasing ", "✗ week07/slug ", "\n1 of 2 sound: ")
	c.grader(t, "verify", "--runs", "1", exercise).shows(t, 0, "\n1 of 1 sound: ")
}

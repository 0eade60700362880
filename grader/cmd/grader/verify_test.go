package main_test

import (
	"os"
	"strings"
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
		"✓ week01/aliasing ", " 14 tests, 9 subtests ", " reference 1/1 ", " wrong solutions 5, caught 5/5 ",
		"\n1 of 1 sound: 14 tests, 9 subtests; references 1 runs, 0 flakes; 5 wrong solutions, caught in 5 of 5 runs; 0 mutants; ")

	c.grader(t, "verify", "--runs", "1").shows(t, 0, " caught 5/5   unchanged\n")
}

func TestVerify_WeakExerciseIsRefusedAndEveryWeaknessNamed(t *testing.T) {
	t.Parallel()
	const (
		claim  = "// Wrong: believes that range gives references to the elements.\n// Caught by: TestRaise_MutatesInPlace\n\n"
		extra  = wrongs + "w9_extra.go"
		caught = "Caught by: TestRaise_MutatesInPlace"
	)
	for name, tc := range map[string]struct {
		weaken func(t *testing.T, c checkout)
		want   []string
	}{
		"wrong solutions that are not caught as they say": {
			func(t *testing.T, c checkout) {
				wrong := c.read(t, wrongs+w5)
				c.write(t, wrongs+"w6_is_right.go", claim+c.read(t, reference))
				c.write(t, wrongs+"w7_other_test.go", strings.Replace(wrong, caught, "Caught by: TestWithTag_SiblingsDiverge", 1))
				c.write(t, wrongs+"w8_no_such_test.go", strings.Replace(wrong, caught, "Caught by: TestRaise_Everything", 1))
				c.write(t, wrongs+"w9_does_not_compile.go", claim+"package aliasing\n\nfunc Raise() { undefined() }\n")
				c.write(t, wrongs+"w10_only_hangs.go", strings.Replace(wrong, "\t\traise(&q, delta)\n", "\t\traise(&q, delta)\n\t\tselect {}\n", 1))
			},
			[]string{
				"\n    w6_is_right survives: run 1 of 1 did not fail through TestRaise_MutatesInPlace\n",
				"\n    w7_other_test survives: run 1 of 1 did not fail through TestWithTag_SiblingsDiverge\n",
				"\n    w8_no_such_test is caught by TestRaise_Everything, for which the manifest has no misconception\n",
				"\n    w8_no_such_test survives: run 1 of 1 was not caught by TestRaise_Everything, but by: tests TestRaise_MutatesInPlace",
				"\n    w9_does_not_compile does not compile: ", "undefined: undefined\n",
				"\n    w10_only_hangs: run 1 of 1 ended through a timeout instead of an assertion of TestRaise_MutatesInPlace\n",
				" wrong solutions 6, caught 1/5 ", " 6 wrong solutions, caught in 1 of 5 runs;",
			},
		},
		"a manifest, a stub, an inventory and a header that disagree": {
			func(t *testing.T, c checkout) {
				c.edit(t, manifest, "- TestDequeue_EmptyQueue\n", "- TestRaise_MutatesInPlace\n")
				c.edit(t, student, "{ q.Used += n }", "{ q.Used+=2*n }")
				c.edit(t, recorded, "TestCharge_StoresBack\n", "TestCharge_WasRenamed\n")
				c.write(t, extra, c.read(t, reference))
			},
			[]string{
				"\n    TestDequeue_EmptyQueue passes on the stub: it demands nothing; make it fail or list it under guards\n",
				"\n    TestRaise_MutatesInPlace is listed under guards, but it fails on the stub\n",
				"\n    the recorded hash of the stub " + student + " is not that of the file; if the file is right, run: grader verify --record week01/aliasing\n",
				"\n    the stub is not clean: " + student + ":78 is not formatted; run: gofmt -w " + student + "\n",
				"\n    the recorded inventory differs from the tests that the reference passes: +TestCharge_StoresBack -TestCharge_WasRenamed; if that is right, run: grader verify --record week01/aliasing\n",
				"\n    " + extra + ":1: a wrong solution begins with \"// Wrong: ...\"\n",
			},
		},
		"a stub that is the reference, and no wrong solution": {
			func(t *testing.T, c checkout) {
				c.solve(t)
				c.recordStub(t)
				require.NoError(t, os.RemoveAll(c.path(wrongs)))
			},
			[]string{
				"\n    the stub passes: there is nothing to do in this exercise\n",
				"\n    TestRaise_MutatesInPlace passes on the stub: it demands nothing; make it fail or list it under guards\n",
				"\n    no wrong solutions in " + strings.TrimSuffix(wrongs, "/") + "\n",
			},
		},
		"a reference that fails, half a header, and a missing stub": {
			func(t *testing.T, c checkout) {
				c.remove(t, student)
				c.edit(t, reference, raiseLine, "\t\tlist[i].Limit -= delta\n")
				c.write(t, extra, "// Wrong: believes in luck.\n"+c.read(t, reference))
			},
			[]string{
				"\n    the recorded inventory differs from the tests that the reference passes: -TestRaise_MutatesInPlace;",
				"\n    the reference does not pass: tests fail: TestRaise_MutatesInPlace " + dir + "aliasing_test.go:",
				"\n    " + extra + ":1: a wrong solution begins with \"// Caught by: ...\"\n",
				"\n    the stub: " + student + " is missing\n",
			},
		},
		"a stub that does not compile, and a reference that breaks the rules": {
			func(t *testing.T, c checkout) {
				c.edit(t, student, "{ q.Used += n }", "{ q.Used += m }")
				c.recordStub(t)
				c.edit(t, reference, imports, imports+"\t_ \"os\"\n")
			},
			[]string{
				"\n    the stub is not clean: " + student + ":78 undefined: m\n    the stub does not compile: ",
				"\n    the reference does not pass: policy rejected: import " + student + ":6 import \"os\" is not allowed in this exercise; its README lists what is\n",
			},
		},
		"a reference that does not compile": {
			func(t *testing.T, c checkout) { c.edit(t, reference, raiseLine, "\t\tlist[i].Limit += undefined\n") },
			[]string{"\n    the reference does not compile: ", "undefined: undefined\n"},
		},
		"a reference that is missing": {
			func(t *testing.T, c checkout) { c.remove(t, reference) },
			[]string{"\n    the reference: " + student + " is missing\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newVerifiedCheckout(t)
			tc.weaken(t, c)
			r := c.grader(t, "verify", "--runs", "1", exercise)
			r.shows(t, 1, append(tc.want, "✗ week01/aliasing ", "\n0 of 1 sound: ")...)
			require.NotContains(t, r.stdout, " not run: ", "one problem is told once")
		})
	}
}

// The reference fails in one run of eight: in the one with the second seed.
func TestVerify_FlakyReferenceIsFound(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	c.edit(t, manifest, "checks:", "imports: [os]\n    checks:")
	c.edit(t, reference, "\t\"bytes\"\n", "\t\"bytes\"\n\t\"os\"\n")
	c.edit(t, reference, raiseLine, "\t\tif !slices.Contains(os.Args, \"-test.shuffle=2\") {\n\t"+raiseLine+"\t\t}\n")

	c.grader(t, "verify", "--runs", "8").shows(t, 1,
		" reference 7/8 ",
		"\n    the reference is flaky: run 2 of 8 (yields 0): TestRaise_MutatesInPlace failed ",
		"\n0 of 1 sound: ", " references 8 runs, 1 flakes;")
}

func TestVerify_RecordWritesInventoryAndStub(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	inventory, hashes := c.read(t, recorded), c.read(t, stubs)
	c.remove(t, recorded)
	c.remove(t, stubs)

	c.grader(t, "verify", "--runs", "1", "--record").shows(t, 0, "1 of 1 sound")

	require.Equal(t, inventory, c.read(t, recorded))
	require.Contains(t, hashes, c.read(t, stubs))
}

func TestVerify_ExerciseWithoutAPassingTestIsNeverSound(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	inventory := c.read(t, recorded)
	c.write(t, reference, c.read(t, reference)+"\nfunc init() { panic(\"too early\") }\n")

	const want = "\n    the reference passes no test\n    the reference: process panic: too early at aliasing.go:"
	c.grader(t, "verify", "--runs", "1", "--record").shows(t, 1, want, "\n0 of 1 sound: ")
	require.Equal(t, inventory, c.read(t, recorded))
	c.write(t, recorded, "")
	c.grader(t, "verify", "--runs", "1").shows(t, 1, want, "\n0 of 1 sound: ")
}

func TestVerify_WeakExerciseIsNotRemembered(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	c.remove(t, reference)
	c.grader(t, "verify").shows(t, 1, "the reference: ")
	again := c.grader(t, "verify")
	again.shows(t, 1, "the reference: ")
	require.NotContains(t, again.stdout, "unchanged")
}

func TestVerify_OneWeakExerciseAmongSeveralIsEnough(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	c.grader(t, "new", "week07/slug").shows(t, 0)
	c.grader(t, "verify", "--runs", "1").shows(t, 1, "✓ week01/aliasing ", "✗ week07/slug ",
		"; if that is right, run: grader verify --record week07/slug\n", "\n1 of 2 sound: ")
}

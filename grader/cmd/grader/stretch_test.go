package main_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// newStretchCheckout returns a checkout in which the rule of Raise is for
// distinction.
func newStretchCheckout(t *testing.T) checkout {
	t.Helper()
	c := newCheckout(t)
	c.edit(t, manifest, "    hints:", "    stretch: [TestRaise_MutatesInPlace]\n    hints:")
	return c
}

const notYet = "\n    ☆ for distinction, not yet: Raise: mutates in place\n"

func TestStretch_IsNotNeededToPass(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]string{
		"failed":   "\t\tlist[i].Limit -= delta\n",
		"panicked": "\t\tlist[i+1].Limit += delta\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newStretchCheckout(t)
			c.solveBut(t, raiseLine, wrong)
			c.grader(t, "week", "1").shows(t, 0, "✓ aliasing  ", notYet)
		})
	}
}

// The order of the tests is random: with several orders, a crash comes before
// and after the core test that must fail.
func TestStretch_CrashDoesNotHideACoreFailure(t *testing.T) {
	t.Parallel()
	c := newStretchCheckout(t)
	c.solveBut(t, raiseLine, "\t\tlist[i+1].Limit += delta\n")
	c.edit(t, student, chargeLine, "")
	for range 4 {
		c.write(t, student, c.read(t, student)+"\n// Another seed.\n")
		c.grader(t, "week", "1").shows(t, 1, "\n    Charge: stores back\n    TestCharge_StoresBack  "+dir+"aliasing_test.go:")
	}
}

func TestStretch_FailureDoesNotSwitchOtherChecksOff(t *testing.T) {
	t.Parallel()
	c := newStretchCheckout(t)
	c.edit(t, manifest, "{allocs: true}", "{leak: true, interleave: true, coverage: {total: 100}}")
	c.solveBut(t, raiseLine, "\t\tlist[i].Limit -= delta\n")
	c.edit(t, student, chargeLine, "\tif n > 1000 {\n\t\treturn false\n\t}\n"+chargeLine)
	r := c.grader(t, "week", "1")
	r.shows(t, 1, "% of the statements are covered, want 100 %\n")
	require.NotContains(t, r.stdout, "your own test")

	c.edit(t, student, chargeLine, chargeLine+"\tgo func() { select {} }()\n")
	c.grader(t, "week", "1").shows(t, 1, "goroutines are still running after the tests\n")
}

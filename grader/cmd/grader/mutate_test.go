package main_test

import "testing"

func TestMutate_SurvivorFailsUntilItIsListedWithAReason(t *testing.T) {
	t.Parallel()
	const (
		cut       = "\tfor batch := range slices.Chunk(tasks, size) {"
		key       = "Batches: size = min(size, len(tasks)) => removed"
		survivors = "solutions/" + dir + "testdata/survivors.yaml"
	)
	c := newCheckout(t)
	c.grader(t, "mutate").shows(t, 0, "✓ week01/aliasing ", " killed (100.0 %), 0 listed with a reason, 0 survive; ")

	c.edit(t, reference, cut, "\tsize = min(size, len(tasks))\n"+cut)
	c.grader(t, "mutate").shows(t, 1, "✗ week01/aliasing ", "\n    survives module1/week01/aliasing/aliasing.go:", "\n        "+key+"\n")

	c.write(t, survivors, "- mutant: \""+key+"\"\n  why: a chunk ends with the slice anyway\n")
	c.grader(t, "mutate").shows(t, 0, "✓ week01/aliasing ", " 1 listed with a reason, 0 survive; ")
	c.grader(t, "mutate").shows(t, 0, "unchanged\n")

	c.write(t, survivors, "- mutant: \"Batches: gone => removed\"\n  why: it was there once\n")
	c.grader(t, "mutate").shows(t, 1, "\n    Batches: gone => removed\n        is listed as a survivor, and does not survive\n")

	c.write(t, survivors, "- mutant: no reason\n")
	c.grader(t, "mutate").complains(t, 3, "testdata/survivors.yaml: entry 1 needs mutant and why")
}

func TestVerifyMessages_ShowWhatAStuckStudentReads(t *testing.T) {
	t.Parallel()
	c := newVerifiedCheckout(t)
	c.grader(t, "verify", "--messages").shows(t, 0,
		"=== week01/aliasing w5_range_gives_references: ", "\n=== caught by TestRaise_MutatesInPlace\n",
		"\n    A belief that leads here: ", "\n1 wrong solutions: on the first 24 lines, 1 read of their own misconception, 0 of one nearby, 0 of none\n")
}

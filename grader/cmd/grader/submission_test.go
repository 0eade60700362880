package main_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestSubmission_MissingFileIsBroughtBackByGit(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.remove(t, student)
	c.grader(t, "week", "1").shows(t, 1,
		"✗ aliasing  ",
		"\n    "+student+": is missing; bring the stub back with: git checkout -- "+student+"\n")
	c.grader(t, "week", "1", "--submission", "solutions").shows(t, 0)
	c.grader(t, "status").shows(t, 0, "week  1  in progress")
	c.grader(t, "hint", exercise).shows(t, 0)
}

func TestSubmission_SyntaxErrorBlocksTheRest(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tlist[i.Limit += delta\n")
	at := fmt.Sprintf("%s:%d: ", student, c.line(t, student, "list[i.Limit"))
	c.grader(t, "week", "1").shows(t, 1,
		"\n    "+at+"syntax error: unexpected ",
		"\n    This blocks every other check of week01/aliasing.\n")
}

func TestSubmission_TypeErrorBlocksTheRest(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tlist[i].Limit += \"delta\"\n")
	at := fmt.Sprintf("%s:%d: ", student, c.line(t, student, `"delta"`))
	c.grader(t, "week", "1").shows(t, 1,
		"\n    "+at,
		"mismatched types int and untyped string",
		"\n    This blocks every other check of week01/aliasing.\n")
}

func TestSubmission_RemovedFunctionIsExplainedAtTheTest(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, "func Raise(", "func Lift(")
	c.grader(t, "week", "1").shows(t, 1,
		"\n    "+dir+"aliasing_test.go:", ": undefined: aliasing.Raise\n",
		"\n    This blocks every other check of week01/aliasing.\n")
}

func TestSubmission_WhatBreaksTheRulesIsRejected(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(t *testing.T, c checkout)
		want   string
	}{
		"a symbolic link": {
			func(t *testing.T, c checkout) {
				c.remove(t, student)
				require.NoError(t, os.Symlink(c.path(reference), c.path(student)))
			},
			student + " is a symbolic link; put a regular file there\n",
		},
		"a linked directory": {
			func(t *testing.T, c checkout) {
				require.NoError(t, os.Rename(c.path("module1"), c.path("elsewhere")))
				require.NoError(t, os.Symlink("elsewhere", c.path("module1")))
			},
			student + ": is not read: module1 is a symbolic link; put a regular file there\n",
		},
		"a directory": {
			func(t *testing.T, c checkout) {
				c.remove(t, student)
				require.NoError(t, os.Mkdir(c.path(student), 0o755))
			},
			student + ": is not a regular file\n",
		},
		"a forbidden import": {
			func(t *testing.T, c checkout) { c.solveBut(t, imports, imports+"\t_ \"os\"\n") },
			student + ":6: import \"os\" is not allowed in this exercise; its README lists what is\n",
		},
		"a directive": {
			func(t *testing.T, c checkout) { c.solveBut(t, raiseLine, raiseLine+"\t\t//nolint\n") },
			": directive comment \"//nolint\": no directives for the compiler or the linter\n",
		},
		"1 MiB": {
			func(t *testing.T, c checkout) {
				c.write(t, student, "package aliasing\n\n//"+strings.Repeat("x", 1<<20)+"\n")
			},
			student + ": has 1048597 bytes; the grader reads at most 262144\n",
		},
		"binary garbage": {
			func(t *testing.T, c checkout) { c.write(t, student, "\x7fELF\x02\x01\xff\x00\x1b[2J\xfe") },
			student + ": is not UTF-8; save it as UTF-8\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCheckout(t)
			tc.change(t, c)
			r := c.grader(t, "week", "1")
			r.shows(t, 1, "\n    rejected: the submission breaks the rules of the exercise\n", tc.want)
			requirePrintable(t, r)
		})
	}
}

func TestSubmission_ControlCharactersDoNotReachTheTerminal(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.write(t, student, "package aliasing\n\nfunc \x1b[2J\x07 \x00\n")
	r := c.grader(t, "week", "1")
	r.shows(t, 1, "\n    "+student+":3: ")
	requirePrintable(t, r)

	c.solveBut(t, raiseLine, raiseLine+"\t\tpanic(\"\\x1b[2Jgone\\a\\r\")\n")
	r = c.grader(t, "week", "1")
	r.shows(t, 1, "gone")
	requirePrintable(t, r)
}

// requirePrintable demands a report without control characters.
func requirePrintable(t *testing.T, r result) {
	t.Helper()
	i := strings.IndexFunc(r.stdout, func(c rune) bool { return unicode.IsControl(c) && c != '\n' || c == unicode.ReplacementChar })
	require.Negative(t, i, "%q", r.stdout)
}

func TestSubmission_UnformattedCodeIsToldTheCommand(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solveBut(t, raiseLine, "\t\tlist[i].Limit+=delta\n")
	at := fmt.Sprintf("%s:%d: ", student, c.line(t, student, "+=delta"))
	c.grader(t, "week", "1").shows(t, 1, "\n    "+at+"is not formatted; run: gofmt -w "+student+"\n")
}

func TestSubmission_StudentsOwnTestsAreNotRun(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	c.solve(t)
	c.write(t, "mine/"+student, c.read(t, student))
	c.write(t, "mine/"+dir+"aliasing_test.go", "package aliasing_test\n")
	c.write(t, "mine/"+dir+"mine_test.go", "package aliasing_test\n\nthis is not Go\n")
	c.grader(t, "week", "1", "--submission", "mine").shows(t, 0, "14 tests, 9 subtests")
}

package main_test

import (
	"testing"
)

func TestUsage_WrongNamesAreExplained(t *testing.T) {
	t.Parallel()
	c := newCheckout(t)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"week", "25"}, "week 25 is not in this course: it has weeks 1 to 24"},
		{[]string{"week", "0"}, "week 0 is not in this course: it has weeks 1 to 24"},
		{[]string{"week", "x"}, `"x" is not the number of a week; the course has weeks 1 to 24`},
		{[]string{"week", "12"}, "week 12 has no exercises yet; the weeks with exercises are listed by: make status"},
		{[]string{"week"}, "accepts 1 arg(s), received 0"},
		{[]string{"exercise", "week01/nothing"}, "exercise week01/nothing is not in this course; week 1 has aliasing"},
		{[]string{"exercise", "week12/any"}, "week 12 has no exercises yet"},
		{[]string{"milestone", "m99a"}, "milestone m99a is not in this course"},
		{[]string{"hint", "week01/nothing"}, "exercise week01/nothing is not in this course"},
		{[]string{"verify", "week01/nothing"}, "exercise week01/nothing is not in this course"},
		{[]string{"week", "1", "--format", "xml"}, `format "xml" is unknown; the formats are text, json, markdown, junit, sarif and github`},
		{[]string{"week", "1", "--report", "html=x"}, `--report html=x: format "html" is unknown`},
		{[]string{"week", "1", "--report", "json"}, "--report json names no file; write --report json=FILE"},
		{[]string{"week", "1", "--since", "nowhere"}, "--since: open nowhere: no such file or directory"},
		{[]string{"week", "1", "--since", manifest}, "--since: " + manifest + ": this is no report of the grader: it is no JSON: "},
		{[]string{"report"}, "accepts 1 arg(s), received 0"},
		{[]string{"report", "nowhere"}, "open nowhere: no such file or directory"},
		{[]string{"week", "1", "--submission", "nowhere"}, "--submission: stat nowhere: no such file or directory"},
		{[]string{"week", "1", "--submission", manifest}, "--submission: " + manifest + " is not a directory"},
		{[]string{"week", "1", "--tests-from", "nowhere"}, "--tests-from: open nowhere: no such file or directory"},
		{[]string{"week", "1", "--course", "solutions/nowhere"}, "solutions/nowhere is not a course: it has no module1 directory; name one with --course"},
		{[]string{"week", "1", "--unknown"}, "unknown flag: --unknown"},
		{[]string{"assess"}, `unknown command "assess" for "grader"`},
	} {
		c.grader(t, tc.args...).complains(t, 2, tc.want)
	}
}

func TestUsage_OutsideACourseItSaysWhatToDo(t *testing.T) {
	t.Parallel()
	c := checkout{root: t.TempDir(), cache: sharedCache}
	c.grader(t, "week", "1").complains(t, 2, c.root+" is not inside a course; change into your checkout or name it with --course")
}

func TestManifest_MistakesHaveFileAndLine(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ old, new, want string }{
		"not YAML":              {"week: 1\n", "week: [\n", manifest + ":"},
		"an unknown key":        {"minutes: 55", "minuets: 55", manifest + `:9: unknown field "minuets"`},
		"the wrong week":        {"week: 1\n", "week: 2\n", manifest + ":1: week is 2, but the file lies in module1/week01"},
		"a file that never was": {"[aliasing.go]", "[aliasng.go]", manifest + ":10: " + dir + "aliasng.go does not exist"},
		"a missing test":        {"- TestDequeue_EmptyQueue", "- TestDequeue_Nothing", manifest + ":16: guards names TestDequeue_Nothing, but module1/week01/aliasing has no such test"},
		"an empty hint":         {"- Three indexes limit an append.", `- ""`, manifest + ":27: hint 2 is empty"},
		"two hints":             {"      - Three indexes limit an append.\n", "", manifest + ":25: 2 hints; an exercise has 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCheckout(t)
			c.edit(t, manifest, tc.old, tc.new)
			for _, command := range [][]string{{"week", "1"}, {"status"}, {"hint", exercise}, {"verify"}} {
				c.grader(t, command...).complains(t, 2, tc.want)
			}
		})
	}
}

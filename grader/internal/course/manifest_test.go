package course_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/course"
)

func TestWeek_LoadsEverythingThatTheManifestSays(t *testing.T) {
	w, err := goodCourse().open(t).Week(1)
	require.NoError(t, err)
	want := &course.Week{
		Number: 1, Title: "Memory", TheoryMinutes: 230, ProjectMinutes: 240,
		Outcomes: []string{"draw a ring"}, Milestone: "m01a", Dir: "module1/week01",
		Exercises: []*course.Exercise{
			{
				Week: 1, Slug: "ring", Title: "A ring buffer", Kind: course.Implement, Minutes: 60,
				Dir: "module1/week01/ring", Module: "module1", Files: []string{"ring.go"},
				Imports: []string{"unsafe"}, Forbid: []string{"time.Sleep", "fmt.*"}, ForbidGlobals: true, Sequential: true,
				Checks: course.Checks{
					Leak: true, Coverage: &course.Coverage{Total: 85},
					Bench: &course.Bench{Name: "BenchmarkRing", Faster: 1.5},
				},
				Guards: []string{"TestRing_Empty"}, Stretch: []string{"TestRing_ZeroAlloc"},
				Misconceptions: map[string]course.Misconception{
					"TestRing_Wraps":              {Belief: "an index only grows", Hint: 2},
					"TestRing_Wraps/twice around": {Belief: "once is enough", Hint: 3},
				},
				Hints: []string{"a nudge", "a direction", "nearly the idea"},
			},
			{
				Week: 1, Slug: "suite", Title: "A suite", Kind: course.Tests, Minutes: 30,
				Dir: "module1/week01/suite", Module: "module1", Files: []string{"suite_test.go"},
				Checks:         course.Checks{Mutants: &course.Mutants{Kill: 7}},
				Misconceptions: map[string]course.Misconception{course.RuleKillsMutants: {Belief: "one case is a test", Hint: 1}},
				Hints:          []string{"a", "b", "c"},
			},
		},
	}
	require.Empty(t, cmp.Diff(want, w))
}

func TestMilestone_LoadsEverythingThatTheManifestSays(t *testing.T) {
	m, err := goodCourse().open(t).Milestone("m01a")
	require.NoError(t, err)
	want := &course.Exercise{
		Week: 1, Slug: "m01a", Title: "A task", Kind: course.Project, Minutes: 240,
		Dir: "tasktracker/domain", Module: "tasktracker", Files: []string{"domain/*.go", "README.md"},
		Packages: []string{"domain"},
		Hints:    []string{"a", "b", "c"},
	}
	require.Empty(t, cmp.Diff(want, m))
}

// mistake is one edit of a good manifest and what is said about it, without
// the name of the manifest in front of each line.
type mistake struct {
	name, old, new string
	want           string
}

func TestWeek_NamesFileAndLineOfEveryMistake(t *testing.T) {
	for _, m := range []mistake{
		// What YAML itself refuses.
		{"syntax error", "title: Memory", "title: [Memory", "3: ',' or ']' must be specified"},
		{"tab as indent", "    kind: implement", "\tkind: implement", "11: found character '\t' that cannot start any token"},
		{"key twice", "title: Memory", "title: Memory\ntitle: Pointers", `3: mapping key "title" already defined at [2:1]`},
		{"unknown key", "title: Memory", "titel: Memory", `2: unknown field "titel"`},
		{"unknown key of an exercise", "guards:", "guard:", `22: unknown field "guard"`},
		{"unknown key of a check", "leak: true", "leaks: true", `19: unknown field "leaks"`},
		{"text for a number", "week: 1", "week: one", "1: string was used where int is expected"},
		{"text for a boolean", "leak: true", "leak: yep", "19: string was used where bool is expected"},
		{"text for a list", "[ring.go]", "ring.go", "13: string was used where sequence is expected"},
		{"number for a mapping", "{total: 85}", "85", "20: int was used where mapping is expected"},
		{"mapping for text", "- draw a ring", "- draw: a ring", "6: mapping was used where string is expected"},
		{"list for text", "title: Memory", "title: [Memory]", "2: sequence was used where string is expected"},
		{"text for the manifest", "", "Memory\n", "1: string was used where mapping is expected"},

		// The week.
		{"empty manifest", "", "", "1: week is 0, but the file lies in module1/week01\n" +
			"1: title is missing\n" +
			"1: theory_minutes must be above 0\n" +
			"1: outcomes are missing: say what the student can do after this week"},
		{"wrong week", "week: 1", "week: 2", "1: week is 2, but the file lies in module1/week01"},
		{"no title", "title: Memory", "title: ''", "2: title is missing"},
		{"no theory", "theory_minutes: 230", "theory_minutes: 0", "3: theory_minutes must be above 0"},
		{"no outcomes", "outcomes:\n  - draw a ring\n", "outcomes: []\n",
			"5: outcomes are missing: say what the student can do after this week"},
		{"unknown milestone", "m01a", "m09z", "7: milestone m09z has no manifest tasktracker/milestones/m09z.yaml"},

		// An exercise.
		{"slug twice", "slug: suite", "slug: ring", "32: slug ring is used twice\n" +
			"36: module1/week01/ring/suite_test.go does not exist"},
		{"slug missing", "- slug: ring\n    title", "- title", `9: slug "" is not a package name: lower-case letters and digits`},
		{"slug in capitals", "slug: ring", "slug: Ring", `9: slug "Ring" is not a package name: lower-case letters and digits`},
		{"slug that leaves the week", "slug: ring", "slug: ../week02/ring",
			`9: slug "../week02/ring" is not a package name: lower-case letters and digits`},
		{"slug without a directory", "slug: ring", "slug: rings", "9: module1/week01/rings does not exist"},
		{"exercise without a title", "title: A ring buffer", "title:", "10: title is missing"},
		{"unknown kind", "kind: implement", "kind: write",
			`11: kind "write" is unknown; use one of [implement fix tests optimise infra project]`},
		{"project in a week", "kind: implement", "kind: project", "11: kind project is for milestones; see tasktracker/milestones"},
		{"no minutes", "minutes: 60", "minutes: -1", "12: minutes must be above 0"},

		// Its files.
		{"no files", "[ring.go]", "[]", "13: files are missing: name what the student writes"},
		{"missing file", "[ring.go]", "\n      - ring.go\n      - list.go", "15: module1/week01/ring/list.go does not exist"},
		{"file outside", "[ring.go]", "[../ring.go]", `13: file "../ring.go" must be a clean path inside module1/week01/ring`},
		{"file not clean", "[ring.go]", "[./ring.go]", `13: file "./ring.go" must be a clean path inside module1/week01/ring`},
		{"absolute file", "[ring.go]", "[/etc/passwd]", `13: file "/etc/passwd" must be a clean path inside module1/week01/ring`},
		{"pattern", "[ring.go]", `["*.go"]`, `13: file "*.go": patterns are for milestones only`},

		// Its limits and checks.
		{"forbid that is no identifier", `"fmt.*"`, "fmt", `15: forbid "fmt" is not an identifier such as time.Sleep or fmt.*`},
		{"forbid of a flag", `"fmt.*"`, "'a.B,c'", `15: forbid "a.B,c" is not an identifier such as time.Sleep or fmt.*`},
		{"coverage of nothing", "total: 85", "total: 0", "20: coverage is in per cent, above 0 and at most 100"},
		{"coverage of too much", "{total: 85}", "\n        total: 101", "20: coverage is in per cent, above 0 and at most 100"},
		{"coverage of functions", "total: 85", "total: 85, function: -1", "20: coverage is in per cent, above 0 and at most 100"},
		{"benchmark without a name", "name: BenchmarkRing, ", "", "21: bench needs a name and a faster_than_baseline above 0"},
		{"benchmark without a goal", ", faster_than_baseline: 1.5", "", "21: bench needs a name and a faster_than_baseline above 0"},
		{"unknown benchmark", "BenchmarkRing", "BenchmarkRang", "21: bench names BenchmarkRang, but module1/week01/ring has no such benchmark"},
		{"mutants where nobody writes tests", "leak: true", "mutants: {kill: 1}",
			"18: exercises of kind tests, and only they, have mutants: {kill: N}"},
		{"tests without mutants", "    checks:\n      mutants: {kill: 7}\n", "",
			"32: exercises of kind tests, and only they, have mutants: {kill: N}"},
		{"no mutant to kill", "kill: 7", "kill: 0", "37: exercises of kind tests, and only they, have mutants: {kill: N}"},

		// The tests that it names.
		{"unknown guard", "[TestRing_Empty]", "[TestRing_Full]", "22: guards names TestRing_Full, but module1/week01/ring has no such test"},
		{"guard that package testing does not run", "[TestRing_Empty]", "[Testify]", "22: guards names Testify, but module1/week01/ring has no such test"},
		{"guard that is a method", "[TestRing_Empty]", "[TestRing_Method]", "22: guards names TestRing_Method, but module1/week01/ring has no such test"},
		{"guard that is TestMain", "[TestRing_Empty]", "[TestMain]", "22: guards names TestMain, but module1/week01/ring has no such test"},
		{"unknown stretch test", "- TestRing_ZeroAlloc", "- TestRing_Empty\n      - TestRing_Alloc",
			"25: stretch names TestRing_Alloc, but module1/week01/ring has no such test"},
		{"misconceptions of unknown tests", "TestRing_Wraps/twice around", "TestRing_Turns",
			"27: misconceptions name TestRing_Turns, but module1/week01/ring has no such test"},
		{"misconception without a belief", "belief: once is enough", "belief: ' '",
			"27: the misconception of TestRing_Wraps/twice around has no belief"},
		{"hint out of range", "hint: 2", "hint: 4", "26: the misconception of TestRing_Wraps names hint 4; there are hints 1 to 3"},
		{"hint missing", ", hint: 3", "", "27: the misconception of TestRing_Wraps/twice around names hint 0; there are hints 1 to 3"},
		{"a test where the grader's rules stand", "TestSuite_KillsMutants", "TestSuite_Own",
			"40: misconceptions name TestSuite_Own, but module1/week01/suite has no such test"},

		// Its hints.
		{"no hints", "hints: [a, b, c]", "hints: []", "41: 0 hints; an exercise has 3"},
		{"two hints", "      - a direction\n", "", "28: 2 hints; an exercise has 3"},
		{"empty hint", "- a direction", `- ""`, "30: hint 2 is empty"},

		// All of them at once.
		{"several mistakes", "[a, b, c]", "[a, b]\n    guards: [TestNone]", "41: 2 hints; an exercise has 3\n" +
			"42: guards names TestNone, but module1/week01/suite has no such test"},
	} {
		t.Run(m.name, func(t *testing.T) {
			files := goodCourse()
			const name = "module1/week01/week.yaml"
			files.edit(t, name, m.old, m.new)
			_, err := files.open(t).Week(1)
			require.EqualError(t, err, prefixed(name, m.want))
		})
	}
}

// prefixed puts the name of a file before every line of text.
func prefixed(name, text string) string {
	return name + ":" + strings.ReplaceAll(text, "\n", "\n"+name+":")
}

func TestWeek_NamesWhatIsMissingOrBrokenBesideTheManifest(t *testing.T) {
	for name, want := range map[string]string{
		"README.md":    "week.yaml:9: module1/week01/ring/README.md does not exist",
		"ring.go":      "week.yaml:13: module1/week01/ring/ring.go does not exist",
		"ring_test.go": "week.yaml:22: guards names TestRing_Empty, but module1/week01/ring has no such test",
	} {
		files := goodCourse()
		delete(files, "module1/week01/ring/"+name)
		_, err := files.open(t).Week(1)
		require.ErrorContains(t, err, "module1/week01/"+want)
	}

	files := goodCourse()
	files["module1/week01/ring/ring_test.go"] = "package ring_test\n\nfunc TestRing_Empty(t *testing.T {}\n"
	_, err := files.open(t).Week(1)
	require.EqualError(t, err,
		"module1/week01/week.yaml:9: module1/week01/ring/ring_test.go:3:34: missing ',' in parameter list")
}

func TestWeek_LoadsWithoutAStubThatAStudentLost(t *testing.T) {
	files := goodCourse()
	delete(files, "module1/week01/ring/ring.go")
	files[course.StubsFile] = "00  module1/week01/ring/ring.go\n"
	_, err := files.open(t).Week(1)
	require.NoError(t, err, "the grader says how to get the file back")
}

func TestMilestone_NamesFileAndLineOfEveryMistake(t *testing.T) {
	for _, m := range []mistake{
		{"other slug", "slug: m01a", "slug: m01b", `1: slug is "m01b", but the file is called m01a.yaml`},
		{"other kind", "kind: project", "kind: fix", `3: kind is "fix"; a milestone has kind project`},
		{"week 0", "week: 1", "week: 0", "5: week is 0; the course has weeks 1 to 24"},
		{"week 25", "week: 1", "week: 25", "5: week is 25; the course has weeks 1 to 24"},
		{"no week", "week: 1\n", "", "1: week is 0; the course has weeks 1 to 24"},
		{"package without a directory", "package: domain", "package: dommain", "1: tasktracker/dommain does not exist"},
		{"missing file", "README.md", "README.txt", "7: tasktracker/README.txt does not exist"},
		{"pattern outside", "domain/*.go", "../*.go", `7: file "../*.go" must be a clean path inside tasktracker`},
		{"test of another milestone", "hints:", "guards: [TestState]\nhints:", "8: guards names TestState, but tasktracker/domain has no such test"},
	} {
		t.Run(m.name, func(t *testing.T) {
			files := goodCourse()
			const name = "tasktracker/milestones/m01a.yaml"
			files.edit(t, name, m.old, m.new)
			_, err := files.open(t).Milestone("m01a")
			require.EqualError(t, err, prefixed(name, m.want))
		})
	}
}

package report_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/report"
)

var stopToken = regexp.MustCompile(`^::stop-commands::([A-Z2-7]{26})\n`)

// github writes a summary as a step of a workflow prints it, with a fixed token.
func github(t *testing.T, s *report.Summary) string {
	t.Helper()
	out := string(written(t, s, report.GitHub))
	token := stopToken.FindStringSubmatch(out)
	require.NotNil(t, token, out)
	require.NotContains(t, string(written(t, s, report.GitHub)), token[1], "a token is used once")
	return strings.ReplaceAll(out, token[1], "TOKEN")
}

func TestWrite_GitHub(t *testing.T) {
	golden(t, "mixed.github", []byte(github(t, mixed())))
	golden(t, "everything.github", []byte(github(t, everything())))
	golden(t, "hostile.github", []byte(github(t, attack())))
}

// commands are the workflow commands that GitHub's runner finds in a log: lines
// that begin with :: after any space, and the older ##[ anywhere in a line. From
// stop-commands on it looks for the token only.
func commands(log string) []string {
	var list []string
	resume := ""
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch {
		case resume != "":
			if line == resume {
				resume = ""
			}
		case strings.HasPrefix(line, "::stop-commands::"):
			resume = "::" + strings.TrimPrefix(line, "::stop-commands::") + "::"
		case strings.HasPrefix(line, "::"):
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "::"), "::")
			name, _, _ = strings.Cut(name, " ")
			list = append(list, name)
			if strings.Contains(line, "##[") {
				list = append(list, line)
			}
		case strings.Contains(line, "##["):
			list = append(list, line)
		}
	}
	return list
}

func TestGitHub_ASubmissionIssuesNoCommand(t *testing.T) {
	for _, text := range []string{
		"::set-output name=verdict::pass", "x\n::add-mask::e", "x\r::add-mask::e", "x\r\n  ::stop-commands::y",
		"::TOKEN::", "##[add-mask]e", "x ##[error]y", "%0A::add-mask::e", "a::b,c=d%3A", "\u2028::add-mask::e", "\x1b]0;\n::debug::x\x07",
	} {
		s := attack()
		s.Title = text
		for i := range s.Verdicts[0].Checks {
			r := &s.Verdicts[0].Checks[i]
			r.Summary = text
			for j := range r.Findings {
				f := &r.Findings[j]
				f.File, f.Message, f.Detail, f.Misconception = text, text, text, text
				if j > 0 {
					f.Rule = text
				}
			}
		}
		s.Verdicts[0].Lacks = []string{text}
		for _, name := range commands(string(written(t, s, report.GitHub))) {
			require.Contains(t, []string{"error", "warning", "notice"}, name, "%q", text)
		}
	}
}

func TestGitHub_EscapesWhatEndsAPropertyOrALine(t *testing.T) {
	s := summary("t", verdict("a", "t", checks.Fail, result("lint", checks.Fail, "",
		checks.Finding{File: "a,b:c%.go", Line: 3, Message: "100% of it, and: more"})))
	require.Contains(t, github(t, s), "\n::error title=week01/a,file=a%2Cb%3Ac%25.go,line=3::100%25 of it, and: more\n")
}

func TestGitHub_AnnotatesEveryVerdictBeforeTheRest(t *testing.T) {
	out := github(t, mixed())
	_, annotations, _ := strings.Cut(out, "::TOKEN::\n")
	require.Equal(t, 10, strings.Count(annotations, "::error "))
	for _, exercise := range []string{"aliasing", "escape", "zerocopy", "suite"} {
		require.Contains(t, annotations, "title=week01/"+exercise)
	}
	require.Contains(t, annotations, "::warning title=week01/cpu::blocked: the race detector needs a C compiler")
	require.Contains(t, annotations, "::notice::")
}

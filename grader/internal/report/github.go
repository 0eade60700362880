package report

import (
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// githubAnnotations is how many annotations of a kind GitHub keeps of one step.
const githubAnnotations = 10

// writeGitHub writes what a step of a workflow prints: the text report, in which
// no line is a workflow command, and then the annotations of the student's lines.
func (s *Summary) writeGitHub(w io.Writer) error {
	// Nobody can guess the token, so nothing that a submission printed ends the
	// part without commands.
	token := rand.Text()
	var b, text strings.Builder
	if err := s.writeText(&text); err != nil {
		return err
	}
	fmt.Fprintf(&b, "::stop-commands::%s\n%s::%s::\n", token, ansi.Strip(text.String()), token)
	for _, a := range s.annotations() {
		b.WriteString(a)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// annotations are workflow commands, one a line: for every verdict the finding
// to work on first, and then as many of the others as GitHub keeps.
func (s *Summary) annotations() []string {
	var list, others, warnings []string
	if p := s.practice(); p != "" {
		warnings = append(warnings, command("warning", nil, p))
	}
	for _, v := range s.all() {
		switch findings := failing(v); {
		case v.Status == checks.Blocked:
			warnings = append(warnings, s.annotation("warning", v, checks.Finding{Check: "blocked", Message: blockedMessage(findings)}))
		case len(findings) > 0:
			list = append(list, s.annotation("error", v, findings[0]))
			for _, f := range findings[1:] {
				others = append(others, s.annotation("error", v, f))
			}
		}
	}
	list = append(list, others...)
	if more := len(list) - githubAnnotations; more > 0 {
		list = append(list[:githubAnnotations], command("notice", nil, omitted(more)+" of the annotations; the log above has them"))
	}
	return append(list, warnings[:min(len(warnings), githubAnnotations)]...)
}

func blockedMessage(findings []checks.Finding) string {
	if len(findings) == 0 {
		return "the machine lacks something"
	}
	return findings[0].Message
}

// annotation is the workflow command for a finding of v. Only files in the tree
// can be annotated.
func (s *Summary) annotation(kind string, v *grade.Verdict, f checks.Finding) string {
	properties := []string{"title", v.Exercise}
	if isTest(f) {
		properties[1] += ", " + f.Rule
	}
	if fs.ValidPath(f.File) && f.File != "." {
		properties = append(properties, "file", f.File)
		if f.Line > 0 {
			properties = append(properties, "line", fmt.Sprint(f.Line))
		}
	}
	message := s.headline(f)
	switch {
	case isTest(f) && f.Message != "failed":
		message += "\n" + f.Message
	case !isTest(f) && f.File != "":
		message = f.Message // GitHub shows the position
	}
	if f.Detail != "" {
		message += "\n" + f.Detail
	}
	return command(kind, properties, message)
}

// command is a workflow command, on a line of its own whatever is in it.
func command(name string, properties []string, message string) string {
	var pairs []string
	for i := 0; i+1 < len(properties); i += 2 {
		pairs = append(pairs, properties[i]+"="+propertyEscaper.Replace(properties[i+1]))
	}
	if len(pairs) > 0 {
		name += " " + strings.Join(pairs, ",")
	}
	return fmt.Sprintf("::%s::%s\n", name, dataEscaper.Replace(message))
}

// An older syntax for commands, ##[error], may stand anywhere in a line.
var (
	dataEscaper     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "##[", "# #[")
	propertyEscaper = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "##[", "# #[", ":", "%3A", ",", "%2C")
)

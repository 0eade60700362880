// Package report shows verdicts: on a terminal, as comments, and as what other
// programs read.
package report

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/grade"
)

// Format is a way to show verdicts.
type Format string

// The formats.
const (
	Text     Format = "text"
	JSON     Format = "json"
	Markdown Format = "markdown"
	JUnit    Format = "junit"
	SARIF    Format = "sarif"  // lint, policy and the like at the student's lines
	GitHub   Format = "github" // the log of a workflow's step, with annotations
)

// Formats returns all formats.
func Formats() []Format { return []Format{Text, JSON, Markdown, JUnit, SARIF, GitHub} }

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	if slices.Contains(Formats(), Format(name)) {
		return Format(name), nil
	}
	return "", fmt.Errorf("format %q is unknown; the formats are %s", name, formatNames())
}

func formatNames() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return enumerated(names)
}

// Summary is what is shown: one exercise, a week or a milestone.
type Summary struct {
	Title    string           `json:"title"`
	Verdicts []*grade.Verdict `json:"verdicts"`
	Earlier  []Earlier        `json:"earlier,omitempty"`
	Status   checks.Status    `json:"status"`
	Elapsed  time.Duration    `json:"elapsed_ns"`

	// HintsUsed is how many hints the student has looked at, by exercise. It is
	// nil when there is no record of it, as in CI.
	HintsUsed map[string]int `json:"hints_used,omitzero"`
	// Changes is what is different from last time. It is nil when there is no
	// last time, and empty when nothing is different.
	Changes []Change `json:"changes,omitzero"`

	// Path turns a path from the root of the tree into one for this reader.
	Path func(string) string `json:"-"`
	// NextStep is a sentence on what to do when everything passes, or empty.
	NextStep string `json:"-"`
}

// NewSummary sums verdicts up.
func NewSummary(title string, verdicts []*grade.Verdict, elapsed time.Duration) *Summary {
	s := &Summary{Title: title, Verdicts: verdicts, Elapsed: elapsed, Path: func(p string) string { return p }}
	statuses := make([]checks.Status, len(verdicts))
	for i, v := range verdicts {
		statuses[i] = v.Status
	}
	s.Status = grade.Worst(statuses...)
	return s
}

// Has reports whether s has a verdict on the exercise or milestone.
func (s *Summary) Has(id string) bool {
	return slices.ContainsFunc(s.all(), func(v *grade.Verdict) bool { return v.Exercise == id })
}

// Write shows s in the given format. All text in it is printable. The text format
// has colours, for a writer that knows what its reader can show.
func (s *Summary) Write(w io.Writer, f Format) error {
	switch f {
	case JSON:
		return s.writeJSON(w)
	case Markdown:
		return s.cut(commented).writeMarkdown(w)
	case JUnit:
		return s.cut(shown).writeJUnit(w)
	case SARIF:
		return s.cut(shown).writeSARIF(w)
	case GitHub:
		return s.cut(shown).writeGitHub(w)
	default:
		return s.cut(shown).writeText(w)
	}
}

// Rule turns the name of a test into the rule that it states:
// TestWithTag_SiblingsDiverge/three_tags becomes
// "WithTag: siblings diverge (three tags)".
func Rule(name string) string {
	top, sub, hasSub := strings.Cut(name, "/")
	subject, rule, ok := strings.Cut(top, "_")
	subject = strings.TrimPrefix(strings.TrimPrefix(subject, "Test"), "Fuzz")
	text := subject
	if ok {
		text = subject + ": " + words(rule)
	} else if subject != top {
		text = sentence(words(subject))
	}
	if hasSub {
		text += " (" + strings.ReplaceAll(sub, "_", " ") + ")"
	}
	return text
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// failing returns the findings that make v fail, the first one first.
func failing(v *grade.Verdict) []checks.Finding {
	var list []checks.Finding
	for _, c := range v.Checks {
		if (c.Check == "race" || c.Check == "leak") && len(list) > 0 {
			continue // the check for tests says it already
		}
		for _, f := range c.Findings {
			if !f.Stretch {
				list = append(list, f)
			}
		}
		if c.Omitted > 0 && c.Status != checks.Pass {
			list = append(list, checks.Finding{Check: c.Check, Message: omitted(c.Omitted)})
		}
	}
	return list
}

// stretch returns the stretch tests that v does not pass yet.
func stretch(v *grade.Verdict) []checks.Finding {
	var list []checks.Finding
	for _, f := range v.Findings() {
		if f.Stretch {
			list = append(list, f)
		}
	}
	return list
}

// headline names a finding in one line: the rule for a test, the position and
// the message otherwise.
func (s *Summary) headline(f checks.Finding) string {
	switch {
	case isTest(f):
		return Rule(f.Rule)
	case f.Check == "mutants", f.Check == "bench":
		return f.Message
	case f.File == "":
		return f.Check + ": " + f.Message
	default:
		return s.position(f) + ": " + f.Message
	}
}

func (s *Summary) position(f checks.Finding) string {
	if f.File == "" {
		return ""
	}
	if f.Line == 0 {
		return s.Path(f.File)
	}
	return fmt.Sprintf("%s:%d", s.Path(f.File), f.Line)
}

// passedChecks lists what v was checked for, such as "race" or "lint".
func passedChecks(v *grade.Verdict) string {
	var list []string
	for _, c := range v.Checks {
		switch {
		case c.Status == checks.Unproven:
			list = append(list, c.Check+" unproven: "+c.Summary)
		case c.Status != checks.Pass || c.Check == "files" || c.Check == "policy" || c.Check == "build":
		case c.Check == "tests" || c.Check == "mutants":
			list = append([]string{c.Summary}, list...)
		case c.Summary != "":
			list = append(list, c.Check+" "+c.Summary)
		default:
			list = append(list, c.Check)
		}
	}
	return strings.Join(list, ", ")
}

// slug is the last element of an exercise's name.
func slug(v *grade.Verdict) string { return path.Base(v.Exercise) }

// hintCommand is what shows the next hint of v.
func hintCommand(v *grade.Verdict) string { return "make " + course.HintTarget(v.Exercise) }

package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/report"
)

// linted is a week with findings at lines of the student's files.
func linted() *report.Summary {
	s := mixed()
	v := s.Verdicts[0]
	lint := func(line int) checks.Finding {
		return checks.Finding{Rule: "SA4006", File: "module1/week01/aliasing/aliasing.go", Line: line, Message: "this value of x is never used (SA4006)"}
	}
	v.Checks = append(v.Checks,
		result("gofmt", checks.Fail, "", checks.Finding{File: "module1/week01/aliasing/a b%:c.go", Message: "is not formatted"}),
		result("lint", checks.Fail, "", lint(7), lint(31), checks.Finding{Rule: "S1", File: "../../etc/passwd", Line: 1, Message: "outside the tree"}))
	v.Checks[len(v.Checks)-1].Omitted = 2
	v.Lacks = []string{"seccomp"}
	return s
}

func TestWrite_SARIF(t *testing.T) {
	golden(t, "mixed.sarif", written(t, linted(), report.SARIF))
	golden(t, "hostile.sarif", written(t, attack(), report.SARIF))
}

// The schema is the one that OASIS publishes with errata 01.
func TestSARIF_FitsThePublishedSchema(t *testing.T) {
	text, err := os.ReadFile("testdata/schema/sarif-2.1.0.json")
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("sarif.json", doc))
	schema, err := c.Compile("sarif.json")
	require.NoError(t, err)

	for _, s := range []*report.Summary{linted(), mixed(), passed(), untouched(), again(), everything(), attack()} {
		got, err := jsonschema.UnmarshalJSON(bytes.NewReader(written(t, s, report.SARIF)))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(got))
	}
	require.Error(t, schema.Validate(map[string]any{"version": "2.1.0"}))
}

func TestSARIF_FingerprintsOutliveMovedLines(t *testing.T) {
	fingerprints := func(s *report.Summary) []string {
		var log struct {
			Runs []struct {
				Results []struct{ PartialFingerprints map[string]string }
			}
		}
		require.NoError(t, json.Unmarshal(written(t, s, report.SARIF), &log))
		var list []string
		for _, r := range log.Runs[0].Results {
			list = append(list, r.PartialFingerprints["middleGo/v1"])
		}
		return list
	}
	before := linted()
	moved := linted()
	findings := moved.Verdicts[0].Checks[len(moved.Verdicts[0].Checks)-1].Findings
	findings[0].Line, findings[1].Line = 12, 36

	list := fingerprints(before)
	require.Equal(t, list, fingerprints(moved))
	for i, f := range list {
		require.Len(t, f, 32)
		require.NotContains(t, list[i+1:], f, "two findings that say the same are two")
	}
}

func TestSARIF_SaysThatItIsPractice(t *testing.T) {
	out := string(written(t, linted(), report.SARIF))
	require.Contains(t, out, "This is a practice verdict: the box on this machine lacks seccomp.")
	require.False(t, strings.Contains(out, "passwd"), "only files of the tree have an address")
}

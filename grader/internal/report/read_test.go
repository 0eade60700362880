package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
	"github.com/middle-go/course/grader/internal/report"
)

// sameReport compares what a JSON report keeps of a summary.
var sameReport = cmp.Options{
	cmpopts.IgnoreFields(report.Summary{}, "Path", "NextStep"),
	cmpopts.IgnoreFields(grade.Verdict{}, "Ex"),
}

func TestRead_ReturnsWhatWasWritten(t *testing.T) {
	for _, s := range []*report.Summary{mixed(), passed(), untouched(), again(), everything()} {
		got, err := report.Read(bytes.NewReader(written(t, s, report.JSON)))
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(s, got, sameReport))
	}
}

// A submission decides how much the checks have to say, and what.
func TestRead_AcceptsWhateverASubmissionMakesTheWriterWrite(t *testing.T) {
	loud := strings.Repeat("\x1b[31m\u202eé\x00\r\n\u0085", 3000)
	s := attack()
	s.Title = loud
	v := s.Verdicts[0]
	v.Checks[0].Summary = loud
	for i := range 500 {
		v.Checks[1].Findings = append(v.Checks[1].Findings, checks.Finding{
			Check: "lint", Rule: loud[:i], File: loud[:i], Message: loud[i:], Detail: loud[i:], Misconception: loud,
		})
	}
	out := written(t, s, report.JSON)
	require.LessOrEqual(t, len(out), report.MaxBytes)
	got, err := report.Read(bytes.NewReader(out))
	require.NoError(t, err)
	lint := got.Verdicts[0].Checks[1]
	require.Equal(t, 501, len(lint.Findings)+lint.Omitted)
	require.Regexp(t, `\(and \d+ more characters\)$`, got.Title)
	require.NotContains(t, string(out), `\u202e`)
}

// What a JSON report leaves out is missing in the reports made of it, too.
func TestRead_KeepsCountOfWhatWasLeftOut(t *testing.T) {
	s := mixed()
	for range 150 {
		s.Verdicts[0].Checks[3].Findings = append(s.Verdicts[0].Checks[3].Findings, broken("TestQueue_More"))
	}
	got, err := report.Read(bytes.NewReader(written(t, s, report.JSON)))
	require.NoError(t, err)
	require.Contains(t, string(written(t, got, report.Markdown)), "\n- tests: 69 further findings are left out\n")
}

// edited returns a sound report in which one text is replaced.
func edited(t *testing.T, old, new string) string {
	t.Helper()
	doc := string(written(t, everything(), report.JSON))
	require.Contains(t, doc, old)
	return strings.Replace(doc, old, new, 1)
}

func TestRead_RefusesWhatIsNoReport(t *testing.T) {
	for name, tc := range map[string]struct{ doc, want string }{
		"nothing":               {"", "ends too early"},
		"another format":        {"<xml/>", "is no JSON: invalid character '<' looking for beginning of value"},
		"no version":            {"{}", "has no schema version"},
		"a version to come":     {edited(t, `"schema": 1`, `"schema": 2`), "has schema version 2; this grader reads version 1"},
		"a version as text":     {edited(t, `"schema": 1`, `"schema": "one"`), "has no schema version"},
		"no verdicts":           {`{"schema":1,"title":"","verdicts":[],"status":"pass","elapsed_ns":0}`, "does not fit the schema at /verdicts"},
		"no such status":        {edited(t, `"status": "pass"`, `"status": "excellent"`), "does not fit the schema at /verdicts/0/status"},
		"a null verdict":        {`{"schema":1,"title":"","verdicts":[null],"status":"pass","elapsed_ns":0}`, "does not fit the schema at /verdicts/0"},
		"an empty milestone":    {edited(t, `"earlier": [`, `"earlier": [{},`), "does not fit the schema at /earlier/0"},
		"two documents":         {string(written(t, passed(), report.JSON)) + "{}", "holds more than one JSON document"},
		"a control character":   {edited(t, `"title": "A pipeline"`, `"title": "\u001b[2J"`), "does not fit the schema at /verdicts/0/title"},
		"not UTF-8":             {edited(t, `A pipeline`, "A \xff"), "is not UTF-8"},
		"a long line":           {edited(t, `A pipeline`, strings.Repeat("a", 2001)), "does not fit the schema at /verdicts/0/title"},
		"a path as an exercise": {edited(t, `"week01/pipeline"`, `"../../etc/passwd"`), "does not fit the schema at /verdicts/0/exercise"},
		"two verdicts on one":   {edited(t, `"m03a"`, `"week01/pipeline"`), "has two verdicts on week01/pipeline"},
		"a huge document":       {strings.Repeat(" ", report.MaxBytes+1), "is larger than 4194304 bytes"},
		"very many values":      {"[" + strings.Repeat("0,", 300_000) + "0]", "has more than 250000 values"},
		"deep nesting":          {strings.Repeat("[", 100_000), "is nested more than 16 deep"},
		"a number out of range": {edited(t, `"ratio_high": 1.72`, `"ratio_high": 1e999`), "has the number \"1e999\", which is out of range"},
		"a costly number":       {edited(t, `"ratio_high": 1.72`, `"ratio_high": 0e-999999999`), "has the number \"0e-999999999\", which is out of range"},
		"a key twice":           {edited(t, `"schema": 1,`, `"schema": 1, "schema": 1,`), `has the key "schema" twice in one object`},
		"a key in capitals":     {edited(t, `"schema": 1,`, `"schema": 1, "STATUS": "pass",`), `has the key "STATUS"; keys are in small letters`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := report.Read(strings.NewReader(tc.doc))
			require.ErrorContains(t, err, "this is no report of the grader: it "+tc.want)
			require.Nil(t, s)
			require.NotContains(t, err.Error(), "\n")
			require.Less(t, len(err.Error()), 1000)
		})
	}
}

// A forged report may not claim more than its own parts say.
func TestRead_RefusesAReportThatContradictsItself(t *testing.T) {
	forge := func(change func(*report.Summary)) string {
		s := passed()
		change(s)
		return string(written(t, s, report.JSON))
	}
	for want, doc := range map[string]string{
		"says pass, but its verdicts say fail": forge(func(s *report.Summary) {
			s.Verdicts[1].Status, s.Verdicts[1].Checks[0].Status = checks.Fail, checks.Fail
		}),
		"says pass of week01/a, but its checks say rejected": forge(func(s *report.Summary) { s.Verdicts[1].Checks[0].Status = checks.Rejected }),
		"says that week01/a passes tests, with findings": forge(func(s *report.Summary) {
			s.Verdicts[1].Checks[0].Findings = []checks.Finding{{Check: "tests", Message: "failed"}}
		}),
	} {
		_, err := report.Read(strings.NewReader(doc))
		require.ErrorContains(t, err, want)
	}
}

// New fields come without a new version.
func TestRead_IgnoresFieldsThatItDoesNotKnow(t *testing.T) {
	_, err := report.Read(strings.NewReader(edited(t, `"schema": 1,`, `"schema": 1, "mood": {"of": ["the day"]},`)))
	require.NoError(t, err)
}

func FuzzRead(f *testing.F) {
	for _, s := range []*report.Summary{mixed(), passed(), everything(), attack()} {
		var b bytes.Buffer
		require.NoError(f, s.Write(&b, report.JSON))
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"schema":1,"title":"","verdicts":[null],"earlier":[{}],"status":"pass","elapsed_ns":1e2}`))
	f.Add([]byte(`{"schema":1,"title":"t","verdicts":[{"exercise":"m01a","title":"","status":"pass","checks":[{"check":"tests","status":"pass","elapsed_ns":0}],` +
		`"sandbox":"","go":"","at":"2026-11-23T12:00:00Z","elapsed_ns":0}],"status":"pass","elapsed_ns":0}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := report.Read(bytes.NewReader(data))
		if err != nil {
			require.Nil(t, s)
			return
		}
		for _, format := range report.Formats() {
			var b bytes.Buffer
			require.NoError(t, s.Write(&b, format), "%s", format)
			if format != report.JSON {
				continue
			}
			again, err := report.Read(&b)
			require.NoError(t, err, "what is read can be written and read again")
			require.Empty(t, cmp.Diff(s, again, sameReport, cmpopts.EquateEmpty()))
		}
	})
}

func ExampleRead() {
	doc := `{
	  "schema": 1, "title": "Week 1: Values", "status": "fail", "elapsed_ns": 1000000,
	  "verdicts": [{
	    "exercise": "week01/ring", "title": "A ring", "status": "fail",
	    "checks": [{"check": "tests", "status": "fail", "elapsed_ns": 1000, "findings": [{"check": "tests", "rule": "TestRing_Wraps", "message": "failed"}]}],
	    "sandbox": "limits on time", "go": "go1.26.8", "at": "2026-11-23T12:00:00Z", "elapsed_ns": 1000000
	  }]
	}`
	s, err := report.Read(strings.NewReader(doc))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Title, s.Status, s.Verdicts[0].Findings()[0].Rule)
	// Output: Week 1: Values fail TestRing_Wraps
}

func TestJSONSchema_IsADocumentOfItsOwn(t *testing.T) {
	var doc struct {
		Properties struct {
			Schema struct{ Const int }
		}
	}
	require.NoError(t, json.Unmarshal(report.JSONSchema(), &doc))
	require.Equal(t, report.Schema, doc.Properties.Schema.Const)
}

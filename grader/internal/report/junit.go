package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// The elements of a JUnit report that Ant's schema and Jenkins' both accept, in
// the order that Ant wants.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}

	junitSuite struct {
		ID         int             `xml:"id,attr"`
		Package    string          `xml:"package,attr"`
		Name       string          `xml:"name,attr"`
		Timestamp  string          `xml:"timestamp,attr"` // UTC; Ant allows no zone
		Hostname   string          `xml:"hostname,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       seconds         `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out"`
		Err        string          `xml:"system-err"`
	}

	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}

	junitCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		Time    seconds      `xml:"time,attr"`
		Failure *junitReason `xml:"failure"`
		Error   *junitReason `xml:"error"`
		Skipped *junitReason `xml:"skipped"`
	}

	junitReason struct {
		Type    string `xml:"type,attr,omitempty"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// seconds is a duration as JUnit writes it.
type seconds time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (s seconds) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

// writeJUnit writes a suite for every verdict. A check without findings is a
// test case; otherwise every finding is one. What is blocked is an error, and
// what was not run, not proven or only for distinction is skipped.
func (s *Summary) writeJUnit(w io.Writer) error {
	var doc junitSuites
	for _, v := range s.all() {
		doc.Suites = append(doc.Suites, s.junitSuite(len(doc.Suites), v))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *Summary) junitSuite(id int, v *grade.Verdict) junitSuite {
	suite := junitSuite{
		ID: id, Package: "middle-go", Name: v.Exercise, Hostname: "localhost",
		Timestamp: v.At.UTC().Format("2006-01-02T15:04:05"), Time: seconds(v.Elapsed),
		Properties: []junitProperty{{"title", v.Title}, {"verdict", string(v.Status)}, {"go", v.Go}, {"sandbox", v.Sandbox}},
	}
	if v.Practice() {
		suite.Properties = append(suite.Properties, junitProperty{"practice verdict", "the box on this machine lacks " + enumerated(v.Lacks)})
	}
	for _, r := range v.Checks {
		for _, c := range s.junitCases(r) {
			c.Class = "middle-go." + strings.ReplaceAll(v.Exercise, "/", ".")
			suite.add(c)
		}
	}
	return suite
}

func (suite *junitSuite) add(c junitCase) {
	suite.Cases = append(suite.Cases, c)
	suite.Tests++
	switch {
	case c.Failure != nil:
		suite.Failures++
	case c.Error != nil:
		suite.Errors++
	case c.Skipped != nil:
		suite.Skipped++
	}
}

// junitCases returns the test cases of one check. The first one has its time.
func (s *Summary) junitCases(r checks.Result) []junitCase {
	var list []junitCase
	for _, f := range r.Findings {
		list = append(list, s.junitFinding(r, f))
	}
	if r.Omitted > 0 {
		more := junitCheck(r)
		more.Name += ": more"
		for _, reason := range []*junitReason{more.Failure, more.Error, more.Skipped} {
			if reason != nil {
				reason.Message = omitted(r.Omitted)
			}
		}
		list = append(list, more)
	}
	if len(list) == 0 {
		list = []junitCase{junitCheck(r)}
	}
	list[0].Time = seconds(r.Elapsed)
	return list
}

// junitCheck is the test case of a check that found nothing.
func junitCheck(r checks.Result) junitCase {
	c := junitCase{Name: r.Check}
	switch r.Status {
	case checks.Pass:
	case checks.NotRun:
		c.Skipped = &junitReason{Message: "not run: an earlier check decided"}
	case checks.Unproven:
		c.Skipped = &junitReason{Message: "unproven: " + r.Summary}
	case checks.Blocked:
		c.Error = &junitReason{Type: string(r.Status), Message: r.Summary}
	default:
		c.Failure = &junitReason{Type: string(r.Status), Message: r.Summary}
	}
	return c
}

func (s *Summary) junitFinding(r checks.Result, f checks.Finding) junitCase {
	c := junitCase{Name: path.Join(f.Check, f.Rule)}
	if isTest(f) {
		c.Name = f.Rule
	}
	reason := &junitReason{Type: string(r.Status), Message: s.headline(f), Text: f.Detail}
	switch {
	case f.Stretch:
		reason.Type, reason.Message = "", "for distinction, not yet: "+reason.Message
		c.Skipped = reason
	case r.Status == checks.Blocked:
		c.Error = reason
	default:
		c.Failure = reason
	}
	return c
}

// omitted says how many findings are left out.
func omitted(n int) string {
	if n == 1 {
		return "1 further finding is left out"
	}
	return fmt.Sprintf("%d further findings are left out", n)
}

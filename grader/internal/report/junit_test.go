package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/middle-go/course/grader/internal/report"
)

func TestWrite_JUnit(t *testing.T) {
	golden(t, "mixed.junit.xml", written(t, mixed(), report.JUnit))
	golden(t, "everything.junit.xml", written(t, everything(), report.JUnit))
	golden(t, "hostile.junit.xml", written(t, attack(), report.JUnit))
}

// There is no library for XML Schema among the dependencies. The rules below are
// the intersection of the two schemas that readers of JUnit reports use, the one
// of Ant and the one of Jenkins' xUnit plugin (junit-10).
type elementRule struct {
	attributes map[string]*regexp.Regexp // those that it must have
	optional   []string                  // those that it may have
	children   []string                  // in this order
	once       []string                  // children that stand exactly once
	oneOf      bool                      // at most one child
}

var (
	anyText   = regexp.MustCompile(`(?s)^.*$`)
	word      = regexp.MustCompile(`^\S(.*\S)?$`)
	integer   = regexp.MustCompile(`^\d+$`)
	decimal   = regexp.MustCompile(`^\d+\.\d{3}$`)
	timestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)
)

var junitRules = map[string]elementRule{
	"testsuites": {children: []string{"testsuite"}},
	"testsuite": {
		attributes: map[string]*regexp.Regexp{
			"id": integer, "package": word, "name": word, "timestamp": timestamp, "hostname": word,
			"tests": integer, "failures": integer, "errors": integer, "skipped": integer, "time": decimal,
		},
		children: []string{"properties", "testcase", "system-out", "system-err"},
		once:     []string{"properties", "system-out", "system-err"},
	},
	"properties": {children: []string{"property"}},
	"property":   {attributes: map[string]*regexp.Regexp{"name": word, "value": anyText}},
	"testcase": {
		attributes: map[string]*regexp.Regexp{"name": word, "classname": word, "time": decimal},
		children:   []string{"failure", "error", "skipped"}, oneOf: true,
	},
	"failure":    {attributes: map[string]*regexp.Regexp{"type": word, "message": anyText}},
	"error":      {attributes: map[string]*regexp.Regexp{"type": word, "message": anyText}},
	"skipped":    {attributes: map[string]*regexp.Regexp{"message": anyText}, optional: []string{"type"}},
	"system-out": {},
	"system-err": {},
}

// element is an XML element as it stands in a document.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) check() error {
	rule, known := junitRules[e.XMLName.Local]
	if !known {
		return fmt.Errorf("there is no element %s", e.XMLName.Local)
	}
	for name, form := range rule.attributes {
		has := slices.ContainsFunc(e.Attrs, func(a xml.Attr) bool { return a.Name.Local == name })
		if !has || !form.MatchString(e.attr(name)) {
			return fmt.Errorf("%s has %s=%q", e.XMLName.Local, name, e.attr(name))
		}
	}
	for _, a := range e.Attrs {
		if rule.attributes[a.Name.Local] == nil && !slices.Contains(rule.optional, a.Name.Local) {
			return fmt.Errorf("%s may not have %s", e.XMLName.Local, a.Name.Local)
		}
	}
	return e.checkChildren(rule)
}

func (e element) checkChildren(rule elementRule) error {
	at, counts := 0, map[string]int{}
	for _, c := range e.Children {
		i := slices.Index(rule.children, c.XMLName.Local)
		if i < at || rule.oneOf && len(e.Children) > 1 {
			return fmt.Errorf("%s may not stand here in %s", c.XMLName.Local, e.XMLName.Local)
		}
		at = i
		counts[c.XMLName.Local]++
		if err := c.check(); err != nil {
			return err
		}
	}
	for _, name := range rule.once {
		if counts[name] != 1 {
			return fmt.Errorf("%s stands %d times in %s", name, counts[name], e.XMLName.Local)
		}
	}
	return nil
}

// validJUnit reports what is wrong with a document as JUnit XML.
func validJUnit(doc []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(doc))
	var root element
	if err := dec.Decode(&root); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		if _, err = dec.Token(); !errors.Is(err, io.EOF) { // after the last line feed
			return errors.New("more than one document")
		}
	}
	if err := root.check(); err != nil {
		return err
	}
	for i, suite := range root.Children {
		if suite.attr("id") != strconv.Itoa(i) {
			return fmt.Errorf("suite %d has the id %s", i, suite.attr("id"))
		}
		counts := map[string]int{}
		for _, c := range suite.Children {
			if c.XMLName.Local != "testcase" {
				continue
			}
			counts["tests"]++
			for _, outcome := range c.Children {
				counts[map[string]string{"failure": "failures", "error": "errors", "skipped": "skipped"}[outcome.XMLName.Local]]++
			}
		}
		for _, name := range []string{"tests", "failures", "errors", "skipped"} {
			if suite.attr(name) != strconv.Itoa(counts[name]) {
				return fmt.Errorf("%s=%s, but there are %d", name, suite.attr(name), counts[name])
			}
		}
	}
	return nil
}

func TestJUnit_FitsTheSchemasOfItsReaders(t *testing.T) {
	for _, s := range []*report.Summary{mixed(), passed(), untouched(), again(), everything(), attack()} {
		require.NoError(t, validJUnit(written(t, s, report.JUnit)))
	}
	for _, broken := range []string{
		"<testsuites><testcase/></testsuites>",
		`<testsuites><testsuite name="x"/></testsuites>`,
		"<testsuites/><testsuites/>",
		"not XML",
	} {
		require.Error(t, validJUnit([]byte(broken)), broken)
	}
}

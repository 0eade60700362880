package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/middle-go/course/grader/internal/checks"
	"github.com/middle-go/course/grader/internal/grade"
)

// MaxBytes bounds a JSON report.
const MaxBytes = 4 << 20

// Read reads a JSON report, which may come from a machine that ran hostile code.
// What it returns fits the schema, [JSONSchema], and is consistent: no verdict is
// better than its checks, and the summary is no better than its verdicts. The
// text in it is printable, and still a stranger's. The verdicts have no Ex.
//
// An error says what is wrong with the document, in one printable line.
func Read(r io.Reader) (*Summary, error) {
	s, err := read(r)
	if err != nil {
		line := limits{line: 300}.oneLine(err.Error())
		return nil, fmt.Errorf("this is no report of the grader: it %s", line)
	}
	return s, nil
}

func read(r io.Reader) (*Summary, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("is larger than %d bytes", MaxBytes)
	}
	if err := strict(data); err != nil {
		return nil, err
	}
	if err := knownVersion(data); err != nil {
		return nil, err
	}
	if err := validate(data); err != nil {
		return nil, err
	}
	doc := document{Summary: NewSummary("", nil, 0)}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("does not decode: %w", err)
	}
	return doc.Summary, doc.consistent()
}

func knownVersion(data []byte) error {
	var doc struct{ Schema json.Number }
	if err := json.Unmarshal(data, &doc); err != nil || doc.Schema == "" {
		return errors.New("has no schema version")
	}
	if doc.Schema != json.Number(fmt.Sprint(Schema)) {
		return fmt.Errorf("has schema version %s; this grader reads version %d", doc.Schema, Schema)
	}
	return nil
}

// validate compares a document with the schema.
func validate(data []byte) error {
	schema, err := compiledSchema()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	err = schema.Validate(doc)
	if wrong, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return violation(wrong)
	}
	return err
}

var compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(jsonSchema))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	const name = "report.schema.json"
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	return c.Compile(name)
})

// violation tells the first place in which a document does not fit the schema.
func violation(e *jsonschema.ValidationError) error {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	what := e.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return fmt.Errorf("does not fit the schema at /%s: %s", strings.Join(e.InstanceLocation, "/"), what)
}

// consistent looks for a verdict that is better than what it stands on.
func (s *Summary) consistent() error {
	var all []checks.Status
	named := map[string]bool{}
	check := func(v *grade.Verdict) error {
		if named[v.Exercise] {
			return fmt.Errorf("has two verdicts on %s", v.Exercise)
		}
		named[v.Exercise] = true
		all = append(all, v.Status)
		return sound(v)
	}
	for _, v := range s.Verdicts {
		if err := check(v); err != nil {
			return err
		}
	}
	for _, e := range s.Earlier {
		if err := check(e.Verdict); err != nil {
			return err
		}
	}
	if worst := grade.Worst(all...); s.Status != worst {
		return fmt.Errorf("says %s, but its verdicts say %s", s.Status, worst)
	}
	return nil
}

// sound reports an error if v says something else than its checks, or a check
// passes with something to mend.
func sound(v *grade.Verdict) error {
	var all []checks.Status
	for _, c := range v.Checks {
		all = append(all, c.Status)
		for _, f := range c.Findings {
			if c.Status == checks.Pass && !f.Stretch {
				return fmt.Errorf("says that %s passes %s, with findings", v.Exercise, c.Check)
			}
		}
	}
	if worst := grade.Worst(all...); v.Status != worst {
		return fmt.Errorf("says %s of %s, but its checks say %s", v.Status, v.Exercise, worst)
	}
	return nil
}

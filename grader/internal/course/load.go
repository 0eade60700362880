package course

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// The manifests as they are written. Unknown keys are errors.
type (
	weekYAML struct {
		Week           int            `yaml:"week"`
		Title          string         `yaml:"title"`
		TheoryMinutes  int            `yaml:"theory_minutes"`
		ProjectMinutes int            `yaml:"project_minutes"`
		Outcomes       []string       `yaml:"outcomes"`
		Exercises      []exerciseYAML `yaml:"exercises"`
		Milestone      string         `yaml:"milestone"`
	}
	exerciseYAML struct {
		Slug           string                   `yaml:"slug"`
		Week           int                      `yaml:"week"`
		Title          string                   `yaml:"title"`
		Kind           Kind                     `yaml:"kind"`
		Minutes        int                      `yaml:"minutes"`
		Seconds        int                      `yaml:"seconds"`
		Files          []string                 `yaml:"files"`
		Imports        []string                 `yaml:"imports"`
		Forbid         []string                 `yaml:"forbid"`
		ForbidGlobals  bool                     `yaml:"forbid_globals"`
		Sequential     bool                     `yaml:"sequential"`
		Box            Box                      `yaml:"box"`
		Checks         Checks                   `yaml:"checks"`
		Guards         []string                 `yaml:"guards"`
		Stretch        []string                 `yaml:"stretch"`
		Misconceptions map[string]Misconception `yaml:"misconceptions"`
		Hints          []string                 `yaml:"hints"`

		Project projectYAML `yaml:",inline"`
	}
)

// manifest is a parsed file, kept to find the line of a mistake.
type manifest struct {
	name string // as shown in errors
	tree *ast.File
	errs []error
}

func readManifest(root, name string, into any) (*manifest, error) {
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, fmt.Errorf("%s:%s", name, positioned(err))
	}
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s:%s", name, positioned(err))
	}
	return &manifest{name: name, tree: tree}, nil
}

var (
	goccyPosition = regexp.MustCompile(`^\[(\d+):\d+\] `)
	goccyType     = regexp.MustCompile(`^cannot unmarshal (.+) into Go struct field \S+ of type (\S+)$`)
	yamlTypes     = strings.NewReplacer("map[string]interface {}", "mapping", "[]interface {}", "sequence")
)

// positioned turns goccy's "[12:3] message" with its quoted source into
// "12: message" in one line, without the names of Go types.
func positioned(err error) string {
	message, _, _ := strings.Cut(yaml.FormatError(err, false, false), "\n")
	line := "1"
	if m := goccyPosition.FindStringSubmatch(message); m != nil {
		line, message = m[1], message[len(m[0]):]
	}
	if m := goccyType.FindStringSubmatch(message); m != nil {
		message = yamlTypes.Replace(m[1]) + " was used where " + m[2] + " is expected"
	}
	return line + ": " + message
}

// place is where something stands in a manifest: the keys (string) and indexes
// (int) that lead to it.
type place []any

func (p place) at(steps ...any) place { return append(slices.Clip(p), steps...) }

// bad records a mistake at a place.
func (m *manifest) bad(at place, format string, args ...any) {
	m.errs = append(m.errs, fmt.Errorf("%s:%d: %s", m.name, m.line(at), fmt.Sprintf(format, args...)))
}

// line returns the line of the place, or of the last step to it that exists.
func (m *manifest) line(at place) int {
	line := 1
	if len(m.tree.Docs) == 0 {
		return line
	}
	node := m.tree.Docs[0].Body
	for _, step := range at {
		switch n := node.(type) {
		case *ast.MappingNode:
			i := slices.IndexFunc(n.Values, func(v *ast.MappingValueNode) bool { return v.Key.GetToken().Value == step })
			if i < 0 {
				return line
			}
			line, node = n.Values[i].Key.GetToken().Position.Line, n.Values[i].Value
		case *ast.SequenceNode:
			i, ok := step.(int)
			if !ok || i >= len(n.Values) {
				return line
			}
			line, node = n.Values[i].GetToken().Position.Line, n.Values[i]
		default:
			return line
		}
	}
	return line
}

func (m *manifest) err() error { return errors.Join(m.errs...) }

func loadWeek(root, dir string, number int) (*Week, error) {
	var y weekYAML
	m, err := readManifest(root, dir+"/week.yaml", &y)
	if err != nil {
		return nil, err
	}
	w := &Week{
		Number: y.Week, Title: y.Title, TheoryMinutes: y.TheoryMinutes, ProjectMinutes: y.ProjectMinutes,
		Outcomes: y.Outcomes, Milestone: y.Milestone, Dir: dir,
	}
	if y.Week != number {
		m.bad(place{"week"}, "week is %d, but the file lies in %s", y.Week, dir)
	}
	if y.Title == "" {
		m.bad(place{"title"}, "title is missing")
	}
	if y.TheoryMinutes <= 0 {
		m.bad(place{"theory_minutes"}, "theory_minutes must be above 0")
	}
	if len(y.Outcomes) == 0 {
		m.bad(place{"outcomes"}, "outcomes are missing: say what the student can do after this week")
	}
	if y.Milestone != "" {
		name := path.Join(milestoneDir, y.Milestone+".yaml")
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
			m.bad(place{"milestone"}, "milestone %s has no manifest %s", y.Milestone, name)
		}
	}
	seen := map[string]bool{}
	for i, ey := range y.Exercises {
		at := place{"exercises", i}
		e := ey.exercise()
		e.Week = number
		e.Dir = dir + "/" + e.Slug
		e.Module, _, _ = strings.Cut(dir, "/")
		if seen[e.Slug] {
			m.bad(at.at("slug"), "slug %s is used twice", e.Slug)
		}
		seen[e.Slug] = true
		if ey.Kind == Project {
			m.bad(at.at("kind"), "kind project is for milestones; see %s", milestoneDir)
			continue
		}
		m.refuseProjectKeys(at, ey.Project)
		m.validate(root, at, e)
		w.Exercises = append(w.Exercises, e)
	}
	return w, m.err()
}

func (y exerciseYAML) exercise() *Exercise {
	return &Exercise{
		Week: y.Week, Slug: y.Slug, Title: y.Title, Kind: y.Kind, Minutes: y.Minutes, Seconds: y.Seconds,
		Files: y.Files, Imports: y.Imports, Forbid: y.Forbid, ForbidGlobals: y.ForbidGlobals, Sequential: y.Sequential,
		Box: y.Box, Checks: y.Checks, Guards: y.Guards, Stretch: y.Stretch, Misconceptions: y.Misconceptions, Hints: y.Hints,
	}
}

var (
	slugPattern   = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
	forbidPattern = regexp.MustCompile(`^[A-Za-z0-9_./-]+\.([A-Za-z_][A-Za-z0-9_]*|\*)$`)
	kinds         = []Kind{Implement, Fix, Tests, Optimise, Infra, Project}
)

// hints is how many hints an exercise has: a nudge, a direction, nearly the idea.
const hints = 3

// maxSeconds bounds how long one run of the tests of an exercise may take.
const maxSeconds = 600

func (m *manifest) validate(root string, at place, e *Exercise) {
	if !slugPattern.MatchString(e.Slug) {
		m.bad(at.at("slug"), "slug %q is not a package name: lower-case letters and digits", e.Slug)
		return // nothing is known about its directory
	}
	if e.Title == "" {
		m.bad(at.at("title"), "title is missing")
	}
	if !slices.Contains(kinds, e.Kind) {
		m.bad(at.at("kind"), "kind %q is unknown; use one of %v", e.Kind, kinds)
	}
	if e.Minutes <= 0 {
		m.bad(at.at("minutes"), "minutes must be above 0")
	}
	if e.Seconds < 0 || e.Seconds > maxSeconds {
		m.bad(at.at("seconds"), "seconds is %d; one run of the tests may take up to %d", e.Seconds, maxSeconds)
	}
	m.validateChecks(at, e)
	if len(e.Hints) != hints {
		m.bad(at.at("hints"), "%d hints; an exercise has %d", len(e.Hints), hints)
	}
	for i, h := range e.Hints {
		if strings.TrimSpace(h) == "" {
			m.bad(at.at("hints", i), "hint %d is empty", i+1)
		}
	}
	for i, f := range e.Forbid {
		if !forbidPattern.MatchString(f) {
			m.bad(at.at("forbid", i), "forbid %q is not an identifier such as time.Sleep or fmt.*", f)
		}
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(e.Dir))); err != nil {
		m.bad(at.at("slug"), "%s does not exist", e.Dir)
		return
	}
	m.validateFiles(root, at, e)
	m.validateRules(root, at, e)
}

func (m *manifest) validateFiles(root string, at place, e *Exercise) {
	if len(e.Files) == 0 {
		m.bad(at.at("files"), "files are missing: name what the student writes")
	}
	for i, f := range e.Files {
		where := at.at("files", i)
		switch {
		case !filepath.IsLocal(filepath.FromSlash(f)) || path.Clean(f) != f:
			m.bad(where, "file %q must be a clean path inside %s", f, e.FilesDir())
		case strings.Contains(f, "*") && e.Kind != Project:
			m.bad(where, "file %q: patterns are for milestones only", f)
		case badPattern(f):
			m.bad(where, "file %q is not a pattern: * and ? stand for names, and ** is an element of its own", f)
		case CourseOwned(path.Join(e.FilesDir(), f)):
			m.bad(where, "file %q belongs to the course and is never the student's", f)
		case strings.Contains(f, "*"):
		default:
			name := path.Join(e.FilesDir(), f)
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil && !isRecordedStub(root, name) {
				m.bad(where, "%s does not exist", name)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(e.Readme()))); err != nil {
		m.bad(at.at("slug"), "%s does not exist", e.Readme())
	}
}

// StubsFile holds the hashes of the stubs, from the root of the course, in the
// format of sha256sum.
const StubsFile = "grader/inventory/stubs.sha256"

// isRecordedStub reports whether the course has given that file. If it is gone,
// a student has lost it, and grading says how to get it back.
func isRecordedStub(root, name string) bool {
	stubs, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(StubsFile)))
	return err == nil && strings.Contains(string(stubs), "  "+name+"\n")
}

// hasRecordedStub reports whether the course has given a file in that directory.
func hasRecordedStub(root, dir string) bool {
	stubs, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(StubsFile)))
	return err == nil && strings.Contains(string(stubs), "  "+dir+"/")
}

func (m *manifest) validateChecks(at place, e *Exercise) {
	if c := e.Checks.Coverage; c != nil && (c.Total <= 0 || c.Total > 100 || c.Function < 0 || c.Function > 100) {
		m.bad(at.at("checks", "coverage"), "coverage is in per cent, above 0 and at most 100")
	}
	if b := e.Checks.Bench; b != nil && (b.Name == "" || b.Faster <= 0) {
		m.bad(at.at("checks", "bench"), "bench needs a name and a faster_than_baseline above 0")
	}
	if mu := e.Checks.Mutants; (mu != nil) != (e.Kind == Tests) || mu != nil && mu.Kill <= 0 {
		m.bad(at.at("checks"), "exercises of kind tests, and only they, have mutants: {kill: N}")
	}
}

// validateRules checks that every test that the manifest names exists.
func (m *manifest) validateRules(root string, at place, e *Exercise) {
	known, err := rules(root, e)
	if err != nil {
		m.bad(at.at("slug"), "%v", err)
		return
	}
	names := func(key string, list []string) {
		for i, name := range list {
			if !known[name] {
				m.bad(at.at(key, i), "%s names %s, but %s has no such test", key, name, e.Dir)
			}
		}
	}
	names("guards", e.Guards)
	names("stretch", e.Stretch)
	if b := e.Checks.Bench; b != nil && b.Name != "" && !known[b.Name] {
		m.bad(at.at("checks", "bench"), "bench names %s, but %s has no such benchmark", b.Name, e.Dir)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Misconceptions)) {
		m.validateMisconception(at.at("misconceptions", name), name, known, e)
	}
}

func (m *manifest) validateMisconception(at place, name string, known map[string]bool, e *Exercise) {
	mis := e.Misconceptions[name]
	if top, _, _ := strings.Cut(name, "/"); !known[top] {
		m.bad(at, "misconceptions name %s, but %s has no such test", name, e.Dir)
	}
	if strings.TrimSpace(mis.Belief) == "" {
		m.bad(at, "the misconception of %s has no belief", name)
	}
	if mis.Hint < 1 || mis.Hint > hints {
		m.bad(at, "the misconception of %s names hint %d; there are hints 1 to %d", name, mis.Hint, hints)
	}
}

package export

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/middle-go/course/grader/internal/assembly"
	"github.com/middle-go/course/grader/internal/course"
	"github.com/middle-go/course/grader/internal/similar"
)

// Secrets are what a student must not get: the solutions of a course.
type Secrets struct {
	References int // files
	Wrong      int
	Found      int // of both, how many the check recognises when it is shown them

	corpus *similar.Corpus
	exact  map[[sha256.Size]byte]string // by content without its white space
	names  map[string]bool              // of wrong solutions
	public map[[sha256.Size]byte]bool   // contents of the course's files that are binary
}

// passage is how many tokens in a row give a solution away in a file that holds
// other things too. What the course publishes has at most 51 in common.
const passage = 100

const wrongDir = "/testdata/wrong/"

// LoadSecrets reads the solutions of c, and tries itself on them.
func LoadSecrets(c *course.Course) (*Secrets, error) {
	s := &Secrets{exact: map[[sha256.Size]byte]string{}, names: map[string]bool{}, public: map[[sha256.Size]byte]bool{}}
	secret, given, err := s.read(c)
	if err != nil {
		return nil, err
	}
	if len(secret) == 0 {
		return nil, fmt.Errorf("%s has no solutions, so nothing is known that could be looked for; name the course with --course", c.Root)
	}
	s.corpus = similar.NewCorpus(secret, given)
	for _, f := range secret {
		if strings.Contains(f.Path, wrongDir) {
			s.Wrong++
			s.names[path.Base(f.Path)] = true
		} else {
			s.References++
		}
		s.exact[squeezed(f.Content)] = f.Path
		if s.Look(f.Content) != nil {
			s.Found++
		}
	}
	return s, nil
}

// read returns the files of the solutions that nobody is given, and the files of
// the course that stand in both trees.
func (s *Secrets) read(c *course.Course) (secret, given []similar.Source, err error) {
	root := c.Root
	stubs, err := assembly.LoadStubs(root)
	if err != nil {
		return nil, nil, err
	}
	students, err := newStudents(c)
	if err != nil {
		return nil, nil, err
	}
	solutions := filepath.Join(root, "solutions")
	if _, err := os.Stat(solutions); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	err = eachFile(solutions, func(name string, content []byte) error {
		twin, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		isStub := err == nil && stubs.Is(name, content)
		if err == nil && !students.own(name) || isStub || module[path.Base(name)] {
			given = append(given, similar.Source{Path: name, Content: twin})
			return nil
		}
		secret = append(secret, similar.Source{Path: "solutions/" + name, Content: content})
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = eachFile(root, func(name string, content []byte) error {
		switch {
		case strings.HasPrefix(name, "solutions/"):
		case !utf8.Valid(content):
			s.public[sha256.Sum256(content)] = true
		case stubs.Is(name, content), strings.Contains(name, "/testdata/mutants/"):
			given = append(given, similar.Source{Path: name, Content: content})
		}
		return nil
	})
	return secret, given, err
}

// eachFile calls f for the regular files below root.
func eachFile(root string, f func(name string, content []byte) error) error {
	return fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == ".grader" || name == "bin"):
			return fs.SkipDir // of git, of the grader, of builds
		case !d.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		return f(name, content)
	})
}

// module is the names of files that say what is needed, and nothing of how.
var module = map[string]bool{"go.mod": true, "go.sum": true, "go.work": true, "go.work.sum": true}

func squeezed(content []byte) [sha256.Size]byte {
	return sha256.Sum256(bytes.Join(bytes.Fields(content), []byte(" ")))
}

// Match is something of a solution.
type Match struct {
	Secret string // the file of the solutions
	Line   int    // where in the text it begins; 0 for the whole
	Tokens int    // 0 if the whole is the same
	Share  float64
}

// Look returns what a text has of a solution, or nil.
func (s *Secrets) Look(content []byte) *Match {
	if secret, ok := s.exact[squeezed(content)]; ok && len(bytes.TrimSpace(content)) > 0 {
		return &Match{Secret: secret, Share: 1}
	}
	readings := append(fenced(content),
		reading{"text.go", content, 0}, reading{"text.go", unquoted(content), 0}, reading{"text", content, 0})
	var worst *Match
	for _, r := range readings {
		m := s.corpus.Match([]similar.Source{{Path: r.path, Content: r.content}})
		if len(m.Passages) == 0 || !m.Copied() && m.Passages[0].Tokens < passage {
			continue
		}
		if p := m.Passages[0]; worst == nil || p.Tokens > worst.Tokens {
			worst = &Match{Secret: p.There.Path, Line: r.before + p.Here.First, Tokens: p.Tokens, Share: m.Share()}
		}
	}
	return worst
}

// reading is one way to read a text, or a part of it.
type reading struct {
	path    string // how similar takes it
	content []byte
	before  int // lines of the text
}

// fenced returns the code blocks of Markdown.
func fenced(content []byte) []reading {
	var blocks []reading
	start, n, at := -1, 0, 0
	before := 0
	for line := range bytes.Lines(content) {
		n++
		if bytes.HasPrefix(bytes.TrimLeft(line, " >\t"), []byte("```")) {
			if start >= 0 {
				blocks, start = append(blocks, reading{"text.go", content[start:at], before}), -1
			} else {
				start, before = at+len(line), n
			}
		}
		at += len(line)
	}
	return blocks
}

var quoteMarks = regexp.MustCompile("(?m)^[-+> \t]+|`")

// unquoted takes the marks away that Go code has in Markdown and in patches.
func unquoted(content []byte) []byte { return quoteMarks.ReplaceAll(content, []byte(" ")) }
